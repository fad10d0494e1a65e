"""Regions cut by linear constraints over input bits: whole numbers, exact, counted and not assumed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.errors import BadQuery
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.matrix import Matrix
from bnnverify.model.threshold import Threshold
from bnnverify.problem.ball import Ball
from bnnverify.problem.budget import NO_LIMIT, Budget, OutOfBudget
from bnnverify.problem.constrained_reach import cost_rise, group_rise, groups, limits
from bnnverify.problem.constraints import NEVER, propagated, tidy
from bnnverify.problem.flip_sets import FlipSets
from bnnverify.problem.region import Region
from bnnverify.problem.solutions import Solutions

FEW_STATES = 2**14  # of constraints, up to which their points are quickly counted and listed
FEW = 2**16  # points of a ball that are looked at one by one where there are more states


@dataclass(frozen=True, eq=False, init=False)
class Constrained:
    """The points of a region at which all of these thresholds over its n bits hold.

    Its centre need not be one of them. There may be none: then its size is 0, every count over it is 0, and no event happens.
    How many there are is counted the first time that anybody asks: OutOfBudget where the constraints have too many states.
    What is known of them already, `shell` and `over_flips` hand on.
    """

    ball: Ball
    constraints: tuple[Threshold, ...]

    def __init__(self, region: Region, thresholds: Sequence[Threshold]) -> None:
        rows = dict.fromkeys((*region.constraints, *map(tidy, thresholds)))
        last = max((row.positions[-1] for row in rows if row.positions), default=-1)
        if last >= region.n:
            raise BadQuery(f"constraint: expected positions below {region.n}, got {last}")
        object.__setattr__(self, "ball", Ball(region.center, region.free, region.inner, region.outer))
        object.__setattr__(self, "constraints", tuple(rows))

    @property
    def center(self) -> Bits:
        return self.ball.center

    @property
    def free(self) -> NDArray[np.bool_]:
        return self.ball.free

    @property
    def inner(self) -> int:
        return self.ball.inner

    @property
    def outer(self) -> int:
        return self.ball.outer

    @property
    def n(self) -> int:
        return self.ball.n

    @property
    def positions(self) -> NDArray[np.intp]:
        """Return the free positions, ascending."""
        return self.ball.positions

    @property
    def freedom(self) -> int:
        """Return how many positions are free."""
        return self.ball.freedom

    @property
    def kind(self) -> str:
        """Return the usual name of the ball, and that there are constraints."""
        return f"{self.ball.kind} under constraints"

    @cached_property
    def sha256(self) -> str:
        """Return a fingerprint of everything that decides which points are in the region, and of its centre."""
        rows = sorted((row.positions, row.weights, row.bound) for row in self.constraints)
        return hashlib.sha256(f"{self.ball.sha256} {rows}".encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return what results say about their region; size: None where nobody has counted it, and that takes long."""
        return {**self.ball.to_json(), "kind": self.kind, "size": self.known_size, "constraints": len(self.constraints)}

    def distance(self, points: ArrayLike) -> Any:
        """Return the number of bits in which points (..., n) differ from the centre."""
        return self.ball.distance(points)

    def contains(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Return which of the points (..., n) are in the region."""
        inside = self.ball.contains(points)
        for row in self.constraints:
            inside = inside & row.holds(points)
        return np.asarray(inside)

    def __contains__(self, point: ArrayLike) -> bool:
        return bool(self.contains(point))

    def thresholds(self) -> list[Threshold]:
        """Return bricks over the n input bits that hold exactly on the region."""
        return [*self.ball.thresholds(), *self.constraints]

    def reach(self, weights: Matrix) -> tuple[Integers, Integers]:
        """Return bounds of each weights[j] @ x over the region, from below and above: (m, n) to (m,), (m,).

        They are those of the ball of what constraints leave free, of its groups of bits, and of limits on the cost of all flips;
        what else holds plays no part.
        """
        left = self.propagated()
        low, high = left.ball.reach(weights)
        start = weights @ left.center.astype(np.int64)
        if known := groups(self.constraints, left.free):
            about = left.center, left.free, left.outer, known
            fall = group_rise(weights * np.full(self.n, -1), *about)
            low, high = np.maximum(low, start - fall), np.minimum(high, start + group_rise(weights, *about))
        if priced := limits(left._rows, left.freedom):
            flips = weights[:, left.free] * (1 - 2 * left.center[left.free].astype(np.int64))
            falls, rises = flips.by_sign()
            for costs, limit in priced:
                low = np.maximum(low, start - cost_rise(falls * np.full(left.freedom, -1), costs, limit))
                high = np.minimum(high, start + cost_rise(rises, costs, limit))
        return low, high

    def shell(self, inner: int, outer: int | None = None) -> Constrained:
        """Return the part at distance inner..outer (default: exactly inner) from the centre."""
        part = Constrained(self.ball.shell(inner, outer), self.constraints)
        return self._informed(part) if part.outer <= self.outer else part

    def within(self, free: ArrayLike) -> Constrained:
        """Return the part that differs from the centre only in these positions (0-based)."""
        return Constrained(self.ball.within(free), self.constraints)

    def flipped(self, positions: Sequence[int]) -> Constrained:
        """Return the part in which these free positions differ from the centre, around the centre with them flipped."""
        return Constrained(self.ball.flipped(positions), self.constraints)

    def over_flips(self) -> Constrained:
        """Return the region as a set of flips: one bit for each free position, 1 where a point differs from the centre."""
        return self._informed(Constrained(self.ball.over_flips(), self._rows))

    def _informed(self, part: Constrained) -> Constrained:
        """Return part, whose constraints say the same of flips, with the solutions that are known by now."""
        if "_solutions" in self.__dict__:
            part.__dict__["_solutions"] = self.solutions()
        return part

    @cached_property
    def _rows(self) -> tuple[Threshold, ...]:
        """Return the constraints over flips, without what holds anyway."""
        return tuple(dict.fromkeys(row for row in self.flip_rows if row.constant() is not True))

    @cached_property
    def flip_rows(self) -> tuple[Threshold, ...]:
        """Return each constraint as it reads over flips, named by their place among the free ones."""
        place, bits, rows = {i: k for k, i in enumerate(self.positions.tolist())}, self.center.tolist(), []
        for row in self.constraints:
            pairs = list(zip(row.positions, row.weights, strict=True))
            weights = {place[i]: -w if bits[i] else w for i, w in pairs if i in place}
            bound = row.bound - sum(w for i, w in pairs if bits[i])
            rows.append(Threshold(tuple(weights), tuple(weights.values()), bound))
        return tuple(rows)

    def propagated(self) -> Constrained:
        """Return the same set of points, positions that constraints decide one by one being no longer free.

        Where they decide for the other value than the centre's, the new centre has that: distances are then counted from there.
        """
        return self._propagated

    @cached_property
    def _propagated(self) -> Constrained:
        flips, ones = tuple(range(self.freedom)), (1,) * self.freedom
        ball = (Threshold(flips, ones, self.inner), Threshold(flips, tuple(-w for w in ones), -self.outer))
        values = propagated((*self._rows, *ball))
        if values is None:
            if NEVER in self.constraints and not self.freedom:
                return self
            return Constrained(Ball(self.center, np.zeros(self.n, dtype=np.bool_), 0, 0), (*self.constraints, NEVER))
        return self._with(values) if values else self

    def _with(self, values: dict[int, int]) -> Constrained:
        """Return the part in which these flips, named by their place, have these values; it must have points."""
        free, spots = self.free.copy(), self.positions
        free[spots[list(values)]] = False
        ball = self.ball.flipped(spots[[k for k, value in values.items() if value]].tolist())
        return Constrained(ball.within(free), self.constraints)

    def solutions(self, budget: Budget = NO_LIMIT) -> Solutions:
        """Return all flips that the constraints allow, the ball aside, as a graph; made once. Raises OutOfBudget."""
        if "_solutions" not in self.__dict__:
            self.__dict__["_solutions"] = Solutions.of(self._rows, self.outer, budget)
        known: Solutions = self.__dict__["_solutions"]
        return known

    @property
    def _is_quick(self) -> bool:
        """Return whether the points are quickly counted, what is forced aside: states are few, or they are known already."""
        left = self.propagated()
        if left is not self and "_solutions" not in self.__dict__:
            return left._is_quick
        if not {"_solutions", "_slow"}.intersection(self.__dict__):
            try:
                self.__dict__["_solutions"] = Solutions.of(self._rows, self.outer, NO_LIMIT, FEW_STATES)
            except OutOfBudget:
                self.__dict__["_slow"] = True
        return "_solutions" in self.__dict__

    @cached_property
    def size(self) -> int:
        """Return the exact number of points."""
        return sum(self.sizes())

    @property
    def known_size(self) -> int | None:
        """Return the size where it is known or quickly counted, else None."""
        known = "size" in self.__dict__ or "_sizes" in self.__dict__ or self.ball.size <= FEW or self._is_quick
        return self.size if known else None

    @property
    def size_bound(self) -> int:
        """Return the size where it is known or quickly counted, else that of the ball."""
        return self.ball.size if self.known_size is None else self.known_size

    def sizes(self, budget: Budget = NO_LIMIT) -> tuple[int, ...]:
        """Return the exact number of points at each distance 0..outer from the centre; counted once. Raises OutOfBudget."""
        if "_sizes" not in self.__dict__:
            self.__dict__["_sizes"] = self._counted(budget)
        known: tuple[int, ...] = self.__dict__["_sizes"]
        return known

    def _counted(self, budget: Budget) -> tuple[int, ...]:
        left = self.propagated()
        if left is not self and "_solutions" not in self.__dict__:
            shift, sizes = int(self.distance(left.center)), left.sizes(budget)
            return tuple(sizes[d - shift] if 0 <= d - shift < len(sizes) else 0 for d in range(self.outer + 1))
        if not self._is_quick and self.ball.size <= FEW:
            found = np.zeros(self.outer + 1, dtype=np.int64)
            for points in self._filtered(FEW):
                found += np.bincount(self.distance(points), minlength=self.outer + 1)
            return tuple(found.tolist())
        return self._sets(budget).sizes()

    def _sets(self, budget: Budget = NO_LIMIT) -> FlipSets:
        return FlipSets(self.solutions(budget), self.freedom, self.inner, self.outer)

    def points(self, batch: int = 65536) -> Iterator[Bits]:
        """Yield all points in batches (<= batch, n), nearest first.

        No other point of the ball is looked at, unless the constraints have so many states that nobody has counted the points.
        """
        left = self.propagated()
        if left is not self:
            yield from left.points(batch)
        elif not self._is_quick:
            yield from self._filtered(batch)
        else:
            for flips in self._sets().listed(batch):
                points = np.tile(self.center, (len(flips), 1))
                points[np.arange(len(flips))[:, None], self.positions[flips]] ^= 1
                yield points

    def _filtered(self, batch: int) -> Iterator[Bits]:
        """Yield the points, each of the ball being looked at."""
        for points in self.ball.points(batch):
            if (inside := self.contains(points)).any():
                yield points[inside]

    def sample(self, count: int, *, seed: int) -> Bits:
        """Return points drawn uniformly at random, with replacement: (count, n); BadQuery where there is none."""
        points = np.tile(self.center, (count, 1))
        for point, flips in zip(points, self._sets().drawn(count, seed), strict=True):
            point[self.positions[flips]] ^= 1
        return points

    def parts(self, most: int) -> Iterator[Region]:
        """Yield disjoint regions that make up this one, none with more than most points unless it has a single one.

        They are cut at the bits that constraints name, then at the others. An empty region has no parts.
        """
        if self.size_bound <= most:
            yield from [self] if self.size else []
            return
        if self.propagated() is not self:
            yield from self.propagated().parts(most)
            return
        for values, size in self._sets().cut(most):
            part = self._with(values)
            part.__dict__["size"] = size
            yield from [part] if size <= most else part.ball.parts(most)  # the constraints hold, whatever the others are
