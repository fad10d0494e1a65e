"""Steps of local search under constraints: all of one flip, and of two where one alone would break a constraint."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnverify import Constrained
from bnnverify.model.arrays import Bits
from bnnverify.queries.attacks.exchanges import Exchanges
from tests.support.drawn import constrained_regions


def steps(region: Constrained, flips: Bits, value: int) -> set[tuple[int, ...]]:
    """Return by trying all of them which points one step leads to, that changes flips of this value."""
    flipped = region.over_flips()
    open_ = np.flatnonzero(flips == value).tolist()

    def after(*changed: int) -> Bits:
        point = flips.copy()
        point[list(changed)] ^= 1
        return point

    def obeys(point: Bits) -> bool:
        return all(row.holds(point) for row in flipped.constraints)

    found = [after(i) for i in open_ if obeys(after(i))]
    found += [after(i, j) for i, j in combinations(open_, 2) if obeys(after(i, j)) and not (obeys(after(i)) and obeys(after(j)))]
    return {tuple(point.tolist()) for point in found if point.sum() <= region.outer}


@settings(max_examples=150, deadline=None)
@given(region=st.integers(1, 9).flatmap(constrained_regions), seed=st.integers(0, 2**32 - 1))
def test_steps_are_all_that_obey(region: Constrained, seed: int) -> None:
    flips = [point for points in region.over_flips().points() for point in points]
    exchanges = Exchanges(region)
    nearest = exchanges.nearest()
    assert (nearest is None) is (not flips and region.center not in region)
    if not flips:
        return
    assert nearest is not None
    assert nearest.sum() <= min(point.sum() for point in flips)
    point = flips[seed % len(flips)]
    assert {tuple(step) for step in exchanges.further(point).tolist()} == steps(region, point, 0)
    assert {tuple(step) for step in exchanges.nearer(point).tolist()} == steps(region, point, 1)
