"""Both layouts list every flip set of a ball or shell exactly once."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import chain, combinations

import numpy as np
import pytest

from bnnverify.encoders.enumeration.layout import LastFlips, LastPositions, Layout, Runs, best_layout


def fits(most: int, layout: Layout) -> bool:
    return layout.suffix_count <= most


def listed(layout: Layout) -> list[tuple[int, ...]]:
    suffixes = [layout.flips(suffix) for suffix in range(layout.suffix_count)]
    weights = 3 ** np.arange(layout.freedom)  # each set has a sum of its own
    assert layout.sums(weights).tolist() == [int(weights[list(flips)].sum()) for flips in suffixes]
    points, runs, distances = [], 0, []
    for part in layout.runs(3):
        assert 1 <= len(part) <= 3
        runs, before = runs + len(part), len(points)
        for prefix, start, stop in zip(part.prefixes.tolist(), part.starts.tolist(), part.stops.tolist(), strict=True):
            points += [tuple(sorted((*prefix, *suffixes[suffix]))) for suffix in range(start, stop)]
        assert part.size == len(points) - before
        if part.distance is not None:
            assert all(len(point) == part.distance for point in points[before:])
            distances.append(part.distance)
    assert runs == layout.run_count
    assert max(map(len, suffixes), default=0) <= layout.deepest
    assert distances == sorted(distances), "nearest first"
    return sorted(points)


@pytest.mark.parametrize("freedom", range(7))
def test_every_set_once(freedom: int) -> None:
    for outer in range(freedom + 1):
        for inner in range(outer + 1):
            want = sorted(chain.from_iterable(combinations(range(freedom), d) for d in range(inner, outer + 1)))
            layouts: list[Layout] = [LastFlips(freedom, inner, outer, tail) for tail in range(1, min(freedom, 4) + 1)]
            layouts += [
                LastPositions(freedom, inner, outer, width, mixed) for width in range(freedom + 1) for mixed in (False, True)
            ]
            layouts += [best_layout(freedom, inner, outer, partial(fits, most), mixed=True) for most in (0, 5, 10**6)]
            for layout in layouts:
                assert listed(layout) == want, layout


@pytest.mark.parametrize(
    "layout",
    [
        LastFlips(6, 1, 4, 1),
        LastFlips(6, 2, 4, 2),
        LastPositions(6, 1, 4, 2, False),
        LastPositions(6, 0, 6, 3, True),
        LastPositions(6, 2, 5, 0, True),
    ],
    ids=str,
)
def test_drawn_runs_are_runs_and_meet_every_point(layout: Layout) -> None:
    def named(runs: Runs) -> set[tuple[object, ...]]:
        rows = zip(runs.prefixes.tolist(), runs.starts.tolist(), runs.stops.tolist(), strict=True)
        return {(runs.distance, *prefix, start, stop) for prefix, start, stop in rows}

    every = set.union(*(named(part) for part in layout.runs(3)))
    random = np.random.default_rng(0)
    parts = [layout.drawn(5, random) for _ in range(300)]
    assert all(len(part) == 5 for part in parts)
    assert set.union(*(named(part) for part in parts)) == every


def test_drawn_points_are_about_equally_likely() -> None:
    layout, random = LastPositions(6, 1, 4, 2, mixed=False), np.random.default_rng(0)
    parts = [layout.drawn(10, random) for _ in range(4000)]
    flips = Counter(len(prefix) for part in parts for prefix in part.prefixes.tolist())
    weights = Counter(dict.fromkeys(range(5), 0))
    for part in layout.runs(1):
        weights[part.prefixes.shape[1]] += part.size
    assert all(abs(flips[size] / 40_000 - weights[size] / layout_size(layout)) < 0.03 for size in weights)


def layout_size(layout: Layout) -> int:
    return sum(part.size for part in layout.runs(100))


def test_the_shortest_layout_starts_few_runs() -> None:
    assert best_layout(100, 0, 4, partial(fits, 2**20), mixed=True).run_count < 10_000
    assert best_layout(25, 0, 25, partial(fits, 2**20), mixed=True).run_count < 10_000
