"""The first layer over all suffixes of a layout, precomputed: one row of words for each neuron and each sum it can still need.

Along a run a neuron is 1 exactly where the suffix adds what the prefix leaves missing. Few different sums can be missing, so each
has its row of bits, one per suffix, and the first layer of any prefix is a choice of rows, without arithmetic.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bnnverify.encoders.enumeration.layout import DEEPEST, Layout, best_layout
from bnnverify.encoders.netlist.backends.words import Words, packed
from bnnverify.model.arrays import Bits, Indices, Integers
from bnnverify.model.network import Block

LARGEST = 2**28  # bytes of rows
DENSE = 2**16  # missing sums of one neuron that an array is indexed with; among more, a binary search finds the row
BLOCK = 512  # bits: rows are multiples of the widest vector there is
ZEROS, ONES = 0, 1  # the first two rows


class FirstLayer:
    """Rows of suffix bits for one block over one region of flips; mixed: runs may hold points of several distances.

    layout: prefixes and suffixes. rows: (rows, words); row 0 is all zeros, row 1 all ones.
    """

    def __init__(self, block: Block, inner: int, outer: int, *, mixed: bool) -> None:
        self._block = block
        spread = block.matrix.largest_sums(DEEPEST)

        def fits(layout: Layout) -> bool:
            span = 2 * spread[:, layout.deepest - 1] + 1 if layout.deepest else np.ones(block.outputs)
            return int(np.minimum(span, layout.suffix_count).sum()) * layout.suffix_count <= 8 * LARGEST

        self.layout = best_layout(block.inputs, inner, outer, fits, mixed=mixed)
        self._steps: list[_Steps] = []
        width, used = -(-self.layout.suffix_count // BLOCK) * (BLOCK // 64), 2
        for weights in block.matrix.written_out():
            self._steps.append(_Steps(_distinct(self.layout.sums(weights)), used))
            used += len(self._steps[-1].values) - 1
        self.rows: Words = np.zeros((used, width), dtype=np.uint64)
        self.rows[ONES] = ~np.uint64(0)
        for weights, steps in zip(block.matrix.written_out(), self._steps, strict=True):
            later = steps.values[1:]
            if len(later):  # sums are made twice, because those of all neurons together may not fit into memory
                self.rows[steps.first : steps.first + len(later)] = packed(self.layout.sums(weights) >= later[:, None], width)

    @property
    def inputs(self) -> int:
        return self._block.inputs

    def choice(self, prefixes: Indices) -> NDArray[np.int32]:
        """Return for each prefix the row of every neuron: (runs, prefix size) to (neurons, runs)."""
        rows = np.empty((self._block.outputs, len(prefixes)), dtype=np.int32)
        columns = np.ascontiguousarray(prefixes.T)
        neurons = zip(self._steps, self._block.matrix.written_out(), self._block.bounds, strict=True)
        for j, (steps, weights, bound) in enumerate(neurons):
            rows[j] = steps.rows(bound - weights[columns].sum(axis=0))
        return rows

    def flips(self, prefix: Indices, suffix: int) -> Bits:
        """Return the flips of one point: (freedom,)."""
        flips = np.zeros(self._block.inputs, dtype=np.uint8)
        flips[[*prefix.tolist(), *self.layout.flips(suffix)]] = 1
        return flips


class _Steps:
    """The sums that suffixes give one neuron, ascending, and its rows: row first + k - 1 has a 1 where values[k] is reached."""

    def __init__(self, values: Integers, first: int) -> None:
        self.values, self.first = values, first
        self._low = int(values[0])
        span = int(values[-1]) - self._low + 1
        self._direct = self._searched(np.arange(self._low, self._low + span + 1)) if span <= DENSE else None

    def rows(self, missing: Integers) -> NDArray[np.int32]:
        """Return the rows for the sums that are still missing: (runs,)."""
        if self._direct is None:
            return self._searched(missing)
        return self._direct[np.clip(missing - self._low, 0, len(self._direct) - 1)]

    def _searched(self, missing: Integers) -> NDArray[np.int32]:
        short = np.searchsorted(self.values, missing)  # how many of the values are too small
        rows = np.where(short == 0, ONES, np.where(short == len(self.values), ZEROS, self.first + short - 1))
        return rows.astype(np.int32)


def _distinct(numbers: Integers) -> Integers:
    low, high = int(numbers.min()), int(numbers.max())
    if high - low < DENSE:
        return np.flatnonzero(np.bincount(numbers - low)) + low
    return np.unique(numbers)
