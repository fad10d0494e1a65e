"""Estimates as text: the number and its interval; only an exact 0 is written as 0, only an exact 1 as 100 %."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from bnnverify.report import numbers
from bnnverify.results.comparison import Estimate


@dataclass(frozen=True)
class Written:
    """An estimate as text: low .. high where rows are open, and the ends of its interval."""

    value: str
    interval: str

    def __str__(self) -> str:
        return f"{self.value} {self.interval}".strip()


EMPTY = Written("", "")


def written(known: Estimate | None, write: Callable[[float], str]) -> Written:
    """Return an estimate with every end written by the same function; empty where the estimate is not known."""
    if known is None:
        return EMPTY
    low, high, lower, upper = map(write, (known.low, known.high, known.lower, known.upper))
    return Written(low if low == high else f"{low} .. {high}", f"[{lower}, {upper}]")


def share(known: Estimate | None) -> Written:
    """Return a share in percent."""
    return written(known, lambda part: numbers.share(Fraction(part)))


def points(known: Estimate | None) -> Written:
    """Return a difference of two shares in percentage points, with its sign."""
    return written(known, _points)


def mean(known: Estimate | None) -> Written:
    """Return a mean of numbers, such as of distances."""
    return written(known, lambda value: f"{value:.2f}")


def seconds(known: Estimate | None) -> Written:
    """Return a duration."""
    return written(known, numbers.seconds)


def probability(p: float | None) -> str:
    """Return a p-value."""
    if p is None:
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _points(part: float) -> str:
    text = f"{100 * part:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def brief(part: int, total: int) -> str:
    """Return a share in integer percent; one that rounds to 0 or 100 without being exactly that is written < 1 or > 99."""
    percent = round(Fraction(100 * part, total)) if total else 0
    if part and not percent:
        return "< 1"
    return "> 99" if percent == 100 and part < total else str(percent)


def tenths(value: Fraction) -> str:
    """Return a number, with one digit behind the point where it is not whole."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.1f}"
