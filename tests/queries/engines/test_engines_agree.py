"""Every exact engine gives the same whole numbers as plain enumeration, and as reasoning by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bnnverify import Ball, Becomes, Block, EachClass, Head, Network, Query, Region, Shell
from bnnverify.encoders.enumeration import enumeration
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines import enumeration as by_bits
from bnnverify.queries.engines.base import Engine
from tests.support.drawn import queries
from tests.support.enumerated import Direct, enumerated, lows
from tests.support.zoo import WIDE, ZOO, Case

many = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_counts_known_by_reasoning(engine: Engine, case: Case) -> None:
    assert lows(engine.count(case.query, Budget())) == list(case.counts), case.why


@pytest.mark.parametrize("case", WIDE, ids=lambda case: case.name)
def test_counts_beyond_64_bits(engine: Engine, case: Case) -> None:
    if engine.name != "bdd":
        pytest.skip("looks at or names single points")
    assert lows(engine.count(case.query, Budget())) == list(case.counts), case.why


@pytest.mark.parametrize("case", ZOO + WIDE, ids=lambda case: case.name)
def test_finds_a_class_where_there_is_one(finder: Engine, case: Case) -> None:
    if case in WIDE and finder.name == "bits":
        pytest.skip("looks at single points")
    for c, number in enumerate(case.counts):
        finding = finder.find(Query(case.network, case.region, Becomes(c)), Budget())
        assert finding.happens is (number > 0)
        if finding.witness:
            assert finding.witness.label == case.network(finding.witness.bits) == c
            assert np.array(finding.witness.bits) in case.region


@many
@given(query=queries())
def test_counts_equal_enumeration(engine: Engine, query: Query) -> None:
    want, tally = enumerated(query), engine.count(query, Budget())
    assert tally.of(query.targets).exact
    assert tally.of(query.targets).low == sum(want[c] for c in query.targets)
    assert all(count.low <= k <= count.high for count, k in zip(tally.counts, want, strict=True))


@many
@given(query=queries())
def test_yes_or_no_equals_enumeration(finder: Engine, query: Query) -> None:
    want, finding = enumerated(query), finder.find(query, Budget())
    assert finding.happens is (sum(want[c] for c in query.targets) > 0)


@pytest.mark.parametrize(("stepping", "large"), [(0, 0), (0, 2**60), (2**60, 2**60)], ids=["compiled", "stepping", "numpy"])
@many
@given(query=queries())
def test_the_netlist_paths_of_bits_equal_enumeration(stepping: int, large: int, tmp_path: Path, query: Query) -> None:
    """Small questions do not reach the netlist by themselves."""
    engine = Direct(by_bits.BitsEngine, folder=tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_bits, "_is_small", lambda _: False)
        patch.setattr(enumeration, "INTERPRETED", stepping)
        patch.setattr(enumeration, "COMPILED", large)
        patch.setattr(enumeration, "AT_ONCE", 1)
        tally = engine.count(query, Budget())
        assert lows(tally) == enumerated(query)
        region = query.region
        if tally.shells or (region.inner, region.outer) != (0, region.freedom):
            shells = [Query(query.network, region.shell(d), EachClass()) for d in _distances(region)]
            assert [list(shares.counts) for shares in tally.shells] == [enumerated(shell) for shell in shells]
        finding = engine.find(query, Budget())
    assert finding.happens is any(enumerated(query)[c] for c in query.targets)


@many
@given(query=queries())
def test_shells_add_up_to_the_ball(engine: Engine, query: Query) -> None:
    region = query.region
    each = Query(query.network, region, EachClass())
    parts = [Query(query.network, Shell(region.center, d, free=region.free), EachClass()) for d in _distances(region)]
    sums = np.sum([lows(engine.count(part, Budget())) for part in parts], axis=0)
    assert sums.tolist() == lows(engine.count(each, Budget()))


@many
@given(query=queries())
def test_a_larger_ball_holds_the_smaller(engine: Engine, query: Query) -> None:
    region = query.region
    if region.outer == region.freedom:
        return
    larger = Ball(region.center, region.free, region.inner, region.outer + 1)
    less, more = (lows(engine.count(Query(query.network, r, EachClass()), Budget())) for r in (region, larger))
    assert all(a <= b for a, b in zip(less, more, strict=True))
    assert sum(less) == region.size
    assert sum(more) == larger.size


@many
@given(query=queries(), position=st.integers(0, 8))
def test_the_two_values_of_a_bit_share_out_the_cube(engine: Engine, query: Query, position: int) -> None:
    assume(query.network.inputs)
    network, i = query.network, position % query.network.inputs
    cube = Ball(query.region.center, np.ones(network.inputs, dtype=bool), 0, network.inputs)
    others = np.delete(np.arange(network.inputs), i)
    halves = []
    for value in (0, 1):
        center = cube.center.copy()
        center[i] = value
        half = Ball(center, np.isin(np.arange(network.inputs), others), 0, len(others))
        halves.append(lows(engine.count(Query(network, half, EachClass()), Budget())))
    assert np.sum(halves, axis=0).tolist() == lows(engine.count(Query(network, cube, EachClass()), Budget()))


@many
@given(query=queries())
def test_a_spent_budget_leaves_an_interval_that_holds_the_truth(engine: Engine, query: Query) -> None:
    want, tally = enumerated(query), engine.count(query, Budget(seconds=0.0))
    assert all(count.low <= k <= count.high for count, k in zip(tally.counts, want, strict=True))
    if not tally.of(query.targets).exact:
        assert tally.reason


@many
@given(query=queries())
def test_a_spent_budget_leaves_an_honest_yes_or_no(finder: Engine, query: Query) -> None:
    want, finding = enumerated(query), finder.find(query, Budget(seconds=0.0))
    assert finding.happens in (None, sum(want[c] for c in query.targets) > 0)
    assert finding.happens is not None or finding.reason


def _distances(region: Region) -> range:
    return range(region.inner, region.outer + 1)


def test_any_number_of_workers_counts_the_same(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    block = Block(random.choice([-1, 1], (12, 30)), random.integers(-2, 3, 12))
    network = Network((block,), Head(random.choice([-1, 1], (4, 12)), [0] * 4))
    query = Query(network, Ball(random.integers(0, 2, 30), np.ones(30, dtype=bool), 0, 7), EachClass())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enumeration, "CHUNK", 2**22)  # many parts
        engines = [Direct(by_bits.BitsEngine, workers=workers, folder=tmp_path) for workers in (1, 2, 5)]
        tallies = [engine.count(query, Budget()) for engine in engines]
    assert tallies[0] == tallies[1] == tallies[2]
    assert sum(lows(tallies[0])) == query.region.size
