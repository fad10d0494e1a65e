"""Linear constraints over input bits, as thresholds: one-hot groups, cardinalities, chains, and limits on costs.

region = Constrained(HammingBall(image, 3), [*one_hot(range(4)), *at_most(2, [5, 6, 9])])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from operator import index

from numpy.typing import ArrayLike

from bnnverify.errors import BadQuery
from bnnverify.model.arrays import LARGEST_SUM, as_integer, as_integers
from bnnverify.model.threshold import Threshold

Thresholds = tuple[Threshold, ...]

NEVER = Threshold((), (), 1)  # no point reaches it


def at_least(k: int, positions: Iterable[int]) -> Thresholds:
    """Return that k or more of these bits are 1."""
    spots = _distinct(positions)
    return (Threshold(spots, (1,) * len(spots), as_integer(k, "constraint: number of bits")),)


def at_most(k: int, positions: Iterable[int]) -> Thresholds:
    """Return that no more than k of these bits are 1."""
    spots = _distinct(positions)
    return (Threshold(spots, (-1,) * len(spots), -as_integer(k, "constraint: number of bits")),)


def exactly(k: int, positions: Iterable[int]) -> Thresholds:
    """Return that k of these bits are 1."""
    spots = _distinct(positions)
    return at_least(k, spots) + at_most(k, spots)


def one_hot(positions: Iterable[int]) -> Thresholds:
    """Return that one of these bits is 1: they say which of several values something has."""
    return exactly(1, positions)


def ordered(positions: Iterable[int]) -> Thresholds:
    """Return that each of these bits is 1 only if the one before is: they say how many of several steps something exceeds."""
    spots = _distinct(positions)
    return tuple(weighted({before: 1, after: -1}, 0) for before, after in pairwise(spots))


def weighted(weights: Mapping[int, int], least: int) -> Threshold:
    """Return that the sum of weights[i] * bit i is at least so much."""
    return tidy(Threshold(tuple(weights), tuple(weights.values()), least))


def cost_at_most(most: int, costs: ArrayLike, center: ArrayLike) -> Thresholds:
    """Return that the flips of a point, seen from center (n,), cost no more than most; costs: (n,), of each flip."""
    values, bits = as_integers(costs, "costs", 1).tolist(), as_integers(center, "center", 1).tolist()
    if len(values) != len(bits):
        raise BadQuery(f"costs: expected one for each of {len(bits)} bits, got {len(values)}")
    start = sum(value for value, bit in zip(values, bits, strict=True) if bit)
    weights = {i: value if bit else -value for i, (value, bit) in enumerate(zip(values, bits, strict=True))}
    return (weighted({i: weight for i, weight in weights.items() if weight}, start - most),)


def tidy(constraint: Threshold) -> Threshold:
    """Return the same threshold with ascending positions, each named once, and no weight of 0; BadQuery where it is none."""
    try:
        pairs = [(index(i), index(w)) for i, w in zip(constraint.positions, constraint.weights, strict=True)]
        bound = index(constraint.bound)
    except (AttributeError, TypeError, ValueError):
        raise BadQuery(f"constraint: expected whole numbers, one weight for each position, got {constraint!r:.200}") from None
    weights: dict[int, int] = {}
    for position, weight in pairs:
        if position < 0:
            raise BadQuery(f"constraint: expected positions from 0 on, got {position}")
        weights[position] = weights.get(position, 0) + weight
    if sum(map(abs, weights.values())) >= LARGEST_SUM or abs(bound) >= LARGEST_SUM:
        raise BadQuery("constraint: expected a sum of weights and a bound below 2^62, got larger ones")
    used = sorted((i, w) for i, w in weights.items() if w)
    return Threshold(tuple(i for i, _ in used), tuple(w for _, w in used), bound)


def _distinct(positions: Iterable[int]) -> tuple[int, ...]:
    spots = tuple(as_integer(position, "constraint: position") for position in positions)
    if len(set(spots)) != len(spots):
        twice = next(spot for spot in spots if spots.count(spot) > 1)
        raise BadQuery(f"constraint: expected each position once, got {twice} more than once")
    return spots


def propagated(rows: Sequence[Threshold]) -> dict[int, int] | None:
    """Return the bits that rows decide one by one, by position; None where no point satisfies all rows.

    A row whose largest sum without some bit, or with it, falls short of its bound decides that bit.
    """
    values: dict[int, int] = {}
    while True:
        before = len(values)
        for row in rows:
            pairs = list(zip(row.positions, row.weights, strict=True))
            open_ = [(i, w) for i, w in pairs if i not in values]
            spare = sum(w * values[i] for i, w in pairs if i in values) + sum(w for _, w in open_ if w > 0) - row.bound
            if spare < 0:
                return None
            values.update((i, int(w > 0)) for i, w in open_ if abs(w) > spare)
        if len(values) == before:
            return values
