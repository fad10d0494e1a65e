"""Regions under constraints: against enumeration where there are few bits, against closed forms where there are many."""

from __future__ import annotations

import pickle
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnverify import BadQuery, Ball, Constrained, Everything, HammingBall, Region, Shell, Subcube
from bnnverify.model.matrix import Dense
from bnnverify.model.threshold import Threshold
from bnnverify.problem import solutions
from bnnverify.problem.budget import Budget, OutOfBudget
from bnnverify.problem.constraints import NEVER, Thresholds, at_least, at_most, cost_at_most, exactly, one_hot, ordered, weighted
from tests.support.drawn import regions, thresholds
from tests.support.enumerated import every_input


def holds(row: Threshold, points: np.ndarray) -> np.ndarray:
    return np.array([sum(w * int(x[i]) for i, w in zip(row.positions, row.weights, strict=True)) >= row.bound for x in points])


@st.composite
def constrained(draw: st.DrawFn) -> tuple[Constrained, np.ndarray]:
    """Draw a region under constraints, and its points by the definition."""
    n = draw(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))
    ball, rows = draw(regions(n)), thresholds(draw(st.integers(0, 2**32 - 1)), n)
    points = every_input(n)[ball.contains(every_input(n))]
    for row in rows:
        points = points[holds(row, points)] if len(points) else points
    return Constrained(ball, rows), points


def words(points: np.ndarray) -> list[tuple[int, ...]]:
    return sorted(map(tuple, points.tolist()))


def listed(region: Region, batch: int = 7) -> np.ndarray:
    return np.concatenate([np.zeros((0, region.n), dtype=np.uint8), *region.points(batch)])


@settings(deadline=None)
@given(constrained())
def test_size_points_and_membership_are_those_of_the_definition(drawn: tuple[Constrained, np.ndarray]) -> None:
    region, want = drawn
    away = region.distance(want)
    assert region.size == len(want)
    assert region.sizes() == tuple(np.bincount(away, minlength=region.outer + 1).tolist())
    found = listed(region)
    assert words(found) == words(want)
    assert np.all(np.diff(region.distance(found)) >= 0), "nearest first"
    cube = every_input(region.n)
    assert words(cube[region.contains(cube)]) == words(want)
    inside = np.ones(len(cube), dtype=bool)
    for row in region.thresholds():
        inside &= holds(row, cube)
    assert words(cube[inside]) == words(want)


@settings(deadline=None)
@given(constrained(), st.integers(0, 2**32 - 1))
def test_reach_contains_the_sums_of_all_points(drawn: tuple[Constrained, np.ndarray], seed: int) -> None:
    region, points = drawn
    weights = np.random.default_rng(seed).integers(-5, 6, (20, region.n)) * int([1, 2**54][seed % 2])
    low, high = region.reach(Dense(weights))
    if abs(weights).max() < 2**54:  # sparse rows check the sums of their weights
        assert [ends.tolist() for ends in region.reach(Dense(weights).sparse())] == [low.tolist(), high.tolist()]
    ball_low, ball_high = region.ball.reach(Dense(weights))
    if len(points):
        sums = points.astype(np.int64) @ weights.T
        assert np.all(low <= sums.min(0))
        assert np.all(high >= sums.max(0))
        assert np.all(low >= ball_low)
        assert np.all(high <= ball_high)


@settings(deadline=None)
@given(constrained(), st.integers(1, 60))
def test_parts_are_disjoint_and_make_up_the_region(drawn: tuple[Constrained, np.ndarray], most: int) -> None:
    region, want = drawn
    parts = list(region.parts(most))
    assert all(0 < part.size <= most for part in parts)
    assert words(np.concatenate([np.zeros((0, region.n)), *(listed(part) for part in parts)])) == words(want)
    for part in parts[:5]:  # the size that a part got with it is the one that it would count
        assert Constrained(part, ()).size == part.size == part.contains(every_input(region.n)).sum()
        assert region.distance(part.center) + part.inner >= region.inner


@settings(deadline=None)
@given(constrained())
def test_flips_are_the_same_region_seen_from_its_centre(drawn: tuple[Constrained, np.ndarray]) -> None:
    region, want = drawn
    flips = region.over_flips()
    assert not flips.center.any()
    assert flips.free.all()
    assert flips.n == region.freedom
    assert flips.sizes() == region.sizes()
    some = listed(flips)
    points = np.tile(region.center, (len(some), 1))
    points[:, region.positions] ^= some
    assert words(points) == words(want)


@settings(deadline=None)
@given(constrained())
def test_propagated_is_the_same_set_with_fewer_free_positions(drawn: tuple[Constrained, np.ndarray]) -> None:
    region, want = drawn
    left = region.propagated()
    assert words(listed(left)) == words(want)
    assert not np.any(left.free & ~region.free)
    away = int(region.distance(left.center))
    assert np.array_equal(region.distance(want), left.distance(want) + away)
    assert left.propagated().freedom == left.freedom


@settings(deadline=None)
@given(constrained(), st.data())
def test_parts_by_distance_positions_and_flips(drawn: tuple[Constrained, np.ndarray], data: st.DataObject) -> None:
    region, want = drawn
    if data.draw(st.booleans()):
        assert region.size == len(want)  # what is known already is used again
    away = region.distance(want)
    outer = data.draw(st.integers(0, region.freedom))
    inner = data.draw(st.integers(0, outer))
    shell = region.shell(inner, outer)
    cube = every_input(region.n)
    full = cube[Constrained(Ball(region.center, region.free, 0, region.freedom), region.constraints).contains(cube)]
    distances = region.distance(full)
    assert words(listed(shell)) == words(full[(distances >= inner) & (distances <= outer)])
    assert shell.size == len(listed(shell))
    free = data.draw(st.lists(st.integers(0, region.n - 1), unique=True))
    if region.inner == 0:
        others = np.setdiff1d(np.arange(region.n), free)
        same = (want[:, others] == region.center[others]).all(axis=1)
        assert words(listed(region.within(np.array(free, dtype=int)))) == words(want[same])
    flips = [i for i in free if region.free[i]][: region.outer]
    part = region.flipped(flips)
    assert words(listed(part)) == words(want[(want[:, flips] != region.center[flips]).all(axis=1)])
    assert len(away) == region.size


@settings(deadline=None)
@given(constrained(), st.integers(0, 2**32 - 1))
def test_samples_lie_in_the_region_and_repeat_with_their_seed(drawn: tuple[Constrained, np.ndarray], seed: int) -> None:
    region, want = drawn
    if not len(want):
        with pytest.raises(BadQuery, match="got an empty one"):
            region.sample(1, seed=seed)
        assert region.sample(0, seed=seed).shape == (0, region.n)
        return
    points = region.sample(20, seed=seed)
    assert region.contains(points).all()
    assert np.array_equal(points, region.sample(20, seed=seed))


def test_samples_are_drawn_uniformly() -> None:
    region = Constrained(HammingBall([1, 0, 0, 0, 1, 0, 0], 3), [*one_hot(range(4)), weighted({4: 1, 5: 2, 6: -1}, 0)])
    points = region.sample(200 * region.size, seed=3)
    found, times = np.unique(points, axis=0, return_counts=True)
    assert len(found) == region.size > 15
    assert times.min() > 130  # expected 200 each, standard deviation 14
    assert times.max() < 270


def spread(groups: int, size: int) -> np.ndarray:
    """Return a centre in which the first bit of every group is 1."""
    return (np.arange(groups * size) % size == 0).astype(np.uint8)


def test_groups_of_80_bits() -> None:
    rows = [row for first in range(0, 80, 8) for row in one_hot(range(first, first + 8))]
    cube = Constrained(Everything(80), rows)
    assert cube.size == 8**10
    assert sum(map(len, cube.solutions().steps)) < 160
    assert cube.sizes() == tuple(8**10 if d == 10 else 0 for d in range(81))
    ball = Constrained(HammingBall(spread(10, 8), 7), rows)
    assert ball.sizes() == tuple(0 if d % 2 else comb(10, d // 2) * 7 ** (d // 2) for d in range(8))
    assert Constrained(Everything(90), rows).size == 8**10 * 2**10
    points = Constrained(Everything(90), rows).sample(5, seed=1)
    assert (points[:, :80].reshape(5, 10, 8).sum(axis=2) == 1).all()
    assert sum(part.size for part in ball.parts(2000)) == ball.size


def test_cardinalities_of_80_bits() -> None:
    few = Constrained(Everything(80), at_most(20, range(60)))
    assert few.size == sum(comb(60, k) for k in range(21)) * 2**20
    both = Constrained(Shell(np.zeros(80), 30), [*exactly(10, range(40)), *at_least(19, range(40, 80))])
    assert both.size == comb(40, 10) * comb(40, 20)
    assert Constrained(Everything(80), exactly(40, range(80))).size == comb(80, 40)
    overlapping = Constrained(Everything(80), [*exactly(20, range(50)), *exactly(20, range(30, 80))])
    assert overlapping.size == sum(comb(20, k) * comb(30, 20 - k) ** 2 for k in range(21))


def test_chains_of_80_bits() -> None:
    rows = [row for first in range(0, 80, 4) for row in ordered(range(first, first + 4))]
    assert Constrained(Everything(80), rows).size == 5**20
    assert Constrained(Everything(80), ordered(range(80))).size == 81


def test_a_limit_on_costs_counts_partitions() -> None:
    center = np.arange(40) % 2
    costs = np.ones(40, dtype=int)
    assert Constrained(HammingBall(center, 40), cost_at_most(5, costs, center)).sizes()[:6] == HammingBall(center, 5).sizes()
    region = Constrained(HammingBall(center, 40), cost_at_most(40, np.arange(1, 41), center))
    distinct = np.zeros(41, dtype=object)  # partitions of 0..40 into different numbers
    distinct[0] = 1
    for part in range(1, 41):
        distinct[part:] += distinct[: 41 - part].copy()
    assert region.size == distinct.sum()


@pytest.mark.parametrize(
    "rows",
    [(NEVER,), at_least(4, [0, 1, 2]), at_most(-1, [0]), [*at_least(1, [0, 1]), *at_most(0, [0, 1, 2])], exactly(2, [3])],
)
def test_a_region_without_points(rows: Thresholds) -> None:
    region = Constrained(Everything(5), rows)
    assert region.size == 0
    assert region.sizes() == (0,) * 6
    assert list(region.points()) == []
    assert list(region.parts(10)) == []
    assert region.center not in region
    assert not region.contains(every_input(5)).any()
    assert region.propagated().size == 0
    assert region.propagated().freedom == 0
    assert region.over_flips().size == 0
    assert len(region.reach(Dense(np.eye(5, dtype=np.int64)))[0]) == 5


def test_a_centre_may_lie_outside() -> None:
    region = Constrained(HammingBall([1, 1, 0, 0], 2), one_hot(range(3)))
    assert region.center not in region
    assert words(listed(region)) == [(0, 1, 0, 0), (0, 1, 0, 1), (1, 0, 0, 0), (1, 0, 0, 1)]
    assert region.sizes() == (0, 2, 2)


def test_forced_positions_are_no_longer_free() -> None:
    region = Constrained(Subcube([0, 0, 1, 1, 0, 0], [0, 1, 2]), [*one_hot([0, 3]), *at_least(1, [1, 4])])
    left = region.propagated()
    assert left.center.tolist() == [0, 1, 1, 1, 0, 0]
    assert left.positions.tolist() == [2]
    assert left.size == region.size == 2
    propagated = Constrained(HammingBall(np.zeros(6), 2), exactly(2, [0, 1])).propagated()
    assert propagated.positions.tolist() == []  # two flips are used up
    assert propagated.center.tolist() == [1, 1, 0, 0, 0, 0]


def test_groups_move_by_exchange() -> None:
    center = spread(5, 4)
    rows = [row for first in range(0, 20, 4) for row in one_hot(range(first, first + 4))]
    weights = np.tile([0, 3, 3, 3], 5)[None]
    for outer, high in ((1, 1), (2, 3), (3, 4), (4, 6), (20, 15)):  # with an odd flip to spare, half an exchange
        assert Constrained(HammingBall(center, outer), rows).reach(Dense(weights))[1] == [high]
    assert Constrained(Everything(20), rows).reach(Dense(np.ones((1, 20), dtype=np.int64))) == ([5], [5])


def test_groups_of_every_kind_move_as_far_as_they_can() -> None:
    """At most one or exactly one of four; none, one or two of them are 1 at the centre; all small balls and some weights."""
    random = np.random.default_rng(1)
    for start in ([0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0]):
        for rows in (at_most(1, range(4)), one_hot(range(4))):
            for outer in range(6):
                region = Constrained(HammingBall([*start, 0, 1], outer), rows)
                weights = random.integers(-4, 5, (50, 6))
                points = listed(region)
                low, high = region.reach(Dense(weights))
                if len(points):
                    sums = points @ weights.T
                    assert np.all(low <= sums.min(0))
                    assert np.all(high >= sums.max(0))
                    if outer == 5:
                        assert np.array_equal(high, sums.max(0))


def test_a_region_names_itself() -> None:
    region = Constrained(HammingBall([1, 0, 0, 1], 2), one_hot([0, 1, 2]))
    assert region.kind == "ball under constraints"
    assert region.to_json() == {
        **{"kind": "ball under constraints", "size": 4, "bits": 4, "free": 4, "inner": 0, "outer": 2, "constraints": 2}
    }
    again = Constrained(Constrained(HammingBall([1, 0, 0, 1], 2), at_most(1, [2, 0, 1])), at_least(1, [1, 2, 0]))
    assert again.sha256 == region.sha256
    assert len({region.sha256, region.ball.sha256, region.shell(1).sha256, Constrained(region, at_most(0, [3])).sha256}) == 4


def test_it_travels_to_other_processes() -> None:
    region = Constrained(HammingBall(spread(3, 3), 4), one_hot([0, 1, 2]))
    for known in (False, True):
        assert pickle.loads(pickle.dumps(region)).size == region.size, known


def test_too_many_states_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solutions, "MOST_STATES", 100)
    region = Constrained(Everything(40), [weighted({i: 2**i for i in range(40)}, 2**38 + 12345)])
    assert region.size == 2**40 - 2**38 - 12345, "two states in each level"
    region = Constrained(Everything(40), [weighted({i: 3**i % 1009 for i in range(40)}, 9000)])
    with pytest.raises(OutOfBudget, match="1 constraints over 40 bits have more than 100 states"):
        _ = region.size
    monkeypatch.undo()
    assert 0 < region.size < 2**40


def test_a_spent_budget_ends_the_count() -> None:
    region = Constrained(Everything(40), [weighted({i: 3**i % 1009 for i in range(40)}, 9000)])
    with pytest.raises(OutOfBudget, match="stopped after"):
        region.sizes(Budget(seconds=-1.0).start())
    assert sum(region.sizes()) == region.size


def test_counts_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solutions, "MOST_BYTES", 100)
    region = Constrained(Everything(30), exactly(15, range(30)))
    assert region.size == comb(30, 15)
    with pytest.raises(OutOfBudget, match="more than 100 bytes"):
        region.sample(1, seed=0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Constrained(Everything(4), one_hot([3, 4])), "positions below 4, got 4"),
        (lambda: Constrained(Everything(0), one_hot([0])), "positions below 0, got 0"),
        (lambda: one_hot([1, 1]), "each position once, got 1 more than once"),
        (lambda: at_most(1.5, [1]), "whole number"),  # type: ignore[arg-type]
        (lambda: at_most(1, [0.5]), "whole number"),  # type: ignore[list-item]
        (lambda: weighted({-1: 1}, 0), "positions from 0 on, got -1"),
        (lambda: weighted({0: 2**62}, 0), r"below 2\^62"),
        (lambda: weighted({0: 1}, 2**62), r"below 2\^62"),
        (lambda: Constrained(Everything(4), [Threshold((0,), (1, 2), 0)]), "one weight for each position"),
        (lambda: Constrained(Everything(4), ["x0 >= 1"]), "expected whole numbers"),  # type: ignore[list-item]
        (lambda: cost_at_most(3, [1, 2], [0]), "one for each of 1 bits, got 2"),
    ],
)
def test_constraints_that_make_no_sense_are_refused(make: object, words: str) -> None:
    with pytest.raises(BadQuery, match=words):
        make()  # type: ignore[operator]


def test_positions_named_twice_are_added_up() -> None:
    region = Constrained(Everything(2), [Threshold((1, 0, 1), (1, 0, 1), 2)])
    assert region.constraints == (Threshold((1,), (2,), 2),)
    assert region.size == 2


def test_no_bits() -> None:
    assert Constrained(Everything(0), ()).size == 1
    assert Constrained(Everything(0), (NEVER,)).size == 0
