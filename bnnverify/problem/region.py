"""Sets of inputs: what every kind of region says of itself.

A region lies within a ball around a centre: its points equal the centre outside the free positions and differ from it in
inner..outer of them. What else must hold of a point are its constraints: a plain ball has none. An encoder that knows both
knows the region.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.matrix import Matrix
from bnnverify.model.threshold import Threshold
from bnnverify.problem.budget import Budget


class Region(Protocol):
    """A set of inputs of n bits around a centre, which need not be one of them. Regions are frozen."""

    # the ball that it lies in

    @property
    def ball(self) -> Region:
        """Return that ball, without constraints; of a ball, itself."""

    @property
    def center(self) -> Bits:
        """Return the bits (n,) that distances are counted from."""

    @property
    def free(self) -> NDArray[np.bool_]:
        """Return which of the n positions may differ from the centre."""

    @property
    def inner(self) -> int:
        """Return a distance that no point lies below."""

    @property
    def outer(self) -> int:
        """Return a distance that no point lies beyond."""

    @property
    def constraints(self) -> tuple[Threshold, ...]:
        """Return what holds of its points, over the n input bits, beside the ball."""

    @property
    def n(self) -> int:
        """Return the number of bits."""

    @property
    def positions(self) -> NDArray[np.intp]:
        """Return the free positions, ascending."""

    @property
    def freedom(self) -> int:
        """Return how many positions are free."""

    # its points

    @property
    def size(self) -> int:
        """Return the exact number of points. OutOfBudget where constraints have too many states."""

    def sizes(self, budget: Budget = ...) -> tuple[int, ...]:
        """Return the exact number of points at each distance 0..outer from the centre. Raises OutOfBudget."""

    @property
    def known_size(self) -> int | None:
        """Return the size where it is known or quickly counted, else None."""

    @property
    def size_bound(self) -> int:
        """Return the size where it is known or quickly counted, else that of the ball: nobody has to wait for it."""

    def contains(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Return which of the points (..., n) are in the region."""

    def __contains__(self, point: ArrayLike) -> bool:
        """Return whether the point (n,) is in the region."""

    def distance(self, points: ArrayLike) -> Any:
        """Return the number of bits in which points (..., n) differ from the centre."""

    def points(self, batch: int = ...) -> Iterator[Bits]:
        """Yield all points in batches (<= batch, n), nearest first."""

    def sample(self, count: int, *, seed: int) -> Bits:
        """Return points drawn uniformly at random, with replacement: (count, n); BadQuery where there is none."""

    # as thresholds and bounds

    def thresholds(self) -> list[Threshold]:
        """Return bricks over the n input bits that hold exactly on the region."""

    def reach(self, weights: Matrix) -> tuple[Integers, Integers]:
        """Return bounds of each weights[j] @ x over the region, from below and above: (m, n) to (m,), (m,)."""

    # its parts, and other ways to see it

    def shell(self, inner: int, outer: int | None = None) -> Region:
        """Return the part at distance inner..outer (default: exactly inner) from the centre."""

    def within(self, free: ArrayLike) -> Region:
        """Return the part that differs from the centre only in these positions (0-based)."""

    def flipped(self, positions: Sequence[int]) -> Region:
        """Return the part in which these free positions differ from the centre, around the centre with them flipped.

        BadQuery where more positions are named than may differ, or one that is not free.
        """

    def parts(self, most: int) -> Iterator[Region]:
        """Yield disjoint regions that make up this one, none with more than most points unless it has a single one."""

    def over_flips(self) -> Region:
        """Return the region as a set of flips: one bit for each free position, 1 where a point differs from the centre."""

    def propagated(self) -> Region:
        """Return the same set of points, positions that are the same in all of them being no longer free.

        Where they differ from the centre, so does the new centre: distances are then counted from there.
        """

    # in results and files

    @property
    def kind(self) -> str:
        """Return the usual name: point, everything, subcube, ball, shell, or those two within free positions."""

    @property
    def sha256(self) -> str:
        """Return a fingerprint of everything that decides which points are in the region, and of its centre."""

    def to_json(self) -> dict[str, Any]:
        """Return what results say about their region."""
