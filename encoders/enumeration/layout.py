"""The layout of the points of a ball or shell for enumeration: each point is a prefix of flips and a suffix of further flips.

All suffixes are listed once. A prefix is combined with one contiguous run of them for each distance, so the first layer's bits
along a run are a few rows of precomputed words (`first_layer`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, combinations, islice
from math import comb
from typing import Any, Protocol, TypeVar

import numpy as np

from bnnverify.model.arrays import Indices, Integers

Flips = tuple[int, ...]
T = TypeVar("T")

LONGEST_TAIL = 4
DEEPEST = 20  # flips of a suffix


@dataclass(frozen=True, eq=False)
class Runs:
    """The points prefixes[i] ∪ suffix for each suffix in starts[i]..stops[i]-1.

    distance: that of all these points, None where they are mixed. prefixes: (runs, prefix size) flipped positions.
    starts, stops: (runs,).
    """

    distance: int | None
    prefixes: Indices
    starts: Indices
    stops: Indices

    @property
    def size(self) -> int:
        """Return the number of points."""
        return int((self.stops - self.starts).sum())

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, part: slice) -> Runs:
        return Runs(self.distance, self.prefixes[part], self.starts[part], self.stops[part])


class Layout(Protocol):
    """An enumeration of all flip sets of inner..outer among freedom positions, each exactly once."""

    freedom: int

    @property
    def suffix_count(self) -> int:
        """Return how many suffixes there are."""

    @property
    def run_count(self) -> int:
        """Return how many runs there are."""

    @property
    def deepest(self) -> int:
        """Return the largest number of flips in a suffix."""

    def sums(self, weights: Integers) -> Integers:
        """Return the sum of the weights of every suffix's flips: (freedom,) to (suffix_count,)."""

    def flips(self, suffix: int) -> Flips:
        """Return the flips of one suffix."""

    def runs(self, most: int) -> Iterator[Runs]:
        """Yield the runs, at most so many at a time; together they are the region. Unless mixed, small distances come first."""

    def drawn(self, count: int, random: np.random.Generator) -> Runs:
        """Return the runs of so many random points, some perhaps more than once; there must be runs with prefixes."""


@dataclass(frozen=True)
class LastFlips:
    """Suffixes are the last `tail` flips, ordered by the first of them, descending: a prefix is combined with all behind it.

    Good when the radius is small against the number of positions. Sets smaller than tail are suffixes of their own, at the end.
    """

    freedom: int
    inner: int
    outer: int
    tail: int

    @property
    def deepest(self) -> int:
        return self.tail

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
    def suffix_count(self) -> int:
        return self._full + sum(comb(self.freedom, size) for size in self._small)

    @property
    def run_count(self) -> int:
        return sum(comb(self.freedom - self.tail, size) for size in self._sizes) + len(self._small)

    def sums(self, weights: Integers) -> Integers:
        """Sets that begin with m are m and one of the first sets of one flip fewer, those behind m: one addition for all."""
        sums = [np.zeros(1, dtype=np.int64), weights[::-1].astype(np.int64)]
        for size in range(2, self.tail + 1):
            behind = (weights[m] + sums[-1][: comb(self.freedom - 1 - m, size - 1)] for m in reversed(range(self.freedom)))
            sums.append(np.concatenate([*behind, sums[0][:0]]))
        full = sums[self.tail] if self._full else sums[0][:0]
        return np.concatenate([full, *(sums[size] for size in self._small)])

    def flips(self, suffix: int) -> Flips:
        size, place = self.tail, suffix
        for size in (self.tail, *self._small) if self._full else self._small:
            if place < comb(self.freedom, size):
                break
            place -= comb(self.freedom, size)
        flips = []
        for left in range(size, 0, -1):
            behind = next(k for k in range(self.freedom) if comb(k + 1, left) > place)  # positions behind the first flip
            flips.append(self.freedom - 1 - behind)
            place -= comb(behind, left)
        return tuple(flips)

    def runs(self, most: int) -> Iterator[Runs]:
        start = self._full
        for size in self._small:
            stop = start + comb(self.freedom, size)
            yield Runs(size, np.zeros((1, 0), dtype=np.int64), np.array([start]), np.array([stop]))
            start = stop
        for size in self._sizes:
            for prefixes in _chunks(self.freedom - self.tail, size, most):
                yield self._behind(prefixes)

    @cached_property
    def _suffixes_behind(self) -> Indices:
        """Return for each position how many suffixes lie behind it."""
        return np.array([comb(self.freedom - 1 - last, self.tail) for last in range(self.freedom)], dtype=np.int64)

    def _behind(self, prefixes: Indices) -> Runs:
        """Return the runs of prefixes, each with all suffixes behind it."""
        count, size = prefixes.shape
        stops = self._suffixes_behind[prefixes[:, -1]] if size else np.full(count, self._full)
        return Runs(size + self.tail, prefixes, np.zeros(count, dtype=np.int64), stops)

    def drawn(self, count: int, random: np.random.Generator) -> Runs:
        size = _weighted_choice(list(self._sizes), [comb(self.freedom, size + self.tail) for size in self._sizes], random)
        points = _subsets(self.freedom, size + self.tail, count, random)
        return self._behind(points[:, :size])


@dataclass(frozen=True)
class LastPositions:
    """Suffixes are the subsets of the last `width` positions, ordered by size: a prefix is combined with all within the radius.

    Good when the radius is large or unlimited. mixed: one run per prefix, whatever the distances; else one for each distance.
    """

    freedom: int
    inner: int
    outer: int
    width: int
    mixed: bool

    @property
    def deepest(self) -> int:
        return min(self.width, self.outer)

    @cached_property
    def _edges(self) -> list[int]:
        """Return where the suffixes of each size begin, and their number at the end."""
        return [0, *accumulate(comb(self.width, size) for size in range(self.deepest + 1))]

    @cached_property
    def _parts(self) -> list[tuple[int | None, int, int, int]]:
        """Return for each part of the region its distance, the size of its prefixes, the smallest and largest of its suffixes."""
        first = self.freedom - self.width
        if self.mixed:
            sizes = range(max(0, self.inner - self.width), min(self.outer, first) + 1)
            return [(None, size, max(0, self.inner - size), min(self.width, self.outer - size)) for size in sizes]
        return [
            (distance, size, distance - size, distance - size)
            for distance in range(self.inner, self.outer + 1)
            for size in range(max(0, distance - self.width), min(distance, first) + 1)
        ]

    @property
    def suffix_count(self) -> int:
        return self._edges[-1]

    @property
    def run_count(self) -> int:
        return sum(comb(self.freedom - self.width, size) for _, size, _, _ in self._parts)

    @cached_property
    def _masks(self) -> Indices:
        """Return the subset of every suffix as a number, bit i for the i-th of the last positions; smaller subsets first."""
        masks = np.arange(2**self.width)
        sizes = np.bitwise_count(masks)
        return np.argsort(sizes, kind="stable")[: self.suffix_count]

    def sums(self, weights: Integers) -> Integers:
        sums: Integers = np.zeros(2**self.width, dtype=np.int64)
        for i, weight in enumerate(weights[self.freedom - self.width :].tolist()):
            np.add(sums[: 2**i], weight, out=sums[2**i : 2 ** (i + 1)])
        return sums[self._masks]

    def flips(self, suffix: int) -> Flips:
        mask = int(self._masks[suffix])
        return tuple(self.freedom - self.width + i for i in range(self.width) if mask >> i & 1)

    def runs(self, most: int) -> Iterator[Runs]:
        for part in self._parts:
            for prefixes in _chunks(self.freedom - self.width, part[1], most):
                yield self._with(part, prefixes)

    def drawn(self, count: int, random: np.random.Generator) -> Runs:
        first = self.freedom - self.width
        sizes = [comb(first, size) * (self._edges[high + 1] - self._edges[low]) for _, size, low, high in self._parts]
        part = _weighted_choice(self._parts, sizes, random)
        return self._with(part, _subsets(first, part[1], count, random))

    def _with(self, part: tuple[int | None, int, int, int], prefixes: Indices) -> Runs:
        """Return the runs of prefixes of this part."""
        distance, _, least, largest = part
        edges = self._edges[least], self._edges[largest + 1]
        return Runs(distance, prefixes, *(np.full(len(prefixes), edge) for edge in edges))


def _chunks(n: int, size: int, most: int) -> Iterator[Indices]:
    """Yield the subsets of range(n) of this size, in order: (at most `most`, size)."""
    left, sets = comb(n, size), combinations(range(n), size)
    while left:
        count = min(left, most)
        yield _listed(sets, count, size)
        left -= count


def _listed(sets: Iterator[Flips], count: int, size: int) -> Indices:
    """Return the next flip sets, all of one size: (count, size)."""
    numbers = chain.from_iterable(islice(sets, count))
    return np.fromiter(numbers, dtype=np.int64, count=size * count).reshape(count, size)


def _weighted_choice(options: Sequence[T], weights: Sequence[int], random: np.random.Generator) -> T:
    """Return one of the options at random, each with a probability in proportion to its weight."""
    total = sum(weights)
    return options[int(random.choice(len(options), p=[weight / total for weight in weights]))]


def _subsets(n: int, size: int, count: int, random: np.random.Generator) -> Indices:
    """Return random subsets of range(n), each ascending: (count, size)."""
    return np.sort(np.argsort(random.random((count, n)), axis=1)[:, :size], axis=1)


def best_layout(freedom: int, inner: int, outer: int, fits: Callable[[Layout], bool], *, mixed: bool) -> Layout:
    """Return the layout with the least work outside the circuit: runs to start and suffixes to make, among those that fit.

    mixed: runs may hold points of several distances. One run costs about as much as making twenty suffixes, on one core.
    """
    tails: list[Any] = [LastFlips(freedom, inner, outer, tail) for tail in range(1, min(freedom, LONGEST_TAIL) + 1)]
    split: list[Any] = [LastPositions(freedom, inner, outer, width, mixed) for width in range(min(freedom, DEEPEST) + 1)]
    fitting: list[Layout] = [layout for layout in (*tails, *split) if fits(layout)]
    return min(fitting or split[:1], key=lambda layout: 20 * layout.run_count + layout.suffix_count)
