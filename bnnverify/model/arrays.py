"""Integers in arrays: the types of bits and weights, checked where a caller gives them."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.errors import BadModel, BadQuery

Bits = NDArray[np.uint8]
Integers = NDArray[np.int64]
Indices = NDArray[np.int64]  # places in an array

LARGEST_SUM = 2**62  # sums stay inside 64-bit integers with room for one comparison
LARGEST_DENSE = 2**25  # numbers in one dense matrix: 256 MiB


def as_integers(values: ArrayLike, name: str, ndim: int) -> Integers:
    """Return values as a read-only int64 array of ndim dimensions, or raise BadModel, which names them."""
    array = np.asarray(values)
    if array.ndim != ndim:
        raise BadModel(f"{name}: expected {ndim} dimensions, got shape {array.shape}")
    if array.dtype.kind == "f":
        if not np.all(np.isfinite(array)):
            raise BadModel(f"{name}: expected whole numbers, got NaN or infinity")
        if np.any(array != np.floor(array)):
            raise BadModel(f"{name}: expected whole numbers, got {array[array != np.floor(array)][0]}")
    elif array.dtype.kind not in "iub":
        raise BadModel(f"{name}: expected whole numbers, got type {array.dtype}")
    if array.size and float(np.abs(array.astype(np.float64)).max()) >= LARGEST_SUM:
        raise BadModel(f"{name}: expected numbers below 2^62, got a larger one")
    integers = array.astype(np.int64)
    integers.setflags(write=False)
    return integers


def fewest_bytes(integers: NDArray[Any]) -> NDArray[Any]:
    """Return the same numbers in the smallest type of signed integers that holds them: what is sent to other processes."""
    low, high = int(integers.min(initial=0)), int(integers.max(initial=0))
    kinds: tuple[type[np.signedinteger[Any]], ...] = (np.int8, np.int16, np.int32)
    return integers.astype(next((kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max), np.int64))


def as_integer(value: object, name: str) -> int:
    """Return value as a Python integer, or raise BadQuery, which names it."""
    try:
        return index(value)  # type: ignore[arg-type]
    except TypeError:
        raise BadQuery(f"{name} must be a whole number, got {value!r}") from None
