"""Proofs by codes: accepted where every code of the first block stays, whether a point has it or not, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bnnverify import Block, Head, Network
from bnnverify.checker import patterns
from bnnverify.checker.sample import checked_claim
from bnnverify.data.samples import Samples, read_input
from bnnverify.errors import Rejected
from bnnverify.formats import load
from bnnverify.queries.proofs import check, prove
from bnnverify.results.certification import Row
from bnnverify.results.finding import Verdict
from tests.support.proven import changed, network, proven
from tests.support.requirements import DATA, needs_data

N = 12


def opposites(winning: int = 2) -> Network:
    """Return a network with two opposite neurons behind a counter of three bits; class 1 wants so many of them to be 1."""
    counter = Block(np.eye(3, N, dtype=np.int64) + np.eye(3, N, 1, dtype=np.int64), [1, 1, 1])
    opposite = Block([[1, 1, 1], [-1, -1, -1]], [2, -1])
    return Network((counter, opposite), Head([[0, 0], [1, 1]], [winning - 1, 0]))


def by_codes(monkeypatch: pytest.MonkeyPatch, folder: Path, net: Network, seed: int = 0) -> Row:
    monkeypatch.setattr("bnnverify.encoders.enumeration.cost_model.WIDE", -1)
    return proven(folder, seed, net=net)


def test_opposite_neurons_are_beyond_margins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = by_codes(monkeypatch, tmp_path, opposites())
    assert (row.verdict, row.engine) == (Verdict.ROBUST, "codes")
    assert json.loads((tmp_path / "0" / "claim.json").read_text())["by"] == "codes"
    assert checked_claim(tmp_path / "0", opposites()).patterns == 8
    with pytest.raises(Rejected, match="model"):
        checked_claim(tmp_path / "0", opposites(1))


def test_random_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grounds = set()
    for seed in range(60):
        folder = tmp_path / str(seed)
        folder.mkdir()
        row = by_codes(monkeypatch, folder, network(seed), seed)
        claim = checked_claim(folder / "0", network(seed)).claim
        assert (claim.by == "witness") == (row.verdict is Verdict.VULNERABLE)
        grounds.add(claim.by)
    assert {"codes", "witness"} <= grounds


def test_a_vulnerable_sample_has_no_such_proof(tmp_path: Path) -> None:
    assert proven(tmp_path, 1).verdict is Verdict.VULNERABLE
    changed(tmp_path, by="codes", witness=None, verdict="ROBUST", folded=[[], []], dropped=[], classes=[0, 1, 2, 3])
    with pytest.raises(Rejected, match="expected class"):
        checked_claim(tmp_path / "0", network(1))


def test_a_code_that_nothing_reaches_counts_too(tmp_path: Path) -> None:
    """The trace proves more: of two counters, one to 1 and one to 2, the second is never 1 alone."""
    counters = Block(np.ones((2, N)), [1, 2])
    net = Network((counters,), Head([[0, 0], [-1, 1]], [0, 0]))
    assert proven(tmp_path, 0, net=net).verdict is Verdict.ROBUST
    assert checked_claim(tmp_path / "0", net).claim.by in ("trace", "margins")
    changed(tmp_path, by="codes", folded=[[]], dropped=[], classes=[0, 1])
    with pytest.raises(Rejected, match="expected class 0 for each, got class 1"):
        checked_claim(tmp_path / "0", net)


def test_too_many_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_codes(monkeypatch, tmp_path, opposites())
    monkeypatch.setattr(patterns, "MOST_CODES", 4)
    with pytest.raises(Rejected, match="codes: expected at most 2 open neurons, got 3"):
        checked_claim(tmp_path / "0", opposites())


@needs_data
@pytest.mark.slow
def test_84_billion_inputs(tmp_path: Path) -> None:
    net = load(DATA / "npaq-models" / "mnist-400-bnn_3blk_200_100.pt")
    one = Samples(read_input("mnist:10", net, data_dir=DATA)[None], None, (10,), "mnist")
    prove.prove(net, one, radius=5, folder=tmp_path / "p")
    (row,) = check.check(tmp_path / "p").rows
    assert row.accepted
    assert (row.verdict, row.by, row.patterns) == ("ROBUST", "codes", 2**21)
