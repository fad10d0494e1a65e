"""Rows of weights that are mostly 0, as convolutions and windows have them: only the others are kept.

`Sparse` speaks as much of numpy's language as rooms that read a whole network need, so that they say things once for both kinds
of rows: products, sums, absolute values, scaled columns and rows, some of the rows or columns. Products and choices are scipy's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.errors import BadModel
from bnnverify.model.arrays import LARGEST_SUM, Bits, Integers, as_integers

LARGEST_DENSE = 2**25  # numbers in one dense matrix: 256 MiB
SMALL = 2**16  # up to so many numbers, dense rows are as good
SHARE = 8  # at most one in so many weights of rows that are mostly 0 is not


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

    __array_ufunc__ = None  # numpy leaves `array @ sparse` to us

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
        if np.bincount(self._rows, np.abs(self.values)).max(initial=0) >= LARGEST_SUM:  # in floats, which do not overflow
            raise BadModel("sparse rows: expected weight sums below 2^62, got a larger one")

    @classmethod
    def of(cls, shape: tuple[int, ...], rows: ArrayLike, positions: ArrayLike, values: ArrayLike) -> Sparse:
        """Return the matrix of this shape with values[k] at (rows[k], positions[k]); those that meet are added."""
        from scipy.sparse import coo_array

        entries = (np.asarray(values, dtype=np.int64), (np.asarray(rows), np.asarray(positions)))
        return _sparse(coo_array(entries, shape=shape).tocsr())

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.starts) - 1, self.width

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def T(self) -> Sparse:  # noqa: N802 - as numpy says it
        return _sparse(self._scipy.T.tocsr())

    @property
    def size(self) -> int:
        """Return how many numbers are kept."""
        return len(self.values)

    def dense(self) -> Integers:
        """Return the same rows with every 0 written out; BadModel where that would take too much memory."""
        rows = _zeros(self.shape)
        rows[self._rows, self.positions] = self.values
        return rows

    @property
    def _rows(self) -> NDArray[np.intp]:
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
        """Return some rows, [rows], or some columns, [:, columns], in the order given; by numbers or yes/no values."""
        return _sparse(self._scipy[chosen])

    def products(self, bits: Bits | NDArray[np.int8]) -> Integers:
        """Return bits @ self.T: (N, width) to (N, rows). In whole numbers as short as sums allow: faster than floats."""
        largest = int(self.sizes.max(initial=0))
        kind = np.int16 if largest < 2**15 else np.int32 if largest < 2**31 else np.int64
        product = self._scipy.astype(kind) @ np.ascontiguousarray(bits.T, dtype=kind)
        return np.asarray(product.T.astype(np.int64))

    def __mul__(self, factors: Integers) -> Sparse:
        """Return the rows with factors (width,) on their columns or (rows, 1) on themselves."""
        entries = factors[self.positions] if factors.ndim == 1 else factors[self._rows, 0]
        others = self if np.all(entries) else self.only(entries != 0)
        return Sparse(others.starts, others.positions, others.values * entries[entries != 0], self.width)

    def only(self, entries: NDArray[np.bool_]) -> Sparse:
        """Return the rows with these of their entries alone."""
        before = np.concatenate([[0], np.cumsum(entries)])
        return Sparse(before[self.starts], self.positions[entries], self.values[entries], self.width)

    def sum(self, axis: int) -> Integers:
        """Return the sum of each row (axis 1): (rows,)."""
        if axis != 1:
            raise ValueError(f"axis must be 1, got {axis}")
        totals = np.concatenate([[0], np.cumsum(self.values)])
        return np.asarray(totals[self.starts[1:]] - totals[self.starts[:-1]])

    @cached_property
    def sizes(self) -> Integers:
        """Return the sum of the absolute values of each row: (rows,)."""
        return Sparse(self.starts, self.positions, np.abs(self.values), self.width).sum(axis=1)

    @property
    def squares(self) -> NDArray[np.float64]:
        """Return the sum of the squares of each row, about: (rows,)."""
        return np.asarray(np.bincount(self._rows, self.values.astype(np.float64) ** 2, minlength=len(self)), dtype=np.float64)

    def any(self, axis: int) -> NDArray[np.bool_]:
        """Return which columns have an entry (axis 0): (width,)."""
        if axis != 0:
            raise ValueError(f"axis must be 0, got {axis}")
        return np.bincount(self.positions, minlength=self.width) > 0

    def row(self, j: int) -> tuple[Integers, Integers]:
        """Return where row j is not 0, ascending, and its values there."""
        mine = slice(self.starts[j], self.starts[j + 1])
        return self.positions[mine], self.values[mine]

    def packed(self, zeros: int) -> Integers:
        """Return each row's values, then zeros: not all of them, but at least this many unless the row has fewer.

        Sorted, it has the same smallest and largest few numbers as the dense row. BadModel where one row is so much longer than
        the others that this takes too much memory.
        """
        lengths = np.diff(self.starts)
        rows = _zeros((len(self), min(int(lengths.max(initial=0)) + zeros, self.width)))
        rows[self._rows, np.arange(self.size) - np.repeat(self.starts[:-1], lengths)] = self.values
        return rows


Matrix = Integers | Sparse


def _sparse(rows: Any) -> Sparse:
    """Return scipy's rows as ours."""
    rows.sum_duplicates()
    rows.eliminate_zeros()
    return Sparse(rows.indptr, rows.indices, rows.data, rows.shape[1])


def sparse(rows: Integers) -> Sparse:
    """Return dense rows without their zeros: (m, n)."""
    row, column = np.nonzero(rows)
    return Sparse.of(rows.shape, row, column, rows[row, column])


def fitting(rows: Matrix) -> Matrix:
    """Return the rows, sparse ones as dense ones where they are few or where many of their numbers are not 0."""
    if not isinstance(rows, Sparse):
        return rows
    numbers = prod(rows.shape)
    return rows if numbers > min(LARGEST_DENSE, max(SMALL, SHARE * rows.size)) else rows.dense()


def printed(name: str, rows: Matrix) -> Iterator[bytes]:
    """Yield what fingerprints cover, the same however the rows are kept: zeros too, unless there are very many."""
    if len(rows.shape) == 2 and prod(rows.shape) > max(LARGEST_DENSE, SHARE * _entries(rows)):
        found = rows if isinstance(rows, Sparse) else sparse(rows)
        for part, numbers in parts_of(name, found).items():
            yield from printed(part, numbers)
        return
    yield f"{name} {rows.shape} ".encode()
    step = 1 + LARGEST_DENSE // (16 * max(1, prod(rows.shape[1:])))
    for first in range(0, len(rows), step):
        some = rows[first : first + step]
        yield np.ascontiguousarray(dense(some), dtype="<i8").tobytes()


def dense(rows: Matrix) -> Integers:
    """Return the rows with every 0 written out; BadModel where that would take too much memory."""
    return rows.dense() if isinstance(rows, Sparse) else rows


def parts_of(name: str, rows: Matrix) -> dict[str, Integers]:
    """Return the rows as named arrays: what the native format stores."""
    if not isinstance(rows, Sparse):
        return {name: rows}
    arrays = {"starts": rows.starts, "positions": rows.positions, "values": rows.values, "width": np.array([rows.width])}
    return {f"{name}.{part}": array for part, array in arrays.items()}


def _entries(rows: Matrix) -> int:
    return rows.size if isinstance(rows, Sparse) else int(np.count_nonzero(rows))


def _zeros(shape: tuple[int, int]) -> Integers:
    if shape[0] * shape[1] > LARGEST_DENSE:
        raise BadModel(f"expected at most {LARGEST_DENSE} weights where zeros are written out, got {shape[0]} rows of {shape[1]}")
    return np.zeros(shape, dtype=np.int64)


def as_rows(values: ArrayLike | Sparse, what: str) -> Matrix:
    """Return values as rows of whole numbers, or say what is wrong with them."""
    return values if isinstance(values, Sparse) else as_integers(values, what, 2)


def at(rows: Matrix, j: int) -> tuple[Integers, Integers]:
    """Return where row j is not 0, ascending, and its numbers there."""
    if isinstance(rows, Sparse):
        return rows.row(j)
    positions = np.flatnonzero(rows[j])
    return positions, rows[j][positions]


def sizes(rows: Matrix) -> Integers:
    """Return the sum of the absolute values of each row: (m, n) to (m,)."""
    return rows.sizes if isinstance(rows, Sparse) else np.abs(rows).sum(axis=1)


def by_sign(rows: Matrix) -> tuple[Matrix, Matrix]:
    """Return the rows with their negative numbers alone, and with their positive ones alone."""
    if isinstance(rows, Sparse):
        return rows.only(rows.values < 0), rows.only(rows.values > 0)
    return np.minimum(rows, 0), np.maximum(rows, 0)


def swing(rows: Matrix) -> tuple[Integers, Integers]:
    """Return the smallest and largest of each rows[j] @ x over all bits x: (m, n) to (m,), (m,)."""
    negative, positive = by_sign(rows)
    return negative.sum(axis=1), positive.sum(axis=1)


def exact_products(bits: Bits | NDArray[np.int8], weights: Matrix) -> Integers:
    """Return bits @ weights.T, exact: (N, n) and (m, n) to (N, m). bits: 0 and 1, or -1 and +1.

    Floating point is used only where every partial sum is a whole number that the float type represents exactly;
    it is then the same number as integer arithmetic gives, and much faster.
    """
    if isinstance(weights, Sparse):
        return weights.products(bits)
    largest = int(np.abs(weights).sum(axis=1).max(initial=0))
    kind: Any = np.float32 if largest < 2**24 else np.float64 if largest < 2**53 else np.int64
    product = bits.astype(kind) @ weights.T.astype(kind)
    return np.asarray(product.astype(np.int64))
