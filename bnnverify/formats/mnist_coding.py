"""The input coding of the published MNIST networks: a picture, resized, and one byte threshold for all of its pixels."""

from __future__ import annotations

from math import isqrt

import numpy as np

from bnnverify.model.coding import InputCoding

MNIST_THRESHOLD = 34  # (v / 255 - 0.1307) / 0.3081 >= 0 for bytes v from 34 on


def mnist_coding(n: int) -> InputCoding | None:
    """Return the coding of n bits as a square picture of bytes, or None where n is no square."""
    side = isqrt(n)
    if side * side != n:
        return None
    return InputCoding(np.full(n, MNIST_THRESHOLD), shape=(side, side))
