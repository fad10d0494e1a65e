"""What flips cost, and which regions a limit leaves: against plain enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from bnnverify import BadQuery, BadSample, InputCoding
from bnnverify.problem.cost import NORMS, Cost, flip_cost, pixel_cost

HUGE = 2**40


def costs(seed: int) -> Cost:
    """Return random costs of at most 8 positions, some impossible, some huge."""
    random = np.random.default_rng(seed)
    n, most = int(random.integers(1, 9)), (3, 20, HUGE)[seed % 3]
    return Cost(random.integers(1, most, n, endpoint=True), random.random(n) < 0.8, list(NORMS)[seed % 4])


def flips(n: int) -> np.ndarray:
    return np.array(list(product((0, 1), repeat=n)), dtype=np.uint8)


@pytest.mark.parametrize("seed", range(40))
def test_regions_hold_all_points_of_these_costs_once(seed: int) -> None:
    cost, random = costs(seed), np.random.default_rng(seed)
    center = random.integers(0, 2, len(cost.values)).astype(np.uint8)
    allowed = [f for f in flips(len(center)) if not np.any(f & ~cost.possible)]
    priced = [(cost.of(np.flatnonzero(f).tolist()), center ^ f) for f in allowed]
    some = sorted({priced[i][0] for i in random.integers(0, len(priced), 5)})
    for least in some:
        for most in (price for price in some if price >= least):
            regions = cost.regions(center, least, most)
            inside = [point for price, point in priced if least <= price <= most]
            assert all(sum(point in region for region in regions) == 1 for point in inside)
            below = [region for region in regions if cost.is_kept(region, most)]
            assert all(price <= most for price, point in priced for region in below if point in region)
            hull = cost.hull(center, least, most)
            assert all(point in hull for point in inside)
            if cost.largest_counts:
                assert len(regions) == len(below) == 1


def test_more_flips_have_lower_costs_each() -> None:
    cost = Cost(np.array([1, 1, 2, 3, 9]), np.ones(5, dtype=np.bool_))
    regions = cost.regions(np.zeros(5, dtype=np.uint8), 1, 4)
    found = [(region.inner, region.outer, region.positions.tolist()) for region in regions]
    assert found == [(1, 1, [0, 1, 2, 3]), (2, 2, [0, 1, 2, 3]), (3, 3, [0, 1, 2])]


def test_unit_costs_are_shells() -> None:
    regions = flip_cost(6).regions(np.zeros(6, dtype=np.uint8), 2, 3)
    assert [(region.inner, region.outer, region.size) for region in regions] == [(2, 2, 15), (3, 3, 20)]


def test_pixels_cross_their_thresholds_at_the_lowest_cost() -> None:
    coding = InputCoding(np.array([10, 10, 0, 256, 255, 1]))
    pixels = np.array([7, 12, 99, 99, 255, 0])  # off by 3, on by 3, always on, always off, on and barely so, off by 1
    one, two, most = (pixel_cost(coding, pixels, norm) for norm in ("1", "2", "inf"))
    assert one.possible.tolist() == [True, True, False, False, True, True]
    assert one.values.tolist() == [3, 3, 0, 0, 1, 1]
    assert two.values.tolist() == [9, 9, 0, 0, 1, 1]
    assert pixel_cost(coding, pixels, "0").values.tolist() == [1, 1, 0, 0, 1, 1]
    assert [c.of([0, 1, 4]) for c in (one, two, most)] == [7, 19, 3]
    assert one.changes([0, 1, 4]) == ((0, 3), (1, -3), (4, -1))
    changed = pixels.copy()
    for i, step in one.changes([0, 1, 4, 5]):
        assert coding.bits(pixels)[i] == coding.bits(pixels + step // abs(step) * (abs(step) - 1))[i]
        changed[i] += step
    assert np.flatnonzero(coding.bits(changed) != coding.bits(pixels)).tolist() == [0, 1, 4, 5]


def test_inconsistent_costs_are_refused() -> None:
    coding, yes = InputCoding(np.array([10, 10])), np.ones(2, dtype=np.bool_)
    with pytest.raises(BadQuery, match="without an input coding"):
        pixel_cost(None, np.array([1, 2]), "1")
    with pytest.raises(BadQuery, match="got bits"):
        pixel_cost(coding, None, "2")
    with pytest.raises(BadSample, match=r"pixels of 0\.\.255, got 1\.\.256"):
        pixel_cost(coding, np.array([1, 256]), "1")
    with pytest.raises(BadSample, match="expected 2 whole pixel values"):
        pixel_cost(coding, np.array([1.5, 2]), "1")
    with pytest.raises(BadQuery, match="norm must be one of 0, 1, 2, inf, got '3'"):
        Cost(np.array([1, 1]), yes, "3")
    with pytest.raises(BadQuery, match="at least 1, got 0"):
        Cost(np.array([1, 0]), yes)
    with pytest.raises(BadQuery, match=r"below 2\^62"):
        Cost(np.array([2**61, 2**61]), yes)
    with pytest.raises(BadQuery, match="expected 2 yes/no values"):
        Cost(np.array([1, 1]), yes[:1])
    assert Cost(np.array([1, 0]), np.array([True, False])).total == 1


def test_the_lowest_cost_of_k_flips() -> None:
    cost = Cost(np.array([5, 2, 9, 1, 7]), np.array([True, True, True, False, True]))
    assert [cost.cheapest(many) for many in range(6)] == [0, 2, 7, 14, 23, 23]
