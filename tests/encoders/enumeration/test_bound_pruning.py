"""Bounds decide only what is so, and the counts are the same with and without them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnverify import Block, Budget, Constrained, EachClass, HammingBall, Head, Network, Query
from bnnverify.encoders.enumeration import enumeration
from bnnverify.encoders.enumeration.bound_pruning import UNDECIDED, BoundPruning
from bnnverify.encoders.enumeration.enumeration import Enumeration
from bnnverify.encoders.presolve.presolve import presolve
from bnnverify.problem.constraints import at_most, one_hot, weighted
from bnnverify.queries.engines import enumeration as by_bits
from tests.support.drawn import queries
from tests.support.enumerated import Direct, enumerated, lows


@settings(max_examples=150, deadline=None)
@given(query=queries(), mixed=st.booleans())
def test_a_decided_run_has_one_class(query: Query, mixed: bool) -> None:
    solved = presolve(query.network, query.region)
    if solved.decided or not solved.network.blocks:
        return
    task = Enumeration(solved, None, mixed=mixed)
    pruner = BoundPruning(task.first_layer.rows, solved.network)
    for runs in task.parts():
        classes = pruner.classes(runs, task.first_layer.choice(runs.prefixes))
        for i in np.flatnonzero(classes != UNDECIDED).tolist():
            ends = range(int(runs.starts[i]), int(runs.stops[i]))
            points = np.array([task.first_layer.flips(runs.prefixes[i], end) for end in ends]).reshape(len(ends), -1)
            assert (solved.network(points.astype(np.uint8)) == classes[i]).all()


@settings(max_examples=60, deadline=None)
@given(query=queries())
def test_counts_with_pruning_equal_enumeration(query: Query) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_bits, "_is_small", lambda _: False)
        patch.setattr(enumeration, "PRUNING", -1)
        assert lows(Direct(by_bits.BitsEngine).count(query, Budget())) == enumerated(query)


def test_bounds_count_only_points_that_obey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs whose class bounds decide, of which all points obey, some, or none."""
    monkeypatch.setattr(by_bits, "_is_small", lambda _: False)
    monkeypatch.setattr(enumeration, "PRUNING", -1)
    pruned, center = 0, (np.arange(16) % 4 == 0).astype(np.uint8)
    for seed in range(12):
        random = np.random.default_rng(seed)
        counter = Block([[1, -1] * 8, [0, 1] * 8], random.integers(1, 4, 2))
        network = Network((counter, Block([[1, 1]], [1])), Head([[0], [1]], [0, 0]))
        rows = [
            *one_hot(range(4)),
            *at_most(1, range(4, 8)),
            weighted(dict.fromkeys(range(8, 16), 1), int(random.integers(2, 4))),
        ]
        for constraints in (rows, rows[2:], rows[3:]):
            query = Query(network, Constrained(HammingBall(center, 6), constraints), EachClass())
            tally = Direct(by_bits.BitsEngine, folder=tmp_path).count(query, Budget())
            assert lows(tally) == enumerated(query)
            pruned += tally.pruned
    assert pruned


def test_pruned_points_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # class 1 needs 3 of the 10 odd bits: prefixes of odd bits decide much, lanes the rest
    monkeypatch.setattr(by_bits, "_is_small", lambda _: False)
    monkeypatch.setattr(enumeration, "PRUNING", -1)
    counter = Block([[0, 1] * 10], [3])
    network = Network((counter, Block([[1]], [1])), Head([[0], [1]], [0, 0]))
    tally = Direct(by_bits.BitsEngine, folder=tmp_path).count(Query(network, HammingBall(np.zeros(20), 5), EachClass()), Budget())
    odd = 120 * (1 + 10 + 45) + 210 * (1 + 10) + 252
    assert [count.low for count in tally.counts] == [tally.size - odd, odd]
    assert 0 < tally.pruned < tally.size
