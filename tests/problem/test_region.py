"""Regions: exact sizes at any width, membership, reach, thresholds, samples."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest

from bnnverify import BadQuery, BadSample, Ball, Everything, HammingBall, Region, Shell, Subcube
from bnnverify.model.matrix import Dense

CENTER = np.array([1, 0, 1, 1, 0, 0])
CUBE = np.array(list(product([0, 1], repeat=6)), dtype=np.uint8)
REGIONS = [
    HammingBall(CENTER, 0),
    HammingBall(CENTER, 2),
    HammingBall(CENTER, 6),
    HammingBall(CENTER, 1, free=[5, 1]),
    Shell(CENTER, 2),
    Shell(CENTER, 2, 4, free=[0, 2, 3, 4]),
    Subcube(CENTER, [2, 4]),
    Subcube(CENTER, []),
    Everything(6),
    HammingBall(CENTER, 3).within([0, 1]),
]


def defined(region: Region) -> np.ndarray:
    """Return the points of the cube that the definition puts into the region."""
    apart = region.center != CUBE
    inside = (apart.sum(1) >= region.inner) & (apart.sum(1) <= region.outer) & ~(apart & ~region.free).any(1)
    return CUBE[inside]


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: f"{region.kind} {region.inner}-{region.outer}")
def test_size_points_membership_and_thresholds_agree_with_the_definition(region: Region) -> None:
    want = defined(region)
    assert region.size == len(want)
    points = np.concatenate(list(region.points(batch=5)))
    assert sorted(map(tuple, points.tolist())) == sorted(map(tuple, want.tolist()))
    assert np.all(np.diff(region.distance(points)) >= 0), "nearest first"
    assert np.array_equal(CUBE[region.contains(CUBE)], want)
    holds = np.ones(len(CUBE), dtype=bool)
    for threshold in region.thresholds():
        holds &= CUBE[:, threshold.positions] @ np.array(threshold.weights, dtype=int) >= threshold.bound
    assert np.array_equal(CUBE[holds], want)


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: f"{region.kind} {region.inner}-{region.outer}")
def test_reach_is_that_of_all_points(region: Region) -> None:
    weights = np.random.default_rng(1).integers(-5, 6, (20, 6))
    sums = defined(region) @ weights.T
    low, high = region.reach(Dense(weights))
    assert np.array_equal(low, sums.min(0))
    assert np.array_equal(high, sums.max(0))


def test_sizes_are_integers_at_any_width() -> None:
    ball = HammingBall(np.zeros(784), 50)
    assert ball.size == sum(comb(784, d) for d in range(51)) > 10**79
    assert Everything(784).size == 2**784
    assert ball.sample(3, seed=1).shape == (3, 784)
    assert (ball.distance(ball.sample(20, seed=1)) >= 45).all(), "nearly all points are far out"


def test_samples_are_drawn_uniformly_and_repeat_with_their_seed() -> None:
    shell = HammingBall(CENTER, 2)
    points = shell.sample(4400, seed=3)
    assert np.array_equal(points, shell.sample(4400, seed=3))
    assert shell.contains(points).all()
    _, times = np.unique(points, axis=0, return_counts=True)
    assert len(times) == shell.size == 22
    assert times.min() > 120  # expected 200 each, standard deviation 14
    assert times.max() < 280


@pytest.mark.parametrize(("radius", "found"), [(-1, "-1"), (7, "7")])
def test_radius_out_of_range(radius: int, found: str) -> None:
    with pytest.raises(BadQuery, match=f"radius must be between 0 and 6, got {found}"):
        HammingBall(CENTER, radius)


def test_bad_regions_are_refused_with_a_sentence() -> None:
    with pytest.raises(BadQuery, match="free positions must be between 0 and 5, got 6"):
        Subcube(CENTER, [0, 6])
    with pytest.raises(BadQuery, match="free positions must be between 0 and 5, got -1"):
        Subcube(CENTER, [-1, 2])
    with pytest.raises(BadQuery, match="between 0 and the number of free positions, 2, got 3"):
        HammingBall(CENTER, 3, free=[0, 1])
    with pytest.raises(BadQuery, match=r"radius must be between 0 and 6, got 3\.\.2"):
        Shell(CENTER, 3, 2)
    with pytest.raises(BadSample, match="bits 0 and 1"):
        HammingBall([0, 2, 1], 1)
    with pytest.raises(BadSample, match="expected 6 bits"):
        HammingBall(CENTER, 1).contains(np.zeros((2, 5)))


@pytest.mark.parametrize("radius", [2.0, 1.5, "2", None])
def test_a_radius_is_an_integer(radius: object) -> None:
    with pytest.raises(BadQuery, match="radius must be a whole number"):
        HammingBall(CENTER, radius)  # type: ignore[arg-type]


def test_integers_of_numpy_become_those_of_python() -> None:
    assert type(HammingBall(CENTER, np.int64(2)).outer) is int
    assert type(Shell(CENTER, np.uint8(1)).inner) is int


def test_a_point_that_is_not_bits_is_in_no_region() -> None:
    assert np.full(6, 2) not in Everything(6)


def test_regions_do_not_change_with_their_arguments() -> None:
    center, free = CENTER.copy(), np.ones(6, dtype=bool)
    region = HammingBall(center, 1, free=free)
    center[0], free[0] = 0, False
    assert region.center[0] == 1
    assert region.freedom == 6
    with pytest.raises(ValueError, match="read-only"):
        region.center[0] = 0


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: f"{region.kind} {region.inner}-{region.outer}")
def test_sizes_and_flips(region: Region) -> None:
    away = region.distance(defined(region))
    assert region.sizes() == tuple(np.bincount(away, minlength=region.outer + 1).tolist())
    flips = region.over_flips()
    points = np.tile(region.center, (flips.size, 1))
    points[:, region.positions] ^= np.concatenate(list(flips.points()))
    assert sorted(map(tuple, points.tolist())) == sorted(map(tuple, defined(region).tolist()))
    assert region.constraints == ()
    assert np.array_equal(CUBE[region.propagated().contains(CUBE)], defined(region))


def test_a_ball_is_propagated_already() -> None:
    assert all(region.propagated() is region for region in REGIONS if isinstance(region, Ball))


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: f"{region.kind} {region.inner}-{region.outer}")
@pytest.mark.parametrize("positions", [[], [2], [4, 2], [0, 2, 3]])
def test_the_part_in_which_positions_are_flipped(region: Region, positions: list[int]) -> None:
    if len(positions) > region.outer or not region.free[positions].all():
        with pytest.raises(BadQuery, match="flipped: expected at most"):
            region.flipped(positions)
        return
    part = region.flipped(positions)
    inside = defined(region)
    inside = inside[(inside[:, positions] != region.center[positions]).all(axis=1)]
    assert np.array_equal(CUBE[part.contains(CUBE)], inside)
    assert region.distance(part.center) == len(positions)
    assert np.array_equal(region.distance(inside), part.distance(inside) + len(positions))


def test_fingerprints_of_regions_differ() -> None:
    different = [*REGIONS, HammingBall(1 - CENTER, 2), HammingBall(CENTER, 2, free=[1, 2])]
    assert len({region.sha256 for region in different}) == len(different)
    assert HammingBall(CENTER, 2).sha256 == HammingBall(CENTER.tolist(), 2).sha256


def kinds(region: Region) -> str:
    return region.kind


def test_a_ball_is_a_region() -> None:
    assert kinds(HammingBall(CENTER, 2)) == "ball"  # for the type checker
