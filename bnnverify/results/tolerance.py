"""The largest radius at which a given share of adversarial inputs is tolerated, in its two definitions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass(frozen=True)
class SafeRadius:
    """The exact share of points of each ball around an input at which the event happens, held against a tolerance.

    shares: one per radius 0, 1, 2, ..., as far as counted. searched: the largest radius of the question.
    failing: a radius that is known to exceed the tolerance, even if its count is not finished.
    The share need not grow with the radius, so there are two answers: `first_failure` and `largest_success`.
    """

    engine: str
    event: str
    predicted: int
    tolerance: Fraction
    shares: tuple[Fraction, ...]
    searched: int
    seconds: float
    reason: str = ""
    failing: int | None = None

    @property
    def exact(self) -> bool:
        return len(self.shares) == self.searched + 1

    @property
    def fails_at(self) -> int | None:
        """Return the smallest radius whose share exceeds the tolerance, None while it is not known."""
        counted = next((radius for radius, share in enumerate(self.shares) if share > self.tolerance), None)
        return self.failing if counted is None and self.failing == len(self.shares) else counted

    @property
    def first_failure(self) -> int | None:
        """Return the largest radius before the share first exceeds the tolerance; None where radius 0 exceeds it.

        Where no counted radius exceeds it, this is the largest counted one: a lower bound, with failing - 1 above it if known.
        """
        last = (len(self.shares) if self.fails_at is None else self.fails_at) - 1
        return last if last >= 0 else None

    @property
    def largest_success(self) -> int | None:
        """Return the largest counted radius whose share does not exceed the tolerance, whatever happens below it."""
        return max((radius for radius, share in enumerate(self.shares) if share <= self.tolerance), default=None)

    def to_json(self) -> dict[str, Any]:
        return {
            "tolerance": [self.tolerance.numerator, self.tolerance.denominator],
            "first_failure": self.first_failure,
            "largest_success": self.largest_success,
            "fails_at": self.fails_at,
            "failing": self.failing,
            "shares": [[share.numerator, share.denominator] for share in self.shares],
            "searched": self.searched,
            "exact": self.exact,
            "event": self.event,
            "predicted": self.predicted,
            "engine": self.engine,
            "seconds": self.seconds,
            "reason": self.reason,
        }
