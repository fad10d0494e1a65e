"""Tables as bits: CSV files in the style of the UCI collection; the coding is fitted to training rows only.

A column of numbers becomes thresholds (bit k is 1 from threshold k on), any other one-hot bits, one for each word met in
training; two words are one bit. A missing cell ("?" or empty) of a number column is 0 at every threshold; elsewhere it is a word.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnverify.data.samples import Samples
from bnnverify.errors import BadSample
from bnnverify.model.arrays import Bits
from bnnverify.training.data.split import Parts, split

MISSING = ("?", "")
THRESHOLDS = 4  # at most, of one column: at its fifths where it has more than five values

Cells = NDArray[np.str_]


@dataclass(frozen=True)
class Column:
    """How a column becomes bits: thresholds of its numbers, or its words, one of both."""

    name: str
    thresholds: tuple[float, ...] = ()
    words: tuple[str, ...] = ()

    def bits(self, cells: Cells) -> Bits:
        """Return the bits of cells (N,): (N, thresholds or words); text among numbers counts as missing."""
        if self.words:
            return np.asarray(cells[:, None] == np.array(self.words), dtype=np.uint8)
        values = np.array([_number(cell) for cell in cells.tolist()])
        return np.asarray(values[:, None] >= np.array(self.thresholds), dtype=np.uint8)


def column_of(name: str, cells: Cells) -> Column:
    """Return the coding of a column, fitted to these cells (N,)."""
    numbers = _numbers(cells)
    if numbers is None:
        words = sorted(set(cells.tolist()))
        return Column(name, words=tuple(words[1:] if len(words) <= 2 else words))
    values = np.unique(numbers)
    if len(values) <= THRESHOLDS + 1:
        return Column(name, thresholds=tuple(((values[1:] + values[:-1]) / 2).tolist()))
    fifths = np.quantile(numbers, np.arange(1, THRESHOLDS + 1) / (THRESHOLDS + 1))
    return Column(name, thresholds=tuple(np.unique(fifths[fifths > values[0]]).tolist()))


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _numbers(cells: Cells) -> NDArray[np.float64] | None:
    """Return the cells that are not missing as numbers; None where one is no number, or all are missing."""
    numbers = np.array([_number(cell) for cell in cells.tolist() if cell not in MISSING])
    return numbers if len(numbers) and np.all(np.isfinite(numbers)) else None


@dataclass(frozen=True, eq=False)
class Table:
    """The cells of a file: names (columns,), cells (rows, columns), and which column is the class."""

    names: tuple[str, ...]
    cells: Cells
    label: int
    name: str

    def parts(self, *, test_share: float, validation_share: float) -> Parts:
        """Return the rows as bits in three parts, with a coding fitted to the training rows."""
        classes, labels = self._classes()
        rows = Samples(np.zeros((len(labels), 1), dtype=np.uint8), labels, tuple(range(len(labels))), self.name)
        drawn = split(rows, test_share=test_share, validation_share=validation_share)
        inputs = [i for i in range(len(self.names)) if i != self.label]
        columns = [column_of(self.names[i], self.cells[list(drawn.train.indices), i]) for i in inputs]
        bits = np.hstack([column.bits(self.cells[:, i]) for i, column in zip(inputs, columns, strict=True)])
        if not bits.shape[1]:
            raise BadSample(f"{self.name}: expected a column that differs between training rows, got none")
        train, validation, test = (
            Samples(bits[list(some.indices)], some.labels, some.indices, self.name)
            for some in (drawn.train, drawn.validation, drawn.test)
        )
        return Parts(train, validation, test, {"classes": classes, "columns": [_plain(column) for column in columns]})

    def _classes(self) -> tuple[list[str], NDArray[np.int64]]:
        """Return the classes in order, and the class number of each row."""
        found, labels = np.unique(self.cells[:, self.label], return_inverse=True)
        if not 2 <= len(found) <= max(2, len(labels) // 2):
            values = f"{len(found)} different values in {len(labels)} rows"
            raise BadSample(f"{self.name}: expected a few classes in column {self.names[self.label]!r}, got {values}")
        return found.tolist(), labels.astype(np.int64)


def _plain(column: Column) -> dict[str, Any]:
    coding = {"words": list(column.words)} if column.words else {"thresholds": list(column.thresholds)}
    return {"name": column.name, **coding}


def read_table(path: Path, *, label: str | None = None, header: bool = True) -> Table:
    """Return the table in a CSV or blank-separated text file, packed with gzip or not.

    label: name or number of the column of classes, the last one by default. Without a header, columns are named 0, 1, 2, ...
    """
    rows = _rows(path)
    names = tuple(rows.pop(0)) if header and rows else tuple(map(str, range(len(rows[0]) if rows else 0)))
    if not rows:
        raise BadSample(f"{path}: expected rows of a table, got none")
    for number, row in enumerate(rows):
        if len(row) != len(names):
            raise BadSample(f"{path}: expected {len(names)} cells in every row, got {len(row)} in row {number}")
    return Table(names, np.array(rows, dtype=np.str_), _place(label, names, path), path.name)


def _place(label: str | None, names: tuple[str, ...], path: Path) -> int:
    if label is None:
        return len(names) - 1
    if label in names:
        return names.index(label)
    if label.isdecimal() and int(label) < len(names):
        return int(label)
    raise BadSample(f"{path}: expected a column of classes named {', '.join(names)[:200]}, got {label}")


def _rows(path: Path) -> list[list[str]]:
    """Return the stripped cells of every line that is not empty."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = [line for line in raw.decode("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise BadSample(f"{path}: expected digits, mnist, or a readable CSV file, got: {error}") from error
    if lines and "," not in lines[0]:
        return [line.split() for line in lines]
    return [[cell.strip() for cell in row] for row in csv.reader(lines)]
