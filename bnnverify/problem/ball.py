"""Balls: all points that agree with a centre outside the free positions and differ from it in so many of them.

Points, shells, subcubes and the whole space are of this one form: the size of each is a sum of binomials, exact at any width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations, islice
from math import comb
from random import Random
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.errors import BadQuery, BadSample
from bnnverify.model.arrays import Bits, Integers, as_integer
from bnnverify.model.matrix import Matrix
from bnnverify.model.threshold import Threshold
from bnnverify.problem.budget import NO_LIMIT, Budget
from bnnverify.problem.positions import mask_of


@dataclass(frozen=True, eq=False)
class Ball:
    """Points equal to center outside free, at Hamming distance inner..outer from it.

    center: (n,) bits. free: (n,) which positions may differ. 0 <= inner <= outer <= number of free positions.
    Made by HammingBall, Shell, Subcube or Everything rather than by hand.
    """

    center: Bits
    free: NDArray[np.bool_]
    inner: int
    outer: int

    def __post_init__(self) -> None:
        center = np.asarray(self.center)
        if center.ndim != 1 or not np.all((center == 0) | (center == 1)):
            raise BadSample("region: expected a centre of bits 0 and 1 in one dimension")
        free = np.asarray(self.free)
        if free.shape != center.shape or free.dtype != np.bool_:
            raise BadQuery(
                f"region: expected {len(center)} yes/no values for the free positions, got {free.shape} of {free.dtype}"
            )
        for name in ("inner", "outer"):
            object.__setattr__(self, name, as_integer(getattr(self, name), "radius"))
        if not 0 <= self.inner <= self.outer <= int(free.sum()):
            given = f"{self.inner}..{self.outer}" if self.inner else self.outer
            most = f"{len(center)}" if free.all() else f"the number of free positions, {int(free.sum())}"
            raise BadQuery(f"radius must be between 0 and {most}, got {given}")
        for name, array in (("center", center.astype(np.uint8)), ("free", free.copy())):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def n(self) -> int:
        return len(self.center)

    @cached_property
    def positions(self) -> NDArray[np.intp]:
        """Return the free positions, ascending."""
        return np.flatnonzero(self.free)

    @property
    def freedom(self) -> int:
        """Return how many positions are free."""
        return len(self.positions)

    @property
    def kind(self) -> str:
        """Return the usual name: point, everything, subcube, ball, shell, or those two within free positions."""
        if self.outer == 0:
            return "point"
        whole = self.freedom == self.n
        if (self.inner, self.outer) == (0, self.freedom):
            return "everything" if whole else "subcube"
        return ("ball" if self.inner == 0 else "shell") + ("" if whole else " within free positions")

    @property
    def constraints(self) -> tuple[Threshold, ...]:
        """Return none: a ball is nothing but a ball."""
        return ()

    @property
    def ball(self) -> Ball:
        return self

    @property
    def size(self) -> int:
        """Return the exact number of points."""
        return sum(self.sizes())

    @property
    def known_size(self) -> int:
        return self.size

    @property
    def size_bound(self) -> int:
        return self.size

    def sizes(self, budget: Budget = NO_LIMIT) -> tuple[int, ...]:  # noqa: ARG002 - binomials take no time
        """Return the exact number of points at each distance 0..outer from the centre."""
        return tuple(comb(self.freedom, d) if d >= self.inner else 0 for d in range(self.outer + 1))

    @cached_property
    def sha256(self) -> str:
        """Return a fingerprint of everything that decides which points are in the ball, and of its centre."""
        words = f"{self.n} bits, {self.inner}..{self.outer} flips".encode()
        return hashlib.sha256(words + self.center.tobytes() + self.free.tobytes()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return what results say about their region."""
        sizes = {"bits": self.n, "free": self.freedom, "inner": self.inner, "outer": self.outer}
        return {"kind": self.kind, "size": self.size, **sizes}

    def distance(self, points: ArrayLike) -> Any:
        """Return the number of bits in which points (..., n) differ from the centre."""
        return (np.asarray(points) != self.center).sum(axis=-1)

    def contains(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Return which of the points (..., n) are in the region."""
        points = np.asarray(points)
        if points.shape[-1:] != (self.n,):
            raise BadSample(f"expected {self.n} bits, got shape {points.shape}")
        apart = points != self.center
        distance = apart.sum(axis=-1)
        inside = ~(apart & ~self.free).any(axis=-1) & (distance >= self.inner) & (distance <= self.outer)
        return np.asarray(inside & ((points == 0) | (points == 1)).all(axis=-1))

    def __contains__(self, point: ArrayLike) -> bool:
        return bool(self.contains(point))

    def shell(self, inner: int, outer: int | None = None) -> Ball:
        """Return the part at distance inner..outer (default: exactly inner) from the centre."""
        return Ball(self.center, self.free, inner, inner if outer is None else outer)

    def within(self, free: ArrayLike) -> Ball:
        """Return the part that differs from the centre only in these positions (0-based)."""
        mask = self.free & mask_of(free, self.n)
        return Ball(self.center, mask, self.inner, min(self.outer, int(mask.sum())))

    def flipped(self, positions: Sequence[int]) -> Ball:
        """Return the part in which these free positions differ from the centre, around the centre with them flipped."""
        mask = mask_of(positions, self.n)
        flips = int(mask.sum())
        if flips > self.outer or np.any(mask & ~self.free):
            raise BadQuery(f"flipped: expected at most {self.outer} of the free positions, got {list(positions)[:20]}")
        return Ball(self.center ^ mask, self.free & ~mask, max(self.inner - flips, 0), self.outer - flips)

    def over_flips(self) -> Ball:
        """Return the ball as a set of flips: one bit for each free position, 1 where a point differs from the centre."""
        return Ball(np.zeros(self.freedom, dtype=np.uint8), np.ones(self.freedom, dtype=np.bool_), self.inner, self.outer)

    def propagated(self) -> Ball:
        """Return the ball itself: a free position that is the same in all points is too rare to be looked for."""
        return self

    def parts(self, most: int) -> Iterator[Ball]:
        """Yield disjoint regions that make up this one, cut at the first free positions until none has more than most points."""
        todo = [self]
        while todo:
            part = todo.pop()
            if part.size <= most or part.outer == 0:
                yield part
                continue
            first, left = int(part.positions[0]), part.freedom - 1
            free, flipped = part.free.copy(), part.center.copy()
            free[first] = False
            flipped[first] ^= 1
            todo.append(Ball(flipped, free, max(part.inner - 1, 0), part.outer - 1))
            if part.inner <= left:
                todo.append(Ball(part.center, free, part.inner, min(part.outer, left)))

    def thresholds(self) -> list[Threshold]:
        """Return bricks over the n input bits that hold exactly on the region."""
        signs = np.where(self.center == 1, -1, 1)
        ones = int(self.center[self.free].sum())
        fixed = [
            Threshold((i,), (1,), 1) if self.center[i] else Threshold((i,), (-1,), 0) for i in np.flatnonzero(~self.free).tolist()
        ]
        spots = tuple(self.positions.tolist())
        weights = tuple(signs[self.free].tolist())
        # distance = weights @ x + ones
        lowest = [Threshold(spots, weights, self.inner - ones)] if self.inner > 0 else []
        highest = [Threshold(spots, tuple(-w for w in weights), ones - self.outer)] if self.outer < self.freedom else []
        return fixed + lowest + highest

    def reach(self, weights: Matrix) -> tuple[Integers, Integers]:
        """Return the smallest and largest value of each weights[j] @ x over the region: (m, n) to (m,), (m,)."""
        flips = weights[:, self.free] * (1 - 2 * self.center[self.free].astype(np.int64))
        rise = np.sort(flips.packed(self.outer), axis=1)
        start = weights @ self.center.astype(np.int64)
        return start + self._extreme(rise).min(axis=1), start + self._extreme(rise[:, ::-1]).max(axis=1)

    def _extreme(self, ordered: Integers) -> Integers:
        """Return sums of the first d columns for every allowed d: (m, f) to (m, outer - inner + 1)."""
        sums = np.zeros((len(ordered), self.outer + 1), dtype=np.int64)
        np.cumsum(ordered[:, : self.outer], axis=1, out=sums[:, 1:])
        return sums[:, self.inner :]

    def points(self, batch: int = 65536) -> Iterator[Bits]:
        """Yield all points in batches (<= batch, n), nearest first: plain enumeration, the yardstick of the engines."""
        flips = chain.from_iterable(combinations(self.positions.tolist(), d) for d in range(self.inner, self.outer + 1))
        while chosen := list(islice(flips, batch)):
            points = np.tile(self.center, (len(chosen), 1))
            rows = np.repeat(np.arange(len(chosen)), [len(c) for c in chosen])
            points[rows, np.fromiter(chain.from_iterable(chosen), dtype=np.intp, count=len(rows))] ^= 1
            yield points

    def sample(self, count: int, *, seed: int) -> Bits:
        """Return points drawn uniformly at random, with replacement: (count, n)."""
        random = Random(seed)
        radii = range(self.inner, self.outer + 1)
        points = np.tile(self.center, (count, 1))
        pool = self.positions.tolist()
        cumulative = [comb(self.freedom, d) for d in radii]
        for i in range(1, len(cumulative)):
            cumulative[i] += cumulative[i - 1]
        for point in points:
            ticket = random.randrange(cumulative[-1])  # whole numbers: floats would lose far shells
            distance = self.inner + next(i for i, edge in enumerate(cumulative) if ticket < edge)
            point[random.sample(pool, distance)] ^= 1
        return points


def _free_of(center: ArrayLike, free: ArrayLike | None) -> NDArray[np.bool_]:
    n = np.asarray(center).shape[-1] if np.ndim(center) else 0
    return np.ones(n, dtype=np.bool_) if free is None else mask_of(free, n)


def HammingBall(center: ArrayLike, radius: int, *, free: ArrayLike | None = None) -> Ball:  # noqa: N802 - reads as a noun
    """Return the points that differ from center (n,) in at most radius bits, all of them among free (default: any)."""
    return Ball(np.asarray(center), _free_of(center, free), 0, radius)


def Shell(center: ArrayLike, inner: int, outer: int | None = None, *, free: ArrayLike | None = None) -> Ball:  # noqa: N802
    """Return the points at distance inner..outer (default: exactly inner) from center (n,)."""
    return Ball(np.asarray(center), _free_of(center, free), inner, inner if outer is None else outer)


def Subcube(center: ArrayLike, free: ArrayLike) -> Ball:  # noqa: N802 - reads as a noun
    """Return the points that equal center (n,) outside the free positions and are anything inside them."""
    mask = _free_of(center, free)
    return Ball(np.asarray(center), mask, 0, int(mask.sum()))


def Everything(n: int) -> Ball:  # noqa: N802 - reads as a noun
    """Return all 2^n points; distances are counted from the all-zero input."""
    return Ball(np.zeros(n, dtype=np.uint8), np.ones(n, dtype=np.bool_), 0, n)
