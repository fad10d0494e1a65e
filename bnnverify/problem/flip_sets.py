"""The sets of flips that constraints allow and that are neither too small nor too large: counted, listed, drawn and cut."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, combinations, islice
from math import comb
from random import Random

import numpy as np

from bnnverify.errors import BadQuery
from bnnverify.model.arrays import Integers
from bnnverify.problem.solutions import Solutions


@dataclass(frozen=True, eq=False)
class FlipSets:
    """The sets of inner..outer of freedom flips that are solutions: those that constraints name are, whatever the others are."""

    solutions: Solutions
    freedom: int
    inner: int
    outer: int

    @cached_property
    def loose(self) -> list[int]:
        """Return the flips that no constraint names."""
        return sorted(set(range(self.freedom)).difference(self.solutions.order))

    def sizes(self) -> tuple[int, ...]:
        """Return how many sets there are of 0..outer flips."""
        named, loose = self.solutions.sizes, [comb(len(self.loose), k) for k in range(self.outer + 1)]
        return tuple(
            sum(ways * loose[d - k] for k, ways in enumerate(named[: d + 1])) if d >= self.inner else 0
            for d in range(self.outer + 1)
        )

    def listed(self, at_once: int) -> Iterator[Integers]:
        """Yield every set, small ones first, sets of one size together: (<= at_once, size)."""
        for d in range(self.inner, self.outer + 1):
            for ones in range(max(0, d - len(self.loose)), d + 1):
                for named in self.solutions.listed(ones, at_once):
                    for others in _chosen(self.loose, d - ones, max(1, at_once // len(named))):
                        yield np.hstack([np.repeat(named, len(others), axis=0), np.tile(others, (len(named), 1))])

    def drawn(self, count: int, seed: int) -> list[list[int]]:
        """Return sets drawn uniformly at random, with replacement; BadQuery where there is none."""
        random, solutions = Random(seed), self.solutions
        kinds = [(d, ones) for d in range(self.inner, self.outer + 1) for ones in range(min(d, len(solutions.sizes) - 1) + 1)]
        edges = list(accumulate(solutions.sizes[ones] * comb(len(self.loose), d - ones) for d, ones in kinds))
        if count and not (edges and edges[-1]):
            raise BadQuery("sample: expected a region that has points, got an empty one")
        flips = []
        for _ in range(count):
            d, ones = kinds[bisect_right(edges, random.randrange(edges[-1]))]
            named = solutions.solution(ones, random.randrange(solutions.sizes[ones]))
            flips.append(named + random.sample(self.loose, d - ones))
        return flips

    def cut(self, most: int) -> Iterator[tuple[dict[int, int], int]]:
        """Yield values of some flips, and how many sets have them, such that each set is in one of these parts alone.

        No part has more than most sets, unless all flips that constraints name have values in it: then the others are free.
        """
        solutions, loose = self.solutions, len(self.loose)
        fewer = list(accumulate((comb(loose, k) for k in range(loose + 1)), initial=0))  # ways to flip fewer than k others
        todo: list[tuple[int, int, dict[int, int]]] = [(0, 0, {})] if solutions.possible else []
        while todo:
            level, state, values = todo.pop()
            ones = sum(values.values())
            ends = [(max(0, self.inner - ones - k), min(loose, self.outer - ones - k) + 1) for k in range(self.outer - ones + 1)]
            ways = solutions.ways(level, state)
            size = sum(
                some * (fewer[last] - fewer[first]) for some, (first, last) in zip(ways, ends, strict=False) if first < last
            )
            if size and (size <= most or level == len(solutions.order)):
                yield values, size
            elif size:
                for bit in (1, 0):
                    further = {**values, solutions.order[level]: bit}
                    todo.append((level + 1, solutions.after(level, state, bit), further))


def _chosen(flips: list[int], size: int, at_once: int) -> Iterator[Integers]:
    """Yield all sets of so many of these flips: (<= at_once, size)."""
    sets = combinations(flips, size)
    while some := list(islice(sets, at_once)):
        yield np.array(some, dtype=np.int64).reshape(len(some), size)
