"""The rows of weights of a layer: one protocol, and the leaves `Dense` and `Sparse`, which no other module distinguishes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.model.arrays import LARGEST_DENSE as LARGEST_DENSE
from bnnverify.model.arrays import Bits, Indices, Integers, as_integers
from bnnverify.model.dense import Dense as Dense
from bnnverify.model.sparse import Sparse as Sparse

SMALL = 2**16  # numbers up to which dense rows are as fast
SHARE = 8  # sparse rows have at most one weight in so many that is not 0


class Matrix(Protocol):
    """Rows of whole numbers, (rows, columns); operators and indices as in numpy."""

    @property
    def shape(self) -> tuple[int, int]:
        """Return the number of rows and of columns."""

    def __len__(self) -> int:
        """Return the number of rows."""

    @property
    def size(self) -> int:
        """Return how many numbers are stored."""

    @property
    def entries(self) -> int:
        """Return how many numbers are not 0."""

    @property
    def work(self) -> int:
        """Return how many numbers a dense matrix has whose products take as long."""

    @property
    def largest(self) -> int:
        """Return the largest absolute value."""

    @property
    def sizes(self) -> Integers:
        """Return the sum of the absolute values of each row: (rows,)."""

    @property
    def squares(self) -> NDArray[np.float64]:
        """Return the sum of the squares of each row, about: (rows,)."""

    @property
    def T(self) -> Matrix:  # noqa: N802 - as numpy says it
        """Return the columns as rows."""

    def dense(self) -> Integers:
        """Return the numbers with every 0 written out; BadModel where that would take too much memory."""

    def sparse(self) -> Sparse:
        """Return the numbers that are not 0."""

    def __matmul__(self, other: NDArray[Any]) -> NDArray[Any]:
        """Return the product with a column, (columns,) to (rows,), or with several, (columns, k) to (rows, k)."""

    def __rmatmul__(self, other: NDArray[Any]) -> NDArray[Any]:
        """Return the sum of the rows, each times its number: (rows,) to (columns,), or (k, rows) to (k, columns)."""

    def __getitem__(self, chosen: Any) -> Matrix:
        """Return some rows, [rows], or some columns, [:, columns], in the order given; by numbers or yes/no values."""

    def __mul__(self, factors: Integers) -> Matrix:
        """Return the matrix with factors (columns,) on its columns or (rows, 1) on its rows."""

    def products(self, bits: Bits | NDArray[np.int8]) -> Integers:
        """Return bits @ self.T, exact: (N, columns) to (N, rows). bits: 0 and 1, or -1 and +1."""

    def sum(self, axis: int) -> Integers:
        """Return the sum of each row (axis 1): (rows,)."""

    def any(self, axis: int) -> NDArray[np.bool_]:
        """Return which columns have a number that is not 0 (axis 0): (columns,)."""

    def by_sign(self) -> tuple[Matrix, Matrix]:
        """Return the matrix with its negative numbers alone, and with its positive ones alone."""

    def row(self, j: int) -> tuple[Indices, Integers]:
        """Return where row j is not 0, ascending, and its numbers there."""

    def written_out(self) -> Iterator[Integers]:
        """Yield each row with its zeros, (columns,); the array is valid until the next row is yielded."""

    def packed(self, zeros: int) -> Integers:
        """Return the numbers of each row that are not 0, and this many zeros or more, unless the row has fewer: (rows, most).

        Sorted, such a row begins and ends as the row with all its zeros does.
        """

    def regrouped(self, columns: Indices, signs: Integers, width: int) -> Matrix:
        """Return rows of this width, column j times signs[j] added to column columns[j]."""

    def largest_sums(self, count: int) -> Integers:
        """Return the sums of the 1, 2, ... largest absolute values of each row: (rows, count or columns, the smaller)."""

    def column_order(self) -> Indices:
        """Return the columns in lexicographic order, so that equal ones are neighbours: (columns,)."""

    def parts(self, name: str) -> dict[str, Integers]:
        """Return the stored numbers as named arrays, as in the native format."""


def as_rows(values: ArrayLike | Matrix, name: str) -> Matrix:
    """Return values as rows of whole numbers, or raise BadModel, which names them."""
    return values if isinstance(values, Dense | Sparse) else Dense(as_integers(cast(ArrayLike, values), name, 2))


def identity(n: int) -> Matrix:
    """Return the rows of n neurons that each pass one bit on."""
    return fitting(Sparse(np.arange(n + 1), np.arange(n), np.ones(n, dtype=np.int64), n))


def fitting(rows: Matrix) -> Matrix:
    """Return the rows, sparse ones as dense ones where they are few or where many of their numbers are not 0."""
    numbers = prod(rows.shape)
    fits = isinstance(rows, Dense) or numbers > min(LARGEST_DENSE, max(SMALL, SHARE * rows.size))
    return rows if fits else Dense(rows.dense())


def stacked(parts: Sequence[Matrix]) -> Matrix:
    """Return the rows of all parts, one below the other; they have equally many columns."""
    if all(isinstance(part, Dense) for part in parts):
        return Dense(np.concatenate([part.dense() for part in parts]))
    rows = [part.sparse() for part in parts]
    lengths = np.concatenate([np.diff(part.starts) for part in rows])
    positions, values = (np.concatenate(each) for each in zip(*((part.positions, part.values) for part in rows), strict=True))
    return fitting(Sparse(np.concatenate([[0], np.cumsum(lengths)]), positions, values, rows[0].width))


def reach(rows: Matrix) -> tuple[Integers, Integers]:
    """Return the smallest and the largest of each rows[j] @ x over all bits x: (rows,), (rows,)."""
    negative, positive = rows.by_sign()
    return negative.sum(axis=1), positive.sum(axis=1)


def reach_between(rows: Matrix, low: NDArray[np.bool_], high: NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """Return the smallest and the largest of each rows[j] @ x for bits between low and high, (k, columns): (k, rows) each."""
    negative, positive = rows.by_sign()
    lows, highs = low.astype(np.uint8), high.astype(np.uint8)
    smallest = positive.products(lows) + negative.products(highs)
    return smallest, positive.products(highs) + negative.products(lows)


def exact_products(bits: Bits | NDArray[np.int8], weights: Matrix | Integers) -> Integers:
    """Return bits @ weights.T, exact: (N, n) and (m, n) to (N, m). bits: 0 and 1, or -1 and +1."""
    return (Dense(weights) if isinstance(weights, np.ndarray) else weights).products(bits)


def printed(name: str, numbers: Matrix | Integers) -> Iterator[bytes]:
    """Yield the bytes that fingerprints hash, the same for dense and sparse rows: zeros too, unless there are very many."""
    rows = Dense(numbers) if isinstance(numbers, np.ndarray) and numbers.ndim == 2 else numbers
    if not isinstance(rows, np.ndarray) and prod(rows.shape) > max(LARGEST_DENSE, SHARE * rows.entries):
        for part, array in rows.sparse().parts(name).items():
            yield from printed(part, array)
        return
    yield f"{name} {rows.shape} ".encode()
    step = 1 + LARGEST_DENSE // (16 * max(1, prod(rows.shape[1:])))
    for first in range(0, len(rows), step):
        some = rows[first : first + step]
        yield np.ascontiguousarray(some if isinstance(some, np.ndarray) else some.dense(), dtype="<i8").tobytes()
