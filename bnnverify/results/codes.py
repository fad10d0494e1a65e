"""Latent codes of a region or of a data set: how often each occurs, and the most common one of each class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import fsum, log2
from typing import Any

from bnnverify.model.latent_code import bit_string


def entropy(counts: Iterable[int]) -> float:
    """Return the Shannon entropy, in bits, of the code of a random point, all points equally likely; counts: points per code."""
    times = [k for k in counts if k]
    size = sum(times)
    return fsum(k / size * (log2(size) - log2(k)) for k in times) if len(times) > 1 else 0.0


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
            "codes": [None if code is None else bit_string(code, self.width) for code in self.codes],
            "times": [list(pair) for pair in self.times],
            "separation": [list(row) for row in self.separation],
            "least": self.least,
        }


@dataclass(frozen=True)
class Codes:
    """How many points of a region have each latent code (a tuple of bits). reason: why some are missing, if so."""

    size: int
    counts: dict[tuple[int, ...], int]
    reason: str = ""

    @property
    def exact(self) -> bool:
        return sum(self.counts.values()) == self.size

    def to_json(self) -> dict[str, Any]:
        counts = {"".join(map(str, code)): times for code, times in sorted(self.counts.items())}
        return {"size": self.size, "exact": self.exact, "counts": counts, "reason": self.reason}
