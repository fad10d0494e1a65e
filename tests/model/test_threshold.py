"""The brick: evaluation, negation, reach and normal form, against every point."""

from __future__ import annotations

from math import gcd

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnverify.model.arrays import Bits
from bnnverify.model.threshold import Threshold, normal_rows, normal_weights, positive
from tests.support.enumerated import every_input

SIZES = (1, 2, 3, 12, 10**30)


@st.composite
def thresholds(draw: st.DrawFn) -> tuple[Threshold, Bits]:
    """Return a threshold over up to five of six bits, and all settings of the six."""
    largest = draw(st.sampled_from(SIZES))
    positions = draw(st.lists(st.integers(0, 5), unique=True, max_size=5).map(sorted))
    sizes = st.integers(-largest, largest).filter(bool)
    weights = draw(st.lists(sizes, min_size=len(positions), max_size=len(positions)))
    bound = draw(st.integers(-sum(map(abs, weights)) - 2, sum(map(abs, weights)) + 2))
    return Threshold(tuple(positions), tuple(weights), bound), every_input(6)


def sums(threshold: Threshold, points: Bits) -> list[int]:
    """Return the sum at each point, in Python integers."""
    terms = list(zip(threshold.positions, threshold.weights, strict=True))
    return [sum(weight * point[i] for i, weight in terms) for point in points.tolist()]


@settings(max_examples=200, deadline=None)
@given(drawn=thresholds())
def test_it_holds_where_the_sum_reaches_the_bound(drawn: tuple[Threshold, Bits]) -> None:
    threshold, points = drawn
    expected = [total >= threshold.bound for total in sums(threshold, points)]
    assert threshold.holds(points).tolist() == expected
    assert bool(threshold.holds(points[5])) == expected[5]
    assert threshold.negation().holds(points).tolist() == [not holds for holds in expected]
    assert threshold.negation().negation() == threshold


@settings(max_examples=200, deadline=None)
@given(drawn=thresholds(), fixed=st.dictionaries(st.integers(0, 5), st.integers(0, 1)))
def test_reach_and_constants(drawn: tuple[Threshold, Bits], fixed: dict[int, int]) -> None:
    threshold, points = drawn
    for values in ({}, fixed):
        inside = points[[all(point[i] == value for i, value in values.items()) for point in points.tolist()]]
        found = sums(threshold, inside)
        assert threshold.reach(values) == (min(found), max(found))
        holds = set(threshold.holds(inside).tolist())
        assert threshold.constant(values) == (None if len(holds) > 1 else holds.pop())
    assert threshold.reach() == threshold.reach({})


@settings(max_examples=300, deadline=None)
@given(drawn=thresholds())
def test_the_normal_form_holds_at_the_same_points_and_is_small(drawn: tuple[Threshold, Bits]) -> None:
    threshold, points = drawn
    normal = threshold.normal()
    assert np.array_equal(normal.holds(points), threshold.holds(points))
    assert normal.positions == threshold.positions
    assert normal.normal() == normal
    if threshold.constant() is not None:
        assert normal == threshold
        return
    low, high = normal.reach()
    assert max(map(abs, normal.weights)) <= min(normal.bound - low, high - normal.bound + 1)
    assert gcd(*normal.weights) == 1


@settings(max_examples=100, deadline=None)
@given(drawn=st.lists(thresholds(), min_size=1, max_size=5))
def test_many_rows_have_the_normal_forms_that_each_has_alone(drawn: list[tuple[Threshold, Bits]]) -> None:
    rows = [threshold for threshold, _ in drawn if threshold.constant() is None]
    if rows:
        weights = np.array([weight for row in rows for weight in row.weights], dtype=object)
        first = np.cumsum([0, *(len(row.weights) for row in rows[:-1])])
        found, bounds = normal_rows(first, weights, np.array([row.bound for row in rows], dtype=object))
        parts = [tuple(part.tolist()) for part in np.split(found, first[1:])]
        assert list(zip(parts, bounds.tolist(), strict=True)) == [normal_weights(row.weights, row.bound) for row in rows]


def test_normal_forms_known_by_hand() -> None:
    assert normal_weights([2, -2], 1) == ((1, -1), 1)
    assert normal_weights([4, 6, 9], 4) == ((1, 1, 1), 1)  # each of them decides alone
    assert normal_weights([5, 1, 1], 2) == ((2, 1, 1), 2)
    assert normal_weights([1, 1, -9], 1) == ((1, 1, -2), 1)  # the last decides alone that it does not hold
    assert normal_weights([2, -2], 3) == ((2, -2), 3)  # a constant
    assert normal_weights([], 0) == ((), 0)
    assert normal_weights([-3], -2) == ((-1,), 0)


@settings(max_examples=100, deadline=None)
@given(drawn=thresholds())
def test_positive_weights_over_literals(drawn: tuple[Threshold, Bits]) -> None:
    threshold, points = drawn
    literals = [i + 1 for i in threshold.positions]
    weights, found, bound = positive((*threshold.weights, 0), (*literals, 9), threshold.bound, int.__neg__)
    assert all(weight > 0 for weight in weights)
    for point, holds in zip(points.tolist(), threshold.holds(points).tolist(), strict=True):
        values = [point[literal - 1] if literal > 0 else 1 - point[-literal - 1] for literal in found]
        assert (sum(w * v for w, v in zip(weights, values, strict=True)) >= bound) == holds
