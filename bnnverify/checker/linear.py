"""Weighted sums with a bound, over variables that are 0 or 1: the arithmetic by which clauses are checked.

A literal is a variable's number, negative for its opposite, 1 - variable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import gcd

LARGEST = 2**20  # sum of weights, above which unreachable sums are not computed


@dataclass(frozen=True, eq=False)
class Linear:
    """The statement that the sum of weights[v] * v is at least bound. Weights are not 0."""

    weights: Mapping[int, int]
    bound: int

    @classmethod
    def of(cls, terms: Iterable[tuple[int, int]], bound: int) -> Linear:
        """Return the statement that the sum of weight * literal over these (weight, literal) pairs is at least bound."""
        weights: dict[int, int] = {}
        for weight, literal in terms:
            if literal < 0:
                bound -= weight
                weight = -weight
            weights[abs(literal)] = weights.get(abs(literal), 0) + weight
        return cls({v: w for v, w in weights.items() if w}, bound)

    @cached_property
    def opposite(self) -> Linear:
        """Return the statement that this one does not hold."""
        return Linear({v: -w for v, w in self.weights.items()}, 1 - self.bound)

    @cached_property
    def sharpened(self) -> Linear:
        """Return the same statement with the largest bound: no sum of these weights lies between the two."""
        sizes = [abs(weight) for weight in self.weights.values()]
        if all(size == 1 for size in sizes) or sum(sizes) > LARGEST:
            return self
        reachable = 1  # bit s: some of the weights have the sum s, counted from the least sum
        for size in sizes:
            reachable |= reachable << size
        least = sum(weight for weight in self.weights.values() if weight < 0)
        beyond = reachable >> max(self.bound - least, 0)
        if not beyond:
            return self
        return Linear(self.weights, max(self.bound, least) + (beyond & -beyond).bit_length() - 1)

    @cached_property
    def canonical(self) -> tuple[tuple[tuple[int, int], ...], int]:
        """Return weights and bound in one form that equal statements are likely to share; true is ((), 0), false ((), 1)."""
        weights, bound = dict(self.weights), self.bound
        while True:
            least = sum(w for w in weights.values() if w < 0)
            most = sum(w for w in weights.values() if w > 0)
            if least >= bound:
                return (), 0
            if most < bound:
                return (), 1
            before = weights, bound
            weights, bound = _cut(weights, bound, least, most)
            if (weights, bound) == before:
                bound = Linear(weights, bound).sharpened.bound  # last: a smaller bound lets weights be cut further
            if (weights, bound) == before:
                return tuple(sorted(weights.items())), bound

    def is_like(self, other: Linear) -> bool:
        """Return whether both have the same canonical form; then both hold at the same points."""
        return self.canonical == other.canonical


def _cut(weights: dict[int, int], bound: int, least: int, most: int) -> tuple[dict[int, int], int]:
    """Return the same statement with smaller weights, if one of three steps makes them smaller.

    Common factors are divided out; a weight that decides alone, one way or the other, need not be larger than that.
    """
    factor = gcd(*weights.values())
    if factor > 1:
        return {v: w // factor for v, w in weights.items()}, -(-bound // factor)
    need, spare = bound - least, most - bound + 1  # of absolute weights: to hold, and to fail
    if need <= spare and max(map(abs, weights.values())) > need:
        cut = {v: max(-need, min(need, w)) for v, w in weights.items()}
        return cut, need + sum(w for w in cut.values() if w < 0)
    if max(map(abs, weights.values())) > min(need, spare):
        cut = {v: max(-spare, min(spare, w)) for v, w in weights.items()}
        return cut, sum(w for w in cut.values() if w > 0) - spare + 1
    return weights, bound


def most(statements: Iterable[Linear], known: Mapping[int, int]) -> int:
    """Return the largest excess of the statements, added up, over their bounds, where the known variables have these values.

    Below 0: they do not hold together.
    """
    total: dict[int, int] = {}
    excess = 0
    for statement in statements:
        excess -= statement.bound
        if not total:
            total = dict(statement.weights)
            continue
        for variable, weight in statement.weights.items():
            weight += total.pop(variable, 0)
            if weight:  # most cancel out: a sum against those of its halves
                total[variable] = weight
    for variable, weight in total.items():
        value = known.get(variable)
        excess += weight * value if value is not None else max(weight, 0)
    return excess
