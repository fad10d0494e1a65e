"""Whole numbers that are known or partly known, and the points of a region per class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bnnverify.errors import Disagreement


@dataclass(frozen=True)
class Count:
    """A whole number known to lie in [low, high], with this confidence."""

    low: int
    high: int
    confidence: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise Disagreement(f"count: expected 0 <= low <= high, got {self.low}..{self.high}")

    @classmethod
    def exactly(cls, n: int) -> Count:
        return cls(n, n)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Count:
        """Return the count that asdict wrote; ValueError, KeyError or TypeError for other data."""
        low, high, confidence = data["low"], data["high"], data["confidence"]
        if not (isinstance(low, int) and isinstance(high, int) and isinstance(confidence, float) and 0 <= low <= high):
            raise ValueError("count: expected 0 <= low <= high and a confidence")
        return cls(low, high, confidence)

    @property
    def exact(self) -> bool:
        return self.low == self.high and self.confidence == 1.0


@dataclass(frozen=True)
class Shares:
    """How many points at exactly this distance have each class."""

    distance: int
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Tally:
    """How many points of a region have each class, size points in all.

    reason: why it is not exact, when it is not. shells: exact, per distance, as far as they are finished and known.
    pruned: how many points bounds alone decided, without an evaluation of each. counted: whether size is known; where it is not,
    size is a number that it does not exceed.
    """

    size: int
    counts: tuple[Count, ...]
    reason: str = ""
    shells: tuple[Shares, ...] = ()
    pruned: int = 0
    counted: bool = True

    @classmethod
    def partial(cls, size: int, classified: Sequence[int], reason: str = "") -> Tally:
        """Return the tally after classified[c] points of class c were counted and the others were not classified."""
        rest = size - sum(classified)
        return cls(size, tuple(Count(k, k + rest) for k in classified), reason)

    @classmethod
    def joined(cls, size: int, classes: int, parts: Iterable[tuple[int, Tally]], reason: str = "") -> Tally:
        """Return the tally of a region from those of disjoint parts; each comes with the distance of its centre."""
        low, high, shells, done, pruned = [0] * classes, [0] * classes, dict[int, list[int]](), 0, 0
        for distance, tally in parts:
            done, pruned = done + tally.size, pruned + tally.pruned
            low = [a + count.low for a, count in zip(low, tally.counts, strict=True)]
            high = [a + count.high for a, count in zip(high, tally.counts, strict=True)]
            for shares in tally.shells:
                shell = shells.setdefault(distance + shares.distance, [0] * classes)
                shells[distance + shares.distance] = [a + b for a, b in zip(shell, shares.counts, strict=True)]
        counts = tuple(Count(a, b + size - done) for a, b in zip(low, high, strict=True))
        finished = tuple(Shares(d, tuple(shell)) for d, shell in sorted(shells.items()))
        return cls(size, counts, reason, finished if sum(map(sum, shells.values())) == size else (), pruned)

    def to_json(self) -> dict[str, Any]:
        """Return what a finished count is stored as: its size is known."""
        return {name: value for name, value in asdict(self).items() if name != "counted"}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Tally:
        """Return the tally that to_json wrote; ValueError, KeyError or TypeError for other data."""
        shells = tuple(Shares(int(s["distance"]), tuple(map(int, s["counts"]))) for s in data["shells"])
        counts = tuple(map(Count.from_json, data["counts"]))
        return cls(int(data["size"]), counts, str(data["reason"]), shells, int(data["pruned"]))

    def of(self, classes: Iterable[int]) -> Count:
        """Return how many points have any of these classes, as narrow as the single counts allow."""
        inside = set(classes)
        low, high = (
            [sum(getattr(c, side) for i, c in enumerate(self.counts) if (i in inside) == belongs) for belongs in (True, False)]
            for side in ("low", "high")
        )
        confidence = min((c.confidence for c in self.counts), default=1.0)
        if not self.counted:
            return Count(low[0], min(high[0], self.size), confidence)
        return Count(max(low[0], self.size - high[1]), min(high[0], self.size - low[1]), confidence)

    def sharpened(self) -> Tally:
        """Return the same tally with each count narrowed by the others."""
        return replace(self, counts=tuple(self.of([c]) for c in range(len(self.counts))))
