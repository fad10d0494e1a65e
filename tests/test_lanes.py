"""Both layouts list every flip set of a ball or shell exactly once."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest

from bnnverify.encoders.lanes import Halves, LastFlips, Layout, shortest


def listed(layout: Layout) -> list[tuple[int, ...]]:
    lanes = layout.lanes()
    runs = list(layout.runs())
    assert (len(lanes), len(runs)) == (layout.lane_count, layout.run_count)
    return sorted(
        tuple(sorted((*run.prefix, *np.flatnonzero(lanes[lane]).tolist()))) for run in runs for lane in range(run.start, run.stop)
    )


@pytest.mark.parametrize("freedom", range(7))
def test_every_set_once(freedom: int) -> None:
    for outer in range(freedom + 1):
        for inner in range(outer + 1):
            want = sorted(chain.from_iterable(combinations(range(freedom), d) for d in range(inner, outer + 1)))
            layouts: list[Layout] = [LastFlips(freedom, inner, outer, tail) for tail in range(1, min(freedom, 4) + 1)]
            layouts += [Halves(freedom, inner, outer, width) for width in range(freedom + 1)]
            layouts += [shortest(freedom, inner, outer, most_lanes=most) for most in (0, 5, 10**6)]
            for layout in layouts:
                assert listed(layout) == want, layout


def test_the_shortest_layout_starts_few_runs() -> None:
    assert shortest(100, 0, 4, most_lanes=2**20).run_count < 10_000
    assert shortest(25, 0, 25, most_lanes=2**20).run_count < 10_000
