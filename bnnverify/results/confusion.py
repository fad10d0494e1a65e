"""How often two networks give each pair of answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bnnverify.results.counts import Count


@dataclass(frozen=True)
class Confusion:
    """At how many points of a region one network answers c and another k: counts[c][k]. size: of all points.

    apart: at how many they differ. engine: the one that counted. seconds: wall clock. reason: why it is not exact, if so.
    """

    size: int
    counts: tuple[tuple[Count, ...], ...]
    apart: Count
    engine: str
    seconds: float
    reason: str = ""

    @property
    def exact(self) -> bool:
        return self.apart.exact and all(count.exact for row in self.counts for count in row)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "exact": self.exact}
