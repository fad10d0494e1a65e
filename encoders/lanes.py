"""How the points of a ball or shell are laid out for enumeration: each is a prefix of flips and a lane of further flips.

The lanes are one table, made once. A prefix goes with one contiguous run of them, so the first layer is a few long vector
comparisons: what the prefix leaves of a neuron's bound, against the table of what the lanes add to its sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations
from math import comb
from typing import Protocol

import numpy as np

from bnnverify.network import Bits

Flips = tuple[int, ...]


@dataclass(frozen=True)
class Run:
    """The points prefix ∪ lane for each lane in start..stop-1."""

    prefix: Flips
    start: int
    stop: int


class Layout(Protocol):
    """An enumeration of all flip sets of inner..outer among freedom positions, each exactly once."""

    @property
    def lane_count(self) -> int:
        """Return how many lanes the table has."""

    @property
    def run_count(self) -> int:
        """Return how many runs there are."""

    def lanes(self) -> Bits:
        """Return the flips of every lane: (lane_count, freedom)."""

    def runs(self) -> Iterator[Run]:
        """Yield the runs; together they are the region."""


@dataclass(frozen=True)
class LastFlips:
    """Lanes are the last `tail` flips, ordered by the first of them, descending: a prefix goes with all that lie behind it.

    Good when the radius is small against the number of positions. Sets smaller than tail are lanes of their own, behind.
    """

    freedom: int
    inner: int
    outer: int
    tail: int

    @property
    def _full(self) -> int:
        return comb(self.freedom, self.tail) if self.outer >= self.tail else 0

    @cached_property
    def _sizes(self) -> range:
        """Return the sizes of prefixes."""
        return range(max(0, self.inner - self.tail), self.outer - self.tail + 1)

    @cached_property
    def _small(self) -> range:
        """Return the sizes of sets smaller than tail."""
        return range(self.inner, min(self.outer, self.tail - 1) + 1)

    @property
    def lane_count(self) -> int:
        return self._full + sum(comb(self.freedom, size) for size in self._small)

    @property
    def run_count(self) -> int:
        return sum(comb(self.freedom - self.tail, size) for size in self._sizes) + bool(self._small)

    def lanes(self) -> Bits:
        behind = range(self.freedom) if self._full else range(0)
        full = ((m, *rest) for m in reversed(behind) for rest in combinations(range(m + 1, self.freedom), self.tail - 1))
        small = (flips for size in self._small for flips in combinations(range(self.freedom), size))
        return _rows(chain(full, small), self.lane_count, self.freedom)

    def runs(self) -> Iterator[Run]:
        if self._small:
            yield Run((), self._full, self.lane_count)
        for size in self._sizes:
            for prefix in combinations(range(self.freedom - self.tail), size):
                yield Run(prefix, 0, comb(self.freedom - 1 - prefix[-1], self.tail) if prefix else self._full)


@dataclass(frozen=True)
class Halves:
    """Lanes are the subsets of the last `width` positions, ordered by size: a prefix goes with all that keep the radius.

    Good when the radius is large or unlimited.
    """

    freedom: int
    inner: int
    outer: int
    width: int

    def _size(self, flips: int) -> int:
        """Return how many lanes have fewer than this many flips."""
        return sum(comb(self.width, d) for d in range(min(flips, self.outer + 1)))

    @cached_property
    def _sizes(self) -> range:
        return range(max(0, self.inner - self.width), min(self.outer, self.freedom - self.width) + 1)

    @property
    def lane_count(self) -> int:
        return self._size(self.width + 1)

    @property
    def run_count(self) -> int:
        return sum(comb(self.freedom - self.width, size) for size in self._sizes)

    def lanes(self) -> Bits:
        first = self.freedom - self.width
        sets = (flips for d in range(min(self.width, self.outer) + 1) for flips in combinations(range(first, self.freedom), d))
        return _rows(sets, self.lane_count, self.freedom)

    def runs(self) -> Iterator[Run]:
        for size in self._sizes:
            start, stop = self._size(max(0, self.inner - size)), self._size(self.outer - size + 1)
            for prefix in combinations(range(self.freedom - self.width), size):
                yield Run(prefix, start, stop)


def _rows(sets: Iterator[Flips], count: int, freedom: int) -> Bits:
    """Return flip sets as 0/1 rows: (count, freedom)."""
    listed = list(sets)
    rows = np.zeros((count, freedom), dtype=np.uint8)
    ones = np.fromiter(chain.from_iterable(listed), dtype=np.intp)
    rows[np.repeat(np.arange(count), [len(flips) for flips in listed]), ones] = 1
    return rows


def shortest(freedom: int, inner: int, outer: int, *, most_lanes: int) -> Layout:
    """Return the layout with the least work outside the comparisons themselves: runs to start and lanes to make.

    The weights are microseconds, measured on one core; only their ratio matters.
    """
    tails = [LastFlips(freedom, inner, outer, tail) for tail in range(1, min(freedom, 4) + 1)]
    halves = [Halves(freedom, inner, outer, width) for width in range(min(freedom, 20) + 1)]
    every: list[LastFlips | Halves] = [*tails, *halves]
    fitting = [layout for layout in every if layout.lane_count <= most_lanes] or [Halves(freedom, inner, outer, 0)]
    return min(fitting, key=lambda layout: 20 * layout.run_count + layout.lane_count)
