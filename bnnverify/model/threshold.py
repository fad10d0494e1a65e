"""The one brick: a whole-number weighted sum of bits that reaches a bound or does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnverify.model.arrays import LARGEST_SUM as LARGEST_SUM
from bnnverify.model.arrays import Bits as Bits
from bnnverify.model.arrays import Integers as Integers
from bnnverify.model.arrays import as_integers as as_integers
from bnnverify.model.matrix import exact_products as exact_products


@dataclass(frozen=True)
class Threshold:
    """The one brick: sum of weights[i] * bits[positions[i]] >= bound; zero weights are left out."""

    positions: tuple[int, ...]
    weights: tuple[int, ...]
    bound: int


def threshold(row: Integers, bound: int) -> Threshold:
    """Return the brick of a dense row."""
    positions = np.flatnonzero(row)
    return _brick(positions, row[positions], bound)


def _brick(positions: NDArray[np.intp], weights: Integers, bound: int) -> Threshold:
    return Threshold(tuple(positions.tolist()), tuple(weights.tolist()), int(bound))
