"""The one brick: an integer weighted sum of bits that reaches a bound or does not, and its normal form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.model.arrays import LARGEST_SUM, Integers

Bit = TypeVar("Bit")


@dataclass(frozen=True)
class Threshold:
    """The one brick: sum of weights[i] * bits[positions[i]] >= bound; zero weights are left out."""

    positions: tuple[int, ...]
    weights: tuple[int, ...]
    bound: int

    def holds(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Return at which of the points (..., n) the threshold holds: (...,)."""
        bits = np.asarray(points)[..., list(self.positions)]
        kind = _kind(self.weights, self.bound)
        return np.asarray(bits.astype(kind) @ np.array(self.weights, dtype=kind) >= self.bound, dtype=np.bool_)

    def negation(self) -> Threshold:
        """Return the threshold that holds exactly where this one does not."""
        return Threshold(self.positions, tuple(-w for w in self.weights), 1 - self.bound)

    def reach(self, fixed: Mapping[int, int] | None = None) -> tuple[int, int]:
        """Return the smallest and the largest sum over 0/1 bits; fixed: the values of bits that are not free, by position."""
        low = high = 0
        for position, weight in zip(self.positions, self.weights, strict=True):
            value = None if fixed is None else fixed.get(position)
            low += min(weight, 0) if value is None else weight * value
            high += max(weight, 0) if value is None else weight * value
        return low, high

    def constant(self, fixed: Mapping[int, int] | None = None) -> bool | None:
        """Return True if the threshold holds for all values of the free bits, False if for none of them, None if for some."""
        low, high = self.reach(fixed)
        return True if low >= self.bound else None if high >= self.bound else False

    def normal(self) -> Threshold:
        """Return the same threshold with small weights, as `normal_rows` makes them; a constant stays as it is."""
        return Threshold(self.positions, *normal_weights(self.weights, self.bound))


def threshold(row: Integers, bound: int) -> Threshold:
    """Return the brick of a dense row."""
    positions = np.flatnonzero(row)
    return threshold_of(positions, row[positions], bound)


def threshold_of(positions: NDArray[np.intp], weights: Integers, bound: int) -> Threshold:
    """Return the brick with these weights, none of them 0, at these positions."""
    return Threshold(tuple(positions.tolist()), tuple(weights.tolist()), int(bound))


def positive(
    weights: Iterable[int], bits: Iterable[Bit], bound: int, negate: Callable[[Bit], Bit]
) -> tuple[list[int], list[Bit], int]:
    """Return weights > 0, bits and bound of the same threshold: w * x = w + |w| * (1 - x), and 1 - x is the negated bit."""
    used = [(w, bit) for w, bit in zip(weights, bits, strict=True) if w]
    bound -= sum(w for w, _ in used if w < 0)
    return [abs(w) for w, _ in used], [bit if w > 0 else negate(bit) for w, bit in used], bound


def normal_weights(weights: Sequence[int], bound: int) -> tuple[tuple[int, ...], int]:
    """Return weights and bound of one row in the form that `normal_rows` makes; those of a constant stay as they are."""
    least = sum(w for w in weights if w < 0)
    if all(-1 <= w <= 1 for w in weights) or not least < bound <= least + sum(map(abs, weights)):
        return tuple(weights), bound
    kind = _kind(weights, bound)
    row, bounds = normal_rows(np.array([0]), np.array(weights, dtype=kind), np.array([bound], dtype=kind))
    return tuple(row.tolist()), int(bounds[0])


def normal_rows(first: NDArray[Any], weights: NDArray[Any], bounds: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return smaller weights and bounds with which the rows hold exactly where they did.

    Row j has weights[first[j]], ... up to where the next row begins: at least one, and it is no constant. Common factors are
    divided out. A sum lies need above its smallest value where it reaches the bound, and spare below its largest where it just
    fails to: a weight of need or more decides alone that the row holds, one of spare or more that it does not, and is cut to
    that. Rows with the same weights and bound hold at the same points; others may do so as well: 3a + 5b + 7c >= 6 and >= 7.
    """
    row = np.repeat(np.arange(len(bounds)), np.diff(first, append=len(weights)))
    while True:
        factors = np.gcd.reduceat(np.abs(weights), first)  # of one number, it is that number
        weights, bounds = weights // factors[row], -(-bounds // factors)
        low, high = _reach(first, weights)
        need, spare = bounds - low, high - bounds + 1
        decisive = np.minimum(need, spare)[row]
        cut = np.minimum(np.maximum(weights, -decisive), decisive)
        if np.array_equal(cut, weights):
            return weights, bounds
        low, high = _reach(first, cut)
        weights, bounds = cut, np.where(need <= spare, low + need, high - spare + 1)


def _reach(first: NDArray[Any], weights: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    return np.add.reduceat(np.minimum(weights, 0), first), np.add.reduceat(np.maximum(weights, 0), first)


def _kind(weights: Sequence[int], bound: int) -> Any:
    """Return a type of numbers that holds every sum of the weights: of a machine, or Python integers."""
    return np.int64 if sum(map(abs, weights)) + abs(bound) < LARGEST_SUM else object
