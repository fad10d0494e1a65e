"""The frontier against plain enumeration: codes, distances, examples, numbers of ways above 64 bits, and every way to cut it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import comb
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bnnverify import Block, EachClass, Everything, HammingBall, Head, Leaves, Network, Query, Region, Shell
from bnnverify.encoders.diagrams import frontier
from bnnverify.encoders.diagrams.frontier import Frontier, distinct
from bnnverify.encoders.presolve.presolve import presolve
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines.diagrams import BddEngine
from tests.support.enumerated import Direct


@st.composite
def blocks(draw: st.DrawFn) -> tuple[Block, Region]:
    """Draw a block, small or huge weights, and a region of flips."""
    random, n = np.random.default_rng(draw(st.integers(0, 2**32 - 1))), draw(st.integers(1, 9))
    outputs = draw(st.integers(0, 10))
    largest = draw(st.sampled_from([1, 2, 40, 10**4, 2**40, 2**58]))
    bounds = random.integers(-largest, largest, outputs, endpoint=True)
    outer = draw(st.integers(0, n))
    region = Shell(np.zeros(n), draw(st.integers(0, outer)), outer)
    return Block(random.integers(-largest, largest, (outputs, n), endpoint=True), bounds), region


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=blocks(), cut=st.booleans())
def test_codes_distances_and_ways_equal_enumeration(case: tuple[Block, Region], cut: bool) -> None:
    block, region = case
    cube = (region.inner, region.outer) == (0, region.n)
    want: Counter[tuple[bytes, int]] = Counter()
    for points in region.points():
        for code, distance in zip(block(points), points.sum(axis=1), strict=True):
            want[code.tobytes(), 0 if cube else int(distance)] += 1
    got: Counter[tuple[bytes, int]] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frontier, "FEW", 1 if cut else 3)
        patch.setattr(frontier, "YIELD", 5 if cut else 10**6)
        for codes in Frontier(block, region, examples=True, memory=1 if cut else None).codes():
            assert region.contains(codes.examples).all()
            assert (block(codes.examples) == codes.bits).all()
            assert cube or (codes.examples.sum(axis=1) == codes.distances).all()
            for code, distance, ways in zip(codes.bits, codes.distances, codes.ways, strict=True):
                got[code.tobytes(), int(distance)] += int(ways)
    assert got == want


@pytest.mark.parametrize("n", [63, 64, 80, 200])
def test_ways_above_64_bits_are_whole(n: int) -> None:
    block, half = Block(np.ones((1, n)), [n // 2 + 1]), n // 2
    codes = [codes for codes in Frontier(block, Shell(np.zeros(n), 1, n)).codes() if len(codes.ways)]
    ways = {(int(b), int(d)): w for c in codes for b, d, w in zip(c.bits[:, 0], c.distances, c.ways, strict=True)}
    assert ways == {(int(d > half), d): comb(n, d) for d in range(1, n + 1)}


def test_different_rows_with_one_mark_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = Frontier(Block(np.ones((1, 3)), [2]), Everything(3))._start()
    rows = np.repeat(np.arange(4, dtype=np.int8), 5)[:, None] * np.ones((1, 8), dtype=np.int8)
    kinds = replace(kinds, rows=rows, ways=np.ones(20, dtype=np.int64), examples=np.zeros((20, 0), dtype=np.uint8))
    assert sorted(distinct(kinds).ways.tolist()) == [5, 5, 5, 5]
    monkeypatch.setattr(frontier, "MIX", np.uint64(0))  # every mark is now the same
    joined = distinct(replace(kinds, rows=rows[np.random.default_rng(0).permutation(20)]))
    assert joined.ways.sum() == 20
    for value in range(4):
        assert joined.ways[joined.rows[:, 0] == value].sum() == 5


@pytest.mark.parametrize("strategy", ["frontier", None])
@pytest.mark.parametrize("seed", range(10))
def test_one_count_answers_every_smaller_radius(strategy: str | None, seed: int) -> None:
    random = np.random.default_rng(seed)
    block = Block(random.choice([-1, 1], (5, 8)), random.integers(-2, 3, 5))
    network = Network((block,), Head(random.choice([-1, 1], (3, 5)), [0] * 3))
    region = HammingBall(random.integers(0, 2, 8), 5)
    tally = Direct(BddEngine, strategy=strategy).count(Query(network, region, EachClass()), Budget())
    assert [shares.distance for shares in tally.shells] == list(range(6))
    for shares in tally.shells:
        points = next(iter(region.shell(shares.distance).points()))
        assert list(shares.counts) == np.bincount(network(points), minlength=3).tolist()


def test_layers_too_wide_to_sweep_go_to_diagrams_and_back_again() -> None:
    """80 copied inputs have 2^80 codes; that one of them outweighs all others is found by diagrams."""
    network = Network((Block(np.eye(80), np.ones(80)),), Head([[0] * 80, [100] + [1] * 79], [99, 0]))
    assert not BddEngine()._sweeps(presolve(network, Everything(80)))
    tally = Direct(BddEngine).count(Query(network, Everything(80), EachClass()), Budget())
    assert [count.low for count in tally.counts] == [2**79, 2**79]
    assert BddEngine()._sweeps(presolve(network, HammingBall(np.zeros(80), 3)))


def test_a_budget_that_ends_in_mid_sweep_leaves_an_interval_that_holds_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(4)
    weights = np.array([[random.choice((-1, 1)) for _ in range(12)] for _ in range(6)])
    network = Network((Block(weights, [0, 1, 1, -1, 0, 2]),), Head(np.array([[1, -1, 1, 1, -1, 1], [0] * 6]), [0, 0]))
    query = Query(network, HammingBall(np.zeros(12), 7), EachClass())
    monkeypatch.setattr(frontier, "YIELD", 5)
    monkeypatch.setattr(frontier, "FEW", 1)
    monkeypatch.setattr(frontier, "MEMORY", 1)
    want, looks = Direct(BddEngine, strategy="region").count(query, Budget()), iter(range(60))
    monkeypatch.setattr(Budget, "spent", property(lambda _: next(looks, None) is None))
    tally = Direct(BddEngine).count(query, Budget(seconds=1000))
    assert tally.reason == "stopped after 1000 s"
    assert not tally.shells
    assert 0 < sum(count.low for count in tally.counts) < query.region.size
    assert all(count.low <= k.low <= count.high for count, k in zip(tally.counts, want.counts, strict=True))


def test_proof_and_witness_from_a_sweep() -> None:
    rare = Network((Block(np.ones((1, 40)), [40]),), Head([[0], [2]], [1, 0]))
    finding = Direct(BddEngine).find(Query(rare, Everything(40), Leaves(0)), Budget())
    assert finding.witness is not None
    assert finding.witness.bits == (1,) * 40
    assert Direct(BddEngine).find(Query(rare, HammingBall(np.zeros(40), 39), Leaves(0)), Budget()).happens is False
