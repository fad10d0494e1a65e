"""A latent code as a whole number, bit j of the latent layer in place j; and the code that a class has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import fsum, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnverify.network import Bits

Codes = NDArray[np.int64]

WIDEST = 62  # bits of a code, so that it is one whole number of a machine


def numbers_of(bits: Bits) -> Codes:
    """Return codes as whole numbers: (points, width) to (points,)."""
    numbers = np.zeros(len(bits), dtype=np.int64)
    for j in range(bits.shape[1]):
        numbers |= bits[:, j].astype(np.int64) << j
    return numbers


def bits_of(codes: Codes | list[int], width: int) -> Bits:
    """Return codes as bits: (codes,) to (codes, width)."""
    return (np.asarray(codes, dtype=np.int64)[:, None] >> np.arange(width) & 1).astype(np.uint8)


def entropy(counts: Iterable[int]) -> float:
    """Return the Shannon entropy, in bits, of drawing one of so many points evenly and looking at its code."""
    times = [k for k in counts if k]
    size = sum(times)
    return fsum(k / size * (log2(size) - log2(k)) for k in times) if len(times) > 1 else 0.0


def word(code: int, width: int) -> str:
    """Return a code as a word of 0s and 1s, bit 0 first."""
    return "".join(str(code >> j & 1) for j in range(width))


@dataclass(frozen=True)
class ClassCodes:
    """The code that most samples of each class have (of equally frequent ones the smallest), None for a class without samples.

    times: per class, how many samples have that code, and how many there are.
    """

    width: int
    codes: tuple[int | None, ...]
    times: tuple[tuple[int, int], ...]

    @property
    def separation(self) -> tuple[tuple[int | None, ...], ...]:
        """Return in how many bits the codes of each two classes differ: (classes, classes); None where one has no code."""
        pairs = (((a, b) for b in self.codes) for a in self.codes)
        return tuple(tuple(None if a is None or b is None else (a ^ b).bit_count() for a, b in row) for row in pairs)

    @property
    def least(self) -> int | None:
        """Return the smallest distance between codes of two different classes, None with fewer than two codes."""
        known = [code for code in self.codes if code is not None]
        return min(((a ^ b).bit_count() for i, a in enumerate(known) for b in known[:i]), default=None)

    @property
    def share(self) -> Fraction | None:
        """Return the share of samples that have exactly the code of their class."""
        hits, total = (sum(column) for column in zip(*self.times, strict=True))
        return Fraction(hits, total) if total else None

    def to_json(self) -> dict[str, Any]:
        return {
            "codes": [None if code is None else word(code, self.width) for code in self.codes],
            "times": [list(pair) for pair in self.times],
            "separation": [list(row) for row in self.separation],
            "least": self.least,
        }
