"""Rows of weights with every number written out: the leaf of `Matrix` for layers in which most weights are not 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnverify.model.arrays import Bits, Indices, Integers, fewest_bytes
from bnnverify.model.sparse import Sparse


@dataclass(frozen=True, eq=False)
class Dense:
    """A matrix of whole numbers. numbers: (rows, columns)."""

    numbers: Integers

    __array_ufunc__ = None  # so that numpy calls our __rmatmul__ for `array @ dense`

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (fewest_bytes(self.numbers),)

    @property
    def shape(self) -> tuple[int, int]:
        return self.numbers.shape[0], self.numbers.shape[1]

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def T(self) -> Dense:  # noqa: N802 - as numpy says it
        return Dense(np.ascontiguousarray(self.numbers.T))

    @property
    def size(self) -> int:
        return self.numbers.size

    @property
    def work(self) -> int:
        return self.numbers.size

    @cached_property
    def entries(self) -> int:
        return int(np.count_nonzero(self.numbers))

    @cached_property
    def largest(self) -> int:
        return max(int(self.numbers.max(initial=0)), -int(self.numbers.min(initial=0)))

    @cached_property
    def sizes(self) -> Integers:
        return np.asarray(np.abs(self.numbers).sum(axis=1))

    @property
    def squares(self) -> NDArray[np.float64]:
        return np.asarray((self.numbers**2).sum(axis=1), dtype=np.float64)

    def dense(self) -> Integers:
        return self.numbers

    def sparse(self) -> Sparse:
        rows, positions = np.nonzero(self.numbers)
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(self)))])
        return Sparse(starts, positions, self.numbers[rows, positions], self.shape[1])

    def __matmul__(self, other: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(self.numbers @ other)

    def __rmatmul__(self, other: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(other @ self.numbers)

    def __getitem__(self, chosen: Any) -> Dense:
        return Dense(self.numbers[chosen])

    def __mul__(self, factors: Integers) -> Dense:
        return Dense(self.numbers * factors)

    def products(self, bits: Bits | NDArray[np.int8]) -> Integers:
        """Return bits @ self.T, exact.

        Floating point is used only where every partial sum is a whole number that the float type represents exactly;
        it is then the same number as integer arithmetic gives, and much faster.
        """
        most = int(self.sizes.max(initial=0))
        kind: Any = np.float32 if most < 2**24 else np.float64 if most < 2**53 else np.int64
        product = bits.astype(kind) @ self.numbers.T.astype(kind)
        return np.asarray(product.astype(np.int64))

    def sum(self, axis: int) -> Integers:
        return np.asarray(self.numbers.sum(axis=axis))

    def any(self, axis: int) -> NDArray[np.bool_]:
        return np.asarray(self.numbers.any(axis=axis))

    def by_sign(self) -> tuple[Dense, Dense]:
        return Dense(np.minimum(self.numbers, 0)), Dense(np.maximum(self.numbers, 0))

    def row(self, j: int) -> tuple[Indices, Integers]:
        positions = np.flatnonzero(self.numbers[j])
        return positions, self.numbers[j][positions]

    def written_out(self) -> Iterator[Integers]:
        return iter(self.numbers)

    def packed(self, zeros: int) -> Integers:  # noqa: ARG002 - the other leaf needs it
        """Return the rows as they are: zeros are among their numbers, unless there are none."""
        return self.numbers

    def regrouped(self, columns: Indices, signs: Integers, width: int) -> Dense:
        rows = np.zeros((len(self), width), dtype=np.int64)
        targets, first = np.unique(columns, return_index=True)
        rows[:, targets] = self.numbers[:, first] * signs[first]
        for j in np.setdiff1d(np.arange(len(columns)), first).tolist():
            rows[:, columns[j]] += signs[j] * self.numbers[:, j]
        return Dense(rows)

    def largest_sums(self, count: int) -> Integers:
        return np.asarray(np.sort(np.abs(self.numbers), axis=1)[:, ::-1][:, :count].cumsum(axis=1))

    def column_order(self) -> Indices:
        return np.lexsort(self.numbers[::-1]) if len(self) else np.arange(self.shape[1])

    def parts(self, name: str) -> dict[str, Integers]:
        return {name: self.numbers}


def _restored(numbers: NDArray[Any]) -> Dense:
    """Return the matrix of numbers that were stored in fewer bytes; they cannot be written."""
    integers = numbers.astype(np.int64)
    integers.setflags(write=False)
    return Dense(integers)
