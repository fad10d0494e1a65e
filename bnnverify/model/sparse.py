"""Rows of weights that are mostly 0, as convolutions and windows have them: the leaf of `Matrix` that stores only the others.

Products and choices of rows and columns are scipy's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.errors import BadModel
from bnnverify.model.arrays import LARGEST_DENSE, LARGEST_SUM, Bits, Indices, Integers, as_integers, fewest_bytes

WORK = 4  # numbers of a dense product that take as long as one entry of a sparse one


@dataclass(frozen=True, eq=False)
class Sparse:
    """A matrix of whole numbers: row j has values[k] in the column positions[k], for k from starts[j] up to starts[j + 1].

    starts: (rows + 1,), positions, values: (entries,), width: columns. Positions ascend within a row, and no value is 0, so
    there is one way to write a matrix. BadModel where they are anything else.
    """

    starts: Integers
    positions: Integers
    values: Integers
    width: int

    __array_ufunc__ = None  # so that numpy calls our __rmatmul__ for `array @ sparse`

    def __post_init__(self) -> None:
        for name in ("starts", "positions", "values"):
            object.__setattr__(self, name, as_integers(getattr(self, name), f"sparse {name}", 1))
        starts, count = self.starts, len(self.positions)
        if not 0 <= self.width <= LARGEST_DENSE:
            raise BadModel(f"sparse rows: expected 0 to {LARGEST_DENSE} columns, got {self.width}")
        if not len(starts) or starts[0] != 0 or starts[-1] != count or np.any(starts[1:] < starts[:-1]):
            raise BadModel(f"sparse starts: expected to ascend from 0 to the number of positions, {count}, got others")
        if len(self.values) != count or not np.all(self.values):
            raise BadModel(f"sparse values: expected one for each of {count} positions, and none of them 0, got others")
        if np.any(self.positions < 0) or np.any(self.positions >= self.width):
            raise BadModel(f"sparse positions: expected to be between 0 and {self.width - 1}, got others")
        falls = np.flatnonzero(self.positions[1:] <= self.positions[:-1]) + 1
        if not np.all(np.isin(falls, starts)):
            raise BadModel("sparse positions: expected to ascend within each row, got some twice or out of order")
        if np.bincount(self.owners, np.abs(self.values)).max(initial=0) >= LARGEST_SUM:  # in floats, which do not overflow
            raise BadModel("sparse rows: expected weight sums below 2^62, got a larger one")

    def __reduce__(self) -> tuple[Any, ...]:
        return Sparse, (*map(fewest_bytes, (self.starts, self.positions, self.values)), self.width)

    @classmethod
    def of(cls, shape: tuple[int, ...], rows: ArrayLike, positions: ArrayLike, values: ArrayLike) -> Sparse:
        """Return the matrix of this shape with values[k] at (rows[k], positions[k]); values of one place are added."""
        from scipy.sparse import coo_array

        entries = (np.asarray(values, dtype=np.int64), (np.asarray(rows), np.asarray(positions)))
        return _sparse(coo_array(entries, shape=shape).tocsr())

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), self.width

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def T(self) -> Sparse:  # noqa: N802 - as numpy says it
        return _sparse(self._scipy.T.tocsr())

    @property
    def size(self) -> int:
        return len(self.values)

    @property
    def work(self) -> int:
        return WORK * len(self.values)

    @property
    def entries(self) -> int:
        return len(self.values)

    @cached_property
    def largest(self) -> int:
        return max(int(self.values.max(initial=0)), -int(self.values.min(initial=0)))

    def dense(self) -> Integers:
        """Return the same rows with every 0 written out; BadModel where that would take too much memory."""
        rows = _zeros(self.shape)
        rows[self.owners, self.positions] = self.values
        return rows

    def sparse(self) -> Sparse:
        return self

    @property
    def owners(self) -> Indices:
        """Return the row of each entry."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    @cached_property
    def _scipy(self) -> Any:
        from scipy.sparse import csr_array

        return csr_array((self.values, self.positions, self.starts), shape=self.shape)

    def __matmul__(self, other: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(self._scipy @ other)

    def __rmatmul__(self, other: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(self._scipy.T @ other.T).T

    def __getitem__(self, chosen: Any) -> Sparse:
        return _sparse(self._scipy[chosen])

    def products(self, bits: Bits | NDArray[np.int8]) -> Integers:
        """Return bits @ self.T, exact: in whole numbers as short as sums allow, which is faster than floats."""
        largest = int(self.sizes.max(initial=0))
        kind = np.int16 if largest < 2**15 else np.int32 if largest < 2**31 else np.int64
        product = self._scipy.astype(kind) @ np.ascontiguousarray(bits.T, dtype=kind)
        return np.asarray(product.T.astype(np.int64))

    def __mul__(self, factors: Integers) -> Sparse:
        entries = factors[self.positions] if factors.ndim == 1 else factors[self.owners, 0]
        others = self if np.all(entries) else self._only(entries != 0)
        return Sparse(others.starts, others.positions, others.values * entries[entries != 0], self.width)

    def by_sign(self) -> tuple[Sparse, Sparse]:
        return self._only(self.values < 0), self._only(self.values > 0)

    def _only(self, entries: NDArray[np.bool_]) -> Sparse:
        """Return the rows with these of their entries alone."""
        before = np.concatenate([[0], np.cumsum(entries)])
        return Sparse(before[self.starts], self.positions[entries], self.values[entries], self.width)

    def sum(self, axis: int) -> Integers:
        if axis != 1:
            raise ValueError(f"axis must be 1, got {axis}")
        totals = np.concatenate([[0], np.cumsum(self.values)])
        return np.asarray(totals[self.starts[1:]] - totals[self.starts[:-1]])

    @cached_property
    def sizes(self) -> Integers:
        return Sparse(self.starts, self.positions, np.abs(self.values), self.width).sum(axis=1)

    @property
    def squares(self) -> NDArray[np.float64]:
        return np.asarray(np.bincount(self.owners, self.values.astype(np.float64) ** 2, minlength=len(self)), dtype=np.float64)

    def any(self, axis: int) -> NDArray[np.bool_]:
        if axis != 0:
            raise ValueError(f"axis must be 0, got {axis}")
        return np.bincount(self.positions, minlength=self.width) > 0

    def row(self, j: int) -> tuple[Indices, Integers]:
        entries = slice(self.starts[j], self.starts[j + 1])
        return self.positions[entries], self.values[entries]

    def written_out(self) -> Iterator[Integers]:
        row = np.zeros(self.width, dtype=np.int64)
        for j in range(len(self)):
            positions, values = self.row(j)
            row[positions] = values
            yield row
            row[positions] = 0

    def packed(self, zeros: int) -> Integers:
        """Return each row's values, then zeros. BadModel where one row is too long for so many rows of its length."""
        lengths = np.diff(self.starts)
        rows = _zeros((len(self), min(int(lengths.max(initial=0)) + zeros, self.width)))
        rows[self.owners, np.arange(self.size) - np.repeat(self.starts[:-1], lengths)] = self.values
        return rows

    def regrouped(self, columns: Indices, signs: Integers, width: int) -> Sparse:
        values = self.values * signs[self.positions]
        return Sparse.of((len(self), width), self.owners, columns[self.positions], values)

    def largest_sums(self, count: int) -> Integers:
        sizes, place = np.abs(self.values), np.arange(self.size) - np.repeat(self.starts[:-1], np.diff(self.starts))
        falling = np.zeros((len(self), min(count, self.width)), dtype=np.int64)
        order, first = np.lexsort((-sizes, self.owners)), place < count
        falling[self.owners[first], place[first]] = sizes[order][first]
        return np.asarray(falling.cumsum(axis=1))

    def column_order(self) -> Indices:
        columns = self.T
        signs = np.sign(columns.values)  # of two columns, the one with the first number above 0, or without one below, is larger
        keys = list(zip(signs.tolist(), (-signs * columns.positions).tolist(), columns.values.tolist(), strict=True))
        edges = columns.starts.tolist()
        order = sorted(range(self.width), key=lambda j: [*keys[edges[j] : edges[j + 1]], (0, 0, 0)])
        return np.array(order, dtype=np.int64)

    def parts(self, name: str) -> dict[str, Integers]:
        arrays = {"starts": self.starts, "positions": self.positions, "values": self.values, "width": np.array([self.width])}
        return {f"{name}.{part}": array for part, array in arrays.items()}


def _sparse(rows: Any) -> Sparse:
    """Return scipy's rows as ours."""
    rows.sum_duplicates()
    rows.eliminate_zeros()
    return Sparse(rows.indptr, rows.indices, rows.data, rows.shape[1])


def _zeros(shape: tuple[int, int]) -> Integers:
    if shape[0] * shape[1] > LARGEST_DENSE:
        raise BadModel(f"expected at most {LARGEST_DENSE} weights where zeros are written out, got {shape[0]} rows of {shape[1]}")
    return np.zeros(shape, dtype=np.int64)
