"""Local search under constraints: a step changes one bit or two that a constraint names together, and stays in the region.

A group of which exactly one bit is 1 never changes by one flip: it exchanges its bit for another.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bnnverify.encoders.presolve.constraint_rows import constraint_rows
from bnnverify.model.arrays import Bits, Integers
from bnnverify.problem.budget import OutOfBudget
from bnnverify.problem.region import Region

FEW = 2**16  # points of a ball, of which the nearest in a region is looked for whatever the constraints are


class Exchanges:
    """Steps between points of a region; points are flips (freedom,) of its free positions."""

    def __init__(self, region: Region) -> None:
        self._flips = region.over_flips()
        rules = constraint_rows(self._flips)
        self._rows, self._bounds = rules.matrix.dense(), rules.bounds

    def nearest(self) -> Bits | None:
        """Return the point with the fewest flips; None where there is none, or where finding it takes long."""
        center, region = np.zeros(self._flips.n, dtype=np.uint8), self._flips
        if center in region:
            return center
        if region.known_size is None and region.ball.size > FEW:
            return None
        try:
            return next((points[0] for points in region.points(1)), None)
        except OutOfBudget:
            return None

    def further(self, flips: Bits) -> Bits:
        """Return all points that one step with one or two flips more leads to: (steps, freedom)."""
        return self._stepped(flips, np.flatnonzero(flips == 0), 1)

    def nearer(self, flips: Bits) -> Bits:
        """Return all points that one step takes back one or two flips for: (steps, freedom)."""
        return self._stepped(flips, np.flatnonzero(flips), -1)

    def _stepped(self, flips: Bits, open_: NDArray[np.intp], sign: int) -> Bits:
        spare = self._rows @ flips.astype(np.int64) - self._bounds  # by how much each constraint holds
        moves = sign * self._rows[:, open_]
        alone = np.asarray((spare[:, None] + moves >= 0).all(axis=0))
        steps: list[tuple[int, ...]] = [(i,) for i in np.flatnonzero(alone).tolist()]
        for i in np.flatnonzero(~alone).tolist():
            steps += ((i, j) for j in self._partners(spare + moves[:, i], moves) if j > i or (j < i and alone[j]))
        points = np.tile(flips, (len(steps), 1))
        for point, step in zip(points, steps, strict=True):
            point[open_[list(step)]] ^= 1
        return np.asarray(points[points.sum(axis=1) <= self._flips.outer])

    def _partners(self, spare: Integers, moves: Integers) -> Iterator[int]:
        """Yield the moves that mend what another one broke."""
        broken = spare < 0
        mending = np.flatnonzero((moves[broken] > 0).all(axis=0))
        yield from mending[(spare[:, None] + moves[:, mending] >= 0).all(axis=0)].tolist()
