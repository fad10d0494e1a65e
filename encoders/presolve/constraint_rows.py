"""The constraints of a region as neurons of one more block: 1 exactly where a point obeys."""

from __future__ import annotations

import numpy as np

from bnnverify.model.matrix import fitting, stacked
from bnnverify.model.network import Block
from bnnverify.model.sparse import Sparse
from bnnverify.problem.constraints import NEVER
from bnnverify.problem.region import Region


def constraint_rows(region: Region) -> Block:
    """Return one neuron for each constraint of the region, over its bits; those that no point obeys have no weights."""
    rows = [NEVER if row.constant() is False else row.normal() for row in region.constraints]
    owners = np.repeat(np.arange(len(rows)), [len(row.positions) for row in rows])
    positions = np.array([i for row in rows for i in row.positions], dtype=np.int64)
    weights = np.array([w for row in rows for w in row.weights], dtype=np.int64)
    bounds = np.array([row.bound for row in rows], dtype=np.int64)
    return Block(fitting(Sparse.of((len(rows), region.n), owners, positions, weights)), bounds)


def together(first: Block, then: Block) -> Block:
    """Return the neurons of both blocks, side by side."""
    return Block(stacked([first.matrix, then.matrix]), np.concatenate([first.bounds, then.bounds]))
