"""A small network with a proof by solver, written in this process, so that tests can break the writer or the files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bnnverify import Block, Head, Network, Samples
from bnnverify.checker.sample import CheckedClaim, checked_claim
from bnnverify.data.samples import Sample
from bnnverify.model.threshold import Threshold
from bnnverify.problem.budget import Budget
from bnnverify.queries.execution.events import Worker
from bnnverify.queries.proofs.check import check
from bnnverify.queries.proofs.prove import Claimed, Task, written
from bnnverify.results.certification import Row

RADIUS = 3
SEED = 17  # ROBUST, by a trace of several lemmas


def network(seed: int, widths: tuple[int, ...] = (24, 9, 7, 4)) -> Network:
    """Return a random ±1 network whose ranks are not in the order of the classes."""
    random = np.random.default_rng(seed)
    pairs = list(pairwise(widths))
    blocks = [Block(random.choice([-1, 1], (m, n)), random.integers(-1, 3, m)) for n, m in pairs[:-1]]
    n, classes = pairs[-1]
    head = Head(random.choice([-2, -1, 0, 1, 2], (classes, n)), random.integers(-1, 2, classes), random.permutation(classes))
    return Network(tuple(blocks), head)


def center(seed: int, n: int = 24) -> np.ndarray:
    return np.random.default_rng(seed + 1000).integers(0, 2, n).astype(np.uint8)


def samples(*seeds: int) -> Samples:
    """Return the centres of these seeds, which are their indices too."""
    return Samples(np.stack([center(seed) for seed in seeds]), None, tuple(seeds), "made")


def proven(folder: Path, seed: int, radius: int = RADIUS, net: Network | None = None) -> Row:
    """Write the proof of one sample into folder/0 and return its row."""
    net = net or network(seed)
    return written_proof(folder, net, radius, center(seed, net.inputs))


def written_proof(folder: Path, net: Network, radius: int, bits: np.ndarray, constraints: Iterable[Threshold] = ()) -> Row:
    """Write the proof of one input into folder/0 and return its row."""
    task = Task(net, radius, np.ones(net.inputs, dtype=np.bool_), tuple(constraints), Budget(), folder)
    row, _ = written(Worker(print, Budget(), {}), task, Claimed(Sample(0, bits, None)))
    return row


def checked(folder: Path, seed: int) -> CheckedClaim:
    return checked_claim(folder / "0", network(seed))


def changed(folder: Path, **fields: Any) -> None:
    """Write other fields into the claim."""
    path = folder / "0" / "claim.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def relisted(folder: Path) -> None:
    """Write the fingerprints of the files as they are now: whoever forges a proof would."""
    listed = json.loads((folder / "proof.json").read_text())
    for index, entry in listed["rows"].items():
        for name in entry["files"]:
            path = folder / index / name
            entry["files"][name] = {"size": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    (folder / "proof.json").write_text(json.dumps(listed))


def reason(folder: Path, index: int = SEED) -> str:
    """Return why the proof of this sample is not accepted."""
    (row,) = [row for row in check(folder).rows if row.index == index]
    assert not row.accepted
    assert "\n" not in row.reason
    return row.reason
