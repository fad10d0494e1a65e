"""Every verb in regions under constraints: against plain enumeration of the strings that obey them."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bnnverify import (
    BadQuery,
    Budget,
    CodeFlips,
    Constrained,
    Everything,
    HammingBall,
    Leaves,
    Network,
    Query,
    Verdict,
    attack,
    attribution,
    certify,
    codes,
    count,
    distance,
    latents,
    local_search,
    marginals,
    tolerance,
    witnesses,
)
from bnnverify.model.threshold import Threshold
from bnnverify.problem import constrained, solutions
from bnnverify.problem.constraints import NEVER, at_most, cost_at_most, one_hot, weighted
from bnnverify.problem.cost import Cost
from bnnverify.queries.verbs import distance as measuring
from tests.support.drawn import constrained_regions, networks, queries
from tests.support.enumerated import every_input, tau
from tests.support.random_networks import latent_network, random_network

some = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ENGINES = ["auto", "bits", "bdd", "sat", "codes"]


def inside(query: Query) -> np.ndarray:
    points = every_input(query.region.n)
    return points[query.region.contains(points)]


def hits(query: Query) -> np.ndarray:
    points = inside(query)
    return points[query.happens(points)] if len(points) else points


@some
@given(query=queries(constrained_regions), data=st.data())
def test_count_attack_marginals_and_witnesses(query: Query, data: st.DataObject) -> None:
    want, engine = hits(query), data.draw(st.sampled_from(ENGINES))
    found = count(query, engine=engine, jobs=1)
    asked = want[query.decider(want) != found.predicted] if str(query.event) == "classes" and len(want) else want
    assert (found.low, found.high) == (len(asked), len(asked))
    assert found.region["size"] == query.region.size == len(inside(query))
    assert found.density is None or found.density == Fraction(len(asked), len(inside(query)))
    assert json.dumps(found.to_json())
    finding = attack(query, engine=engine, jobs=1).finding
    assert finding.happens is (len(want) > 0)
    if finding.witness is not None:
        assert list(finding.witness.bits) in want.tolist()
    sums = (want != query.region.center).sum(axis=0)
    assert [number.low for number in marginals(query, engine="bits", jobs=1)] == sums.tolist()
    away = set(query.region.distance(want).tolist())
    assert {d for d, finding in witnesses(query, engine="bits", jobs=1).items() if finding.happens} == away


@some
@given(query=queries(constrained_regions), piece=st.sampled_from([1, 3, 20]))
def test_a_count_in_pieces_is_the_count(query: Query, piece: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("pieces") / "kept"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bnnverify.queries.planning.plan.Plan.piece", piece)
        whole = count(query, engine="bits", jobs=1)
        for _ in range(2):  # counted, then read again
            found = count(query, engine="bits", jobs=1, resume=path)
            assert (found.low, found.high) == (whole.low, whole.high)
            assert [each.low for each in found.counts] == [each.low for each in whole.counts]
        other = Query(query.network, Constrained(query.region, at_most(0, range(query.region.n))), query.event)
        if other.region.sha256 != query.region.sha256:
            with pytest.raises(ValueError, match=r"expected finished work with (region|place)"):
                count(other, engine="bits", jobs=1, resume=path)


@st.composite
def centered(draw: st.DrawFn, *, obeying: bool = False) -> tuple[Network, Constrained]:
    """Draw a network with a block and a region from distance 0 on."""
    n = draw(st.integers(1, 9))
    network = draw(networks(n).filter(lambda network: bool(network.blocks)))
    region = draw(constrained_regions(n))
    region = Constrained(HammingBall(region.center, region.outer, free=region.free), region.constraints)
    if obeying and region.center not in region:
        region = Constrained(region.ball, [row for row in region.constraints if row.holds(region.center)])
    return network, region


@some
@given(drawn=centered(), seed=st.integers(0, 2**32 - 1), engine=st.sampled_from(ENGINES))
def test_distance_equals_enumeration(drawn: tuple[Network, Constrained], seed: int, engine: str) -> None:
    (network, region), random = drawn, np.random.default_rng(seed)
    cost = Cost(random.integers(1, 7, region.n), random.random(region.n) < 0.9, str(random.choice(["0", "1", "2", "inf"])))
    cube = Constrained(HammingBall(region.center, region.freedom, free=region.free), region.constraints)
    want = [cost.of(np.flatnonzero(point != region.center).tolist()) for point in hits(Query(network, cube, Leaves(0)))
            if not np.any((point != region.center) & ~cost.possible)]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        if random.integers(2):
            for name in ("ENUMERABLE", "FEW", "QUICK"):
                patch.setattr(measuring, name, 0)
        asked = {"event": Leaves(0), "free": region.free, "cost": cost, "constraints": region.constraints}
        found = distance(network, region.center, **asked, engine=engine, jobs=1)
    assert found.exact
    assert found.high == (min(want) if want else None)
    if found.witness is not None:
        assert found.witness.bits in map(tuple, hits(Query(network, cube, Leaves(0))).tolist())


@some
@given(drawn=centered(), share=st.sampled_from([Fraction(0), Fraction(1, 5), Fraction(1, 2)]), ball=st.booleans())
def test_tolerance_is_of_the_points_that_obey(drawn: tuple[Network, Constrained], share: Fraction, ball: bool) -> None:
    network, region = drawn
    largest = region.outer if ball else None
    found = tolerance(
        network,
        region.center,
        share=share,
        largest=largest,
        event=Leaves(0),
        free=region.free,
        constraints=region.constraints,
        jobs=1,
    )
    assert found.exact
    for radius, got in enumerate(found.shares):
        within = Query(network, Constrained(HammingBall(region.center, radius, free=region.free), region.constraints), Leaves(0))
        assert got == Fraction(len(hits(within)), len(inside(within)) or 1)
    assert largest is None or len(found.shares) == largest + 1


@some
@given(drawn=centered(), data=st.data())
def test_local_search_stays_in_the_region(drawn: tuple[Network, Constrained], data: st.DataObject) -> None:
    network, region = drawn
    method, seed = data.draw(st.sampled_from(["greedy", "gradient", "random", "beam"])), data.draw(st.integers(0, 9))
    limits = {"free": region.free, "largest": region.outer, "constraints": region.constraints, "walks": 3, "seed": seed}
    found = local_search(network, region.center, method=method, event=Leaves(0), **limits)
    want = hits(Query(network, region, Leaves(0)))
    if found.witness is not None:
        assert found.witness.bits in map(tuple, want.tolist())
        assert found.distance is not None
        assert found.distance >= region.distance(want).min()


def test_attacks_exchange_the_bit_of_a_group() -> None:
    """One flip breaks each group; two are an exchange."""
    rows = [row for first in range(0, 24, 4) for row in one_hot(range(first, first + 4))]
    center = (np.arange(24) % 4 == 0).astype(np.uint8)
    met = 0
    for seed in range(12):
        network = latent_network((24, 12, 8), seed)
        found = [local_search(network, center, method=m, constraints=rows) for m in ("greedy", "gradient", "random", "beam")]
        exact = distance(network, center, constraints=rows, jobs=1)
        for attempt in found:
            if attempt.witness is not None:
                assert np.array(attempt.witness.bits).reshape(6, 4).sum(axis=1).tolist() == [1] * 6
                assert exact.high is not None
                assert exact.high <= attempt.witness.distance
        met += found[-1].distance == exact.high is not None
    assert met >= 8


@some
@given(drawn=centered(), counting=st.sampled_from([None, True, False]))
def test_certify_equals_enumeration(drawn: tuple[Network, Constrained], counting: bool | None) -> None:
    network, region = drawn
    result = certify(
        network, region.center[None], radius=region.outer, free=region.free, constraints=region.constraints, counting=counting
    )
    (row,) = result.rows
    want = hits(Query(network, region, Leaves(network(region.center))))
    assert row.verdict is (Verdict.VULNERABLE if len(want) else Verdict.ROBUST)
    assert row.adversarial.low <= len(want) <= row.adversarial.high
    if counting:
        assert row.adversarial.low == row.adversarial.high
    assert row.size == (len(inside(Query(network, region, Leaves(0)))) if region.constraints else None)
    assert result.size == region.ball.size
    assert json.dumps(result.to_json())


def test_certify_goes_on_from_rows_of_the_same_constraints_only(tmp_path: Path) -> None:
    network, rows = random_network(3, 9), [*one_hot(range(3)), *one_hot(range(3, 6))]
    points = Constrained(Everything(9), rows).sample(5, seed=1)
    asked = {"radius": 4, "counting": True, "resume": tmp_path / "rows"}
    first = certify(network, points, constraints=rows, **asked)  # type: ignore[arg-type]
    again = certify(network, points, constraints=rows, jobs=2, **asked)  # type: ignore[arg-type]
    assert [row.adversarial for row in again.rows] == [row.adversarial for row in first.rows]
    assert [row.size for row in first.rows] == [Constrained(HammingBall(point, 4), rows).size for point in points]
    for others in ([], rows[:3], one_hot(range(3))):
        with pytest.raises(ValueError, match="constraints"):
            certify(network, points, constraints=others, **asked)  # type: ignore[arg-type]


@some
@given(drawn=centered(obeying=True))
def test_latent_codes_of_the_points_that_obey(drawn: tuple[Network, Constrained]) -> None:
    network, region = drawn
    limits = {"radius": region.outer, "free": region.free, "constraints": region.constraints}
    prefix, points = network.prefix(len(network.blocks)), inside(Query(network, region, Leaves(0)))
    if not prefix.widths[-1]:
        return
    code, found = prefix(points), latents(network, region.center, **limits)
    assert found.exact
    assert found.shells.size == len(points)
    assert found.shells.sizes == region.sizes()
    assert found.shells.flips == tuple((code != prefix(region.center)).sum(axis=0).tolist())
    assert found.adversarial == int((network(points) != network(region.center)).sum())
    assert (found.witness is None) is (found.adversarial == 0)
    assert found.margin == tau(network, tuple(prefix(region.center).tolist()), len(network.blocks))
    table = (points != region.center).T.astype(int) @ (code != prefix(region.center)).astype(int)
    assert attribution(network, region.center, **limits).counts == tuple(map(tuple, table.tolist()))
    met, times = np.unique(code, axis=0, return_counts=True)
    assert codes(network, region, len(network.blocks)).counts == dict(zip(map(tuple, met.tolist()), times.tolist(), strict=True))


def test_latents_ask_for_a_centre_that_obeys() -> None:
    with pytest.raises(BadQuery, match="a centre that obeys the constraints"):
        latents(latent_network((6, 3), 1), np.zeros(6), radius=2, constraints=one_hot(range(3)))


@pytest.mark.parametrize("engine", ENGINES)
def test_an_empty_region_counts_nothing_and_is_robust(engine: str) -> None:
    network = random_network(3, 9)
    region = Constrained(HammingBall(np.zeros(9), 3), [NEVER])
    query = Query(network, region, Leaves(0))
    assert (count(query, engine=engine).high, count(query, engine=engine).density) == (0, None)
    assert attack(query, engine=engine).finding.verdict is Verdict.ROBUST
    assert certify(network, np.zeros((1, 9)), radius=3, constraints=[NEVER], engine=engine).rows[0].verdict is Verdict.ROBUST
    found = distance(network, np.zeros(9), constraints=[NEVER], engine=engine)
    assert (found.exact, found.high, found.low) == (True, None, 10)


def test_code_flips_and_other_events_under_constraints() -> None:
    network, rows = random_network(3, 9), [*one_hot(range(3)), *one_hot(range(3, 6))]
    region = Constrained(HammingBall(Constrained(Everything(9), rows).sample(1, seed=2)[0], 6), rows)
    query = Query(network, region, CodeFlips(1, 2))
    assert count(query).low == len(hits(query)) > 0
    assert attack(query).finding.happens is True


def test_a_limit_on_costs_is_a_constraint_like_any_other() -> None:
    random = np.random.default_rng(5)
    for seed in range(8):
        network, center = random_network(seed, 9), random.integers(0, 2, 9)
        costs = random.integers(1, 6, 9)
        region = Constrained(Everything(9), cost_at_most(9, costs, center))
        points = every_input(9)
        points = points[(points != center) @ costs <= 9]
        assert count(Query(network, region, Leaves(0)), engine="bits").low == int((network(points) != 0).sum())
        assert region.size == len(points)


def uncountable(n: int) -> Threshold:
    return weighted({i: 3**i % 1009 + 1 for i in range(n)}, 2000)


def test_a_region_that_nobody_can_count_is_answered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solvers need no size; counts are intervals with the reason, and nothing waits."""
    monkeypatch.setattr(solutions, "MOST_STATES", 500)
    monkeypatch.setattr(constrained, "FEW", 100)
    network, center = random_network(1, 24), np.ones(24, dtype=np.uint8)
    rows = [uncountable(24)]
    region = Constrained(HammingBall(center, 3), rows)
    query = Query(network, region, Leaves(network(center)))
    assert region.known_size is None
    found = count(query)
    assert (found.low, found.high, found.exact) == (0, region.ball.size, False)
    assert "have more than 500 states" in found.reason
    assert found.region["size"] is None
    points = np.concatenate(list(region.ball.points()))
    want = bool((network(points[rows[0].holds(points)]) != network(center)).any())
    for engine in ("auto", "bits", "sat", "codes"):
        assert attack(query, engine=engine).finding.happens is want
    assert attack(query, engine="bdd").finding.happens in (want, None)
    (row,) = certify(network, center[None], radius=3, constraints=rows, counting=False).rows
    assert row.verdict is (Verdict.VULNERABLE if want else Verdict.ROBUST)
    (row,) = certify(network, center[None], radius=3, constraints=rows, counting=True).rows
    assert (row.verdict, row.adversarial.high, row.size) == (Verdict.UNKNOWN, region.ball.size, None)
    assert "states" in tolerance(network, center, share=Fraction(1, 2), largest=3, constraints=rows).reason
    assert distance(network, center, constraints=rows, largest=3).exact
    assert not codes(network, region, 1).exact
    assert latents(network, center, radius=3, constraints=rows).shells.radius == 0
    spent = count(query, budget=Budget(seconds=0.0))
    assert (spent.low, spent.high) == (0, region.ball.size)
