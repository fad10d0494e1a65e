"""Regions under constraints, through every engine: against the network asked about every string of bits, one after the other."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from bnnverify import Becomes, Constrained, EachClass, Everything, HammingBall, Leaves, Query
from bnnverify.encoders.clauses.cnf import formula
from bnnverify.encoders.diagrams import frontier
from bnnverify.encoders.enumeration import enumeration
from bnnverify.model.threshold import Threshold
from bnnverify.problem import constrained
from bnnverify.problem.budget import Budget
from bnnverify.problem.constraints import at_least, at_most, one_hot, weighted
from bnnverify.queries.engines import diagrams
from bnnverify.queries.engines import enumeration as by_bits
from bnnverify.queries.engines import sat as by_clauses
from bnnverify.queries.engines.base import Engine
from bnnverify.queries.planning.posed import Posed
from tests.support.drawn import constrained_regions, queries
from tests.support.enumerated import Direct, every_input, lows
from tests.support.proven import network
from tests.support.random_networks import random_network

some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def inside(query: Query) -> np.ndarray:
    """Return the points of the region: strings of bits in the ball at which each constraint holds, summed here."""
    points = every_input(query.region.n)
    points = points[query.region.ball.contains(points)]
    for row in query.region.constraints:
        sums = [sum(w * int(x[i]) for i, w in zip(row.positions, row.weights, strict=True)) for x in points]
        points = points[np.array(sums, dtype=object) >= row.bound] if len(points) else points
    return points


def classes(query: Query, points: np.ndarray) -> list[int]:
    return (
        np.bincount(query.decider(points), minlength=query.decider.classes).tolist()
        if len(points)
        else [0] * query.decider.classes
    )


def by_distance(query: Query) -> dict[int, tuple[int, ...]]:
    points = inside(query)
    away = query.region.distance(points)
    distances = range(query.region.inner, query.region.outer + 1)
    return {d: tuple(classes(query, points[away == d])) for d in distances}


def checked(engine: Engine, query: Query) -> None:
    """Hold counts, and shells where there are any, against enumeration."""
    tally, want = engine.count(query, Budget()), classes(query, inside(query))  # type: ignore[arg-type]
    assert tally.size == sum(want)
    assert tally.of(query.targets).exact
    assert tally.of(query.targets).low == sum(want[c] for c in query.targets)
    assert all(count.low <= k <= count.high for count, k in zip(tally.counts, want, strict=True))
    if tally.shells:
        assert {shares.distance: shares.counts for shares in tally.shells} == by_distance(query)


def found(engine: Engine, query: Query) -> None:
    want, finding = classes(query, inside(query)), engine.find(query, Budget())  # type: ignore[arg-type]
    assert finding.happens is (sum(want[c] for c in query.targets) > 0)
    if finding.witness is not None:  # type: ignore[attr-defined]
        point = np.array(finding.witness.bits)  # type: ignore[attr-defined]
        assert point.tolist() in inside(query).tolist()
        assert query.decider(point) in query.targets


@some
@given(query=queries(constrained_regions))
def test_counts_equal_enumeration(engine: Engine, query: Query) -> None:
    checked(engine, query)


@some
@given(query=queries(constrained_regions))
def test_yes_or_no_equals_enumeration(finder: Engine, query: Query) -> None:
    found(finder, query)


@pytest.mark.parametrize("strategy", ["region", "blocks", "frontier"])
@some
@given(query=queries(constrained_regions))
def test_strategies_of_diagrams(strategy: str, query: Query) -> None:
    engine = Direct(diagrams.BddEngine, strategy=strategy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagrams, "SMALL", 4)  # many parts
        patch.setattr(frontier, "FEW", 2)  # kinds are merged, and some of them dropped, at every level
        checked(engine, query)
        found(engine, query)


@pytest.mark.parametrize("encoding", by_clauses._VARIANTS, ids=lambda variant: variant[0])
@some
@given(query=queries(constrained_regions))
def test_encodings_of_clauses(encoding: tuple, query: Query) -> None:
    engine = Direct(by_clauses.SatEngine, encoding[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_clauses, "ENUMERATED", 3)  # causes of several flips
        checked(engine, query)
        found(engine, query)


@pytest.mark.parametrize(
    ("interpreted", "compiled"), [(0, 0), (0, 2**60), (2**60, 2**60)], ids=["kernel", "interpreter", "numpy"]
)
@pytest.mark.parametrize("pruning", [0, 10**12], ids=["bounded", "unbounded"])
@some
@given(query=queries(constrained_regions))
def test_the_netlist_paths_of_bits(interpreted: int, compiled: int, pruning: int, tmp_path: Path, query: Query) -> None:
    engine = Direct(by_bits.BitsEngine, folder=tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_bits, "_is_small", lambda _: False)
        patch.setattr(enumeration, "INTERPRETED", interpreted)
        patch.setattr(enumeration, "COMPILED", compiled)
        patch.setattr(enumeration, "AT_ONCE", 1)
        patch.setattr(enumeration, "PRUNING", pruning)
        checked(engine, query)
        found(engine, query)


@some
@given(query=queries(constrained_regions))
def test_what_enumeration_draws_and_lists_lies_in_the_region(query: Query, tmp_path: Path) -> None:
    posed, engine = Posed.of(query, Budget()), by_bits.BitsEngine(1, tmp_path)
    targets, want = sorted(posed.question.targets), classes(query, inside(query))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_bits, "_is_small", lambda _: False)
        patch.setattr(enumeration, "MANY", 0)
        listed = list(engine.everywhere(posed.question, targets, Budget()))
        assert sum(map(len, listed)) == sum(want[c] for c in query.targets)
        drawn = engine.drawn(posed.question, targets, 50, Budget())
    assert drawn is None or posed.question.happens(drawn)
    for flips in listed:
        assert query.region.contains(posed.solved.points(flips)).all()


@some
@given(query=queries(constrained_regions))
def test_constraints_of_many_states_give_the_same(engine: Engine, query: Query) -> None:
    """Their points are not listed along states; those of large balls are not listed at all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constrained, "FEW_STATES", 1)
        checked(engine, query)


@some
@given(query=queries(constrained_regions))
def test_constraints_of_many_states_in_large_balls(finder: Engine, query: Query) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constrained, "FEW_STATES", 1)
        patch.setattr(constrained, "FEW", 1)
        patch.setattr("bnnverify.encoders.presolve.question.FEW", 1)
        found(finder, query)


@some
@given(query=queries(constrained_regions))
def test_each_point_is_one_model_of_the_formula(query: Query) -> None:
    """So whoever counts models counts points."""
    from pysat.solvers import Solver

    question = Posed.of(query, Budget()).question
    for _, encoding, *_ in by_clauses._VARIANTS:
        encoded = formula(question, frozenset(), encoding=encoding)
        if encoded.at_mosts:
            continue
        with Solver(name="minisat22", bootstrap_with=encoded.clauses) as solver:
            models = {tuple(model[: encoded.variables]) for model in solver.enum_models()} if all(encoded.clauses) else set()
        named = {abs(literal) for clause in encoded.clauses for literal in clause}
        loose = [v for v in range(1, encoded.variables + 1) if v not in named]
        assert set(loose) <= set(encoded.inputs)
        seen = {tuple(literal > 0 for literal in model if abs(literal) in named) for model in models}
        assert len(seen) << len(loose) == question.region.size


def test_an_empty_region_is_robust_and_counts_nothing(engine: Engine, finder: Engine) -> None:
    network = random_network(3, 9)
    for rows in ([*at_least(3, [0, 1, 2]), *at_most(2, [0, 1, 2])], at_least(4, range(9)), at_least(1, [])):
        region = Constrained(HammingBall(np.zeros(9), 3), rows)
        assert lows(engine.count(Query(network, region, EachClass()), Budget())) == [0] * 4  # type: ignore[arg-type]
        assert finder.find(Query(network, region, Becomes(0, 1, 2, 3)), Budget()).happens is False  # type: ignore[arg-type]


def test_a_centre_outside_the_region(engine: Engine, finder: Engine) -> None:
    network = random_network(5, 9)
    region = Constrained(HammingBall(np.zeros(9), 5), [*one_hot(range(3)), *one_hot(range(3, 6)), weighted({6: 1, 7: 2}, 1)])
    assert region.center not in region
    checked(engine, Query(network, region, EachClass()))
    for c in range(network.classes):
        found(finder, Query(network, region, Becomes(c)))
        checked(engine, Query(network, region, Leaves(c)))


def test_groups_of_one_hot_bits_everywhere(engine: Engine) -> None:
    network = random_network(7, 12)
    region = Constrained(Everything(12), [row for k in range(0, 12, 4) for row in one_hot(range(k, k + 4))])
    assert region.size == 4**3
    checked(engine, Query(network, region, EachClass()))


GROUPS = [row for first in range(0, 24, 4) for row in one_hot(range(first, first + 4))]


def grouped(seed: int, rows: list[Threshold]) -> Query:
    """Return whether a network about six groups of four bits leaves its class within four flips."""
    center = (np.arange(24) % 4 == 0).astype(np.uint8)
    net = network(seed)
    return Query(net, Constrained(HammingBall(center, 4), rows), Leaves(net(center)))


@pytest.fixture(scope="module")
def robust() -> list[int]:
    """Return seeds of networks that keep their class in the groups, and lose it in the ball."""
    found = []
    for seed in range(40):
        happens = [any(query.happens(points).any() for points in query.region.points()) for query in _both(seed)]
        found += [seed] if happens == [False, True] else []
    assert len(found) >= 5
    return found


def _both(seed: int) -> list[Query]:
    return [grouped(seed, GROUPS), grouped(seed, [])]


def test_what_happens_only_outside_the_groups_does_not_happen(finder: Engine, robust: list[int]) -> None:
    for seed in robust:
        inside, outside = _both(seed)
        assert finder.find(inside, Budget()).happens is False  # type: ignore[arg-type]
        assert finder.find(outside, Budget()).happens is True  # type: ignore[arg-type]


def test_groups_are_counted_by_every_engine(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_clauses, "ENUMERATED", 3)
    for seed in range(12):
        center = (np.arange(16) % 4 == 0).astype(np.uint8)
        region = Constrained(HammingBall(center, 6), GROUPS[:8])
        assert region.sizes() == (1, 0, 12, 0, 54, 0, 108)
        query = Query(random_network(seed, 16), region, EachClass())
        want = np.bincount(query.network(np.concatenate(list(region.points()))), minlength=4).tolist()
        tally = engine.count(query, Budget())  # type: ignore[arg-type]
        assert lows(tally) == want


def test_no_flip_and_no_exchange_of_a_witness_can_be_spared(finder: Engine) -> None:
    met = 0
    for seed in range(12):
        center = (np.arange(16) % 4 == 0).astype(np.uint8)
        net = random_network(seed, 16)
        query = Query(net, Constrained(HammingBall(center, 8), GROUPS[:8]), Leaves(net(center)))
        witness = finder.find(query, Budget()).witness  # type: ignore[arg-type, attr-defined]
        if witness is None:
            continue
        met += 1
        for taken in [(i,) for i in witness.flips] + list(combinations(witness.flips, 2)):
            fewer = np.array(witness.bits, dtype=np.uint8)
            fewer[list(taken)] = center[list(taken)]
            assert fewer not in query.region or not query.happens(fewer)
    assert met
