"""What flips cost: one each, or what it takes to change the pixels behind them; and which points a limit leaves.

A bit that a picture's pixel decides flips when the pixel crosses its threshold, which takes t - v upwards and v - t + 1
downwards: that is the cheapest change, so the nearest picture is the nearest set of flips, priced. A bit that no pixel value can
flip has no cost and stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.errors import BadQuery, BadSample
from bnnverify.model.arrays import LARGEST_SUM, Bits, Integers, as_integers
from bnnverify.model.coding import InputCoding
from bnnverify.problem.ball import Ball, Shell, Subcube
from bnnverify.problem.region import Region

NORMS = {
    "0": "number of changed pixels",
    "1": "sum of changes",
    "2": "sum of squared changes",
    "inf": "largest change",
}


@dataclass(frozen=True, eq=False)
class Cost:
    """The cost of a set of flips: the sum of its values, or with norm "inf" the largest.

    values: (n,) whole numbers of at least 1. possible: (n,) which positions can flip at all.
    norm: a key of NORMS. steps: (n,) how far each pixel must go to flip its bit; None where bits are no pixels.
    """

    values: Integers
    possible: NDArray[np.bool_]
    norm: str = "1"
    steps: Integers | None = None

    def __post_init__(self) -> None:
        if self.norm not in NORMS:
            raise BadQuery(f"norm must be one of {', '.join(NORMS)}, got {self.norm!r}")
        values, possible = as_integers(self.values, "costs", 1), np.asarray(self.possible)
        if possible.shape != values.shape or possible.dtype != np.bool_:
            raise BadQuery(f"costs: expected {len(values)} yes/no values for what is possible, got {possible.shape}")
        if values[possible].min(initial=1) < 1:
            raise BadQuery(f"costs: expected whole numbers of at least 1, got {values[possible].min()}")
        if sum(values[possible].tolist()) >= LARGEST_SUM:
            raise BadQuery("costs: expected a sum below 2^62, got a larger one")
        object.__setattr__(self, "values", np.where(possible, values, 0))

    @property
    def largest_counts(self) -> bool:
        """Return whether the dearest flip is the cost, and not the sum."""
        return self.norm == "inf"

    def of(self, flips: Sequence[int]) -> int:
        """Return what these 0-based positions cost together."""
        values = self.values[list(flips)].tolist()
        return max(values, default=0) if self.largest_counts else sum(values)

    def changes(self, flips: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """Return the cheapest change of pixels that makes these flips: position and step; empty where bits are no pixels."""
        return () if self.steps is None else tuple((i, int(self.steps[i])) for i in flips)

    def within(self, free: NDArray[np.bool_]) -> Cost:
        """Return the same costs, flips outside free (n,) being impossible."""
        return replace(self, possible=self.possible & free)

    @cached_property
    def total(self) -> int:
        """Return the largest cost that any set of flips has."""
        return self.of(np.flatnonzero(self.possible).tolist())

    def cheapest(self, many: int) -> int:
        """Return the least that so many flips cost."""
        return self.of(np.flatnonzero(self.possible)[np.argsort(self.values[self.possible])[:many]].tolist())

    def regions(self, center: Bits, least: int, most: int) -> list[Region]:
        """Return disjoint regions that hold all points costing least..most around center, and as few others as such regions can.

        With a sum there is one for each number of flips: the more there are, the cheaper each of them must be.
        """
        if self.largest_counts:
            free = self.possible & (self.values <= most)
            return [Subcube(center, free)] if self.values[free].max(initial=0) >= least else []
        values = np.sort(self.values[self.possible])
        cheapest = np.concatenate([[0], np.cumsum(values)])  # of so many flips
        shells: list[Region] = []
        for k in range(int(np.searchsorted(cheapest, most, side="right"))):
            free = self.possible & (self.values <= most - cheapest[k - 1]) if k else np.zeros_like(self.possible)
            if sum(np.sort(self.values[free])[::-1][:k].tolist()) >= least:
                shells.append(Shell(center, k, free=free))
        return shells

    def hull(self, center: Bits, least: int, most: int) -> Region:
        """Return the smallest single region that holds all of `regions`, which must not be empty."""
        parts = self.regions(center, least, most)
        free = np.any([part.free for part in parts], axis=0)
        return Ball(center, free, min(part.inner for part in parts), max(part.outer for part in parts))

    def is_kept(self, region: Region, most: int) -> bool:
        """Return whether no point of such a region costs more than most."""
        dearest = np.sort(self.values[region.free])[::-1][: region.outer].tolist()
        return self.largest_counts or sum(dearest) <= most


def flip_cost(n: int) -> Cost:
    """Return the cost of 1 for each flip: Hamming distance."""
    return Cost(np.ones(n, dtype=np.int64), np.ones(n, dtype=np.bool_), "0")


def pixel_cost(coding: InputCoding | None, pixels: ArrayLike | None, norm: str) -> Cost:
    """Return what each flip costs a picture, pixels (n,) of 0..coding.maximum; norm "2" counts squares, without the root.

    Raises BadQuery where the model has no pixel thresholds or the input is bits only.
    """
    if coding is None:
        raise BadQuery(f"norm {norm}: expected a model with pixel thresholds, got one without an input coding")
    if pixels is None:
        raise BadQuery(f"norm {norm}: expected a picture such as mnist:7, got bits, whose pixels nobody knows")
    grey = np.asarray(pixels)
    if grey.shape != coding.thresholds.shape or grey.dtype.kind not in "iu":
        raise BadSample(f"expected {len(coding.thresholds)} whole pixel values, got shape {grey.shape} of {grey.dtype}")
    if grey.size and not 0 <= int(grey.min()) <= int(grey.max()) <= coding.maximum:
        raise BadSample(f"expected pixels of 0..{coding.maximum}, got {grey.min()}..{grey.max()}")
    grey = grey.astype(np.int64)
    steps = np.where(coding.bits(grey) == 1, coding.thresholds - 1 - grey, coding.thresholds - grey)
    values = {"0": np.ones_like(steps), "2": steps**2}.get(norm, np.abs(steps))
    return Cost(np.where(coding.flippable, values, 0), coding.flippable, norm, np.where(coding.flippable, steps, 0))
