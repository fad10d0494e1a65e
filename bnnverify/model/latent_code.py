"""A latent code as an integer, bit j of the latent layer in place j, as bits and as text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bnnverify.model.arrays import Bits

Codes = NDArray[np.int64]

WIDEST = 62  # bits of a code, so that it fits a 64-bit integer


def integers_of(bits: Bits) -> Codes:
    """Return codes as integers: (points, width) to (points,)."""
    integers = np.zeros(len(bits), dtype=np.int64)
    for j in range(bits.shape[1]):
        integers |= bits[:, j].astype(np.int64) << j
    return integers


def bits_of(codes: Codes | list[int], width: int) -> Bits:
    """Return codes as bits: (codes,) to (codes, width)."""
    return (np.asarray(codes, dtype=np.int64)[:, None] >> np.arange(width) & 1).astype(np.uint8)


def bit_string(code: int, width: int) -> str:
    """Return a code as a text of 0s and 1s, bit 0 first."""
    return "".join(str(code >> j & 1) for j in range(width))
