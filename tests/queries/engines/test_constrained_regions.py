"""Regions under constraints, through every engine: against the network asked about every string of bits, one after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from bnnverify import Becomes, Constrained, EachClass, Everything, HammingBall, Leaves, Query
from bnnverify.encoders.clauses.cnf import formula
from bnnverify.encoders.diagrams import frontier
from bnnverify.encoders.enumeration import enumeration
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
