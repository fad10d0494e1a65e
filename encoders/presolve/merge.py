"""Neurons of a block that say the same as another one, or the opposite, become one: what reads them reads one bit.

A row says "weights @ x >= bound"; its opposite says "-weights @ x >= 1 - bound". Rows are compared in a normal form: common
factors divided out, and no weight larger than what decides alone, one way or the other. Rows that share it are equal at
every x of 0s and 1s. Not found are rows that agree only where x can be: within r flips, or on codes that occur; nor those whose
different weights and bounds come to the same (3a + 5b + 7c >= 6, and >= 7). Sparse rows are compared as they are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bnnverify.model.arrays import LARGEST_SUM, Integers
from bnnverify.model.matrix import Dense, Matrix
from bnnverify.model.network import Block, Head, Network

MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: spreads marks


@dataclass(frozen=True, eq=False)
class Stand:
    """Who stands for each neuron of a block: its bit is that of neuron which[j], or the opposite of it.

    which: (m,), the first of those that say the same; opposite: (m,) yes or no.
    """

    which: NDArray[np.intp]
    opposite: NDArray[np.bool_]

    @cached_property
    def left(self) -> NDArray[np.intp]:
        """Return the neurons that stand for themselves, ascending."""
        return np.flatnonzero(self.which == np.arange(len(self.which)))

    @property
    def merges(self) -> bool:
        return len(self.left) < len(self.which)

    def read(self, rows: Matrix) -> tuple[Matrix, Integers]:
        """Return rows, (k, m), over the neurons that are left, (k, left), and what else their sums hold, (k,)."""
        signs = np.where(self.opposite, -1, 1)
        columns = np.searchsorted(self.left, self.which)
        return rows.regrouped(columns, signs, len(self.left)), rows @ self.opposite.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Merged:
    """A network with fewer neurons that answers as the one it was made of, and for each of its blocks who stands for whom."""

    network: Network
    stands: tuple[Stand, ...]


def merged(network: Network) -> Merged | None:
    """Return the network with neurons that say the same as one; None if there are no such neurons.

    Block by block: where columns were added, more rows of the next block may say the same. Some may be constants then, or be read
    by nobody: that is left to others. The last block of a network without a head keeps all of its neurons.
    """
    blocks: list[Block] = []
    stands: list[Stand] = []
    for i, block in enumerate(network.blocks):
        if stands and stands[-1].merges:
            rows, besides = stands[-1].read(block.matrix)
            block = Block(rows, block.bounds - besides)
        is_code = network.head is None and i == len(network.blocks) - 1
        stand = _nobody(block.outputs) if is_code else alike(block)
        blocks.append(Block(block.matrix[stand.left], block.bounds[stand.left]) if stand.merges else block)
        stands.append(stand)
    if not any(stand.merges for stand in stands):
        return None
    head = network.head if network.head is None else _over_fewer(network.head, stands[-1])
    return None if head is None and network.head else Merged(replace(network, blocks=tuple(blocks), head=head), tuple(stands))


def _over_fewer(head: Head, stand: Stand) -> Head | None:
    """Return the head over the neurons that are left; None if its numbers would be too large for one."""
    rows, besides = stand.read(Dense(head.weights))
    weights, offsets = rows.dense(), head.offsets + besides
    sizes = np.abs(weights.astype(np.float64)).sum(axis=1) + np.abs(offsets.astype(np.float64))
    return Head(weights, offsets, head.ranks) if sizes.max(initial=0) < LARGEST_SUM else None


def alike(block: Block) -> Stand:
    """Return who stands for whom. Constants stand for nobody but themselves."""
    stand = _nobody(block.outputs)
    normal = block.normal()
    rows, bounds = normal.matrix, normal.bounds
    signed = rows @ _spread(block.inputs)  # of a row and its opposite, one has a negative mark
    marks, turned = np.abs(signed).tolist(), (signed < 0).tolist()
    if len(set(marks)) == len(marks):
        return stand
    times, first = Counter(marks), dict[tuple[bytes, bytes, int], int]()
    for j in (j for j, mark in enumerate(marks) if times[mark] > 1):
        positions, weights = rows.row(j)
        if not weights[weights < 0].sum() < bounds[j] <= weights[weights > 0].sum():
            continue
        sign, bound = (-1, 1 - int(bounds[j])) if turned[j] else (1, int(bounds[j]))
        k = first.setdefault((positions.tobytes(), (sign * weights).tobytes(), bound), j)
        stand.which[j], stand.opposite[j] = k, turned[j] != turned[k]
    return stand


def _nobody(m: int) -> Stand:
    """Return that each neuron stands for itself."""
    return Stand(np.arange(m), np.zeros(m, dtype=np.bool_))


def _spread(n: int) -> Integers:
    """Return n numbers that are unlike each other: sums of some of them are rarely equal."""
    numbers = np.arange(1, n + 1, dtype=np.uint64) * MIX
    return ((numbers ^ (numbers >> np.uint64(29))) * MIX).view(np.int64)
