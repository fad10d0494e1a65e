"""Which of n positions: as lists and as yes/no values, and as ranges in words."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.errors import BadQuery


def mask_of(positions: ArrayLike, n: int) -> NDArray[np.bool_]:
    """Return 0-based positions as n yes/no values."""
    spots = np.asarray(positions)
    if spots.dtype == np.bool_ and spots.shape == (n,):
        return spots
    if spots.size == 0:
        return np.zeros(n, dtype=np.bool_)
    if spots.ndim != 1 or spots.dtype.kind not in "iu":
        raise BadQuery("free positions: expected a list of whole numbers")
    if spots.min() < 0 or spots.max() >= n:
        raise BadQuery(
            f"free positions must be between 0 and {n - 1}, got {int(spots.min() if spots.min() < 0 else spots.max())}"
        )
    mask = np.zeros(n, dtype=np.bool_)
    mask[spots] = True
    return mask


def range_of(word: str) -> range:
    """Return the numbers that 17 or 0-99 names; none where it names neither, or runs backwards."""
    match = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", word, re.ASCII)
    return range(int(match[1]), int(match[2] or match[1]) + 1) if match else range(0)
