"""Integers and fractions in few characters; only an exact 0 is written as 0, only an exact 1 as 100 %."""

from __future__ import annotations

from fractions import Fraction

from bnnverify.results.comparison import Estimate
from bnnverify.results.counts import Count

LONGEST, SHORT = 15, 6  # digits that are printed in full: in results, and in progress reports


def integer(n: int, longest: int = LONGEST) -> str:
    """Return n in full up to longest digits, then as 1.234e30."""
    if abs(n) < 10**longest:
        return str(n)
    power = len(str(abs(n))) - 1
    leading = round(Fraction(abs(n), 10 ** (power - 3)))
    if leading == 10_000:
        leading, power = 1000, power + 1
    return f"{'-' if n < 0 else ''}{leading // 1000}.{leading % 1000:03d}e{power}"


def short(n: int) -> str:
    """Return n as progress reports show it."""
    return integer(n, SHORT)


def count(count: Count, longest: int = LONGEST) -> str:
    """Return a count as one number, or as low..high, with its confidence where that is below 1."""
    low, high = integer(count.low, longest), integer(count.high, longest)
    number = low if count.low == count.high else f"{low}..{high}"
    return number if count.confidence == 1.0 else f"{number} (confidence {count.confidence:g})"


def share(part: Fraction) -> str:
    """Return a share in percent; 0 % and 100 % are exact, every other share is written differently from them."""
    if part in (0, 1):
        return f"{int(part) * 100} %"
    percent = part * 100
    if percent < Fraction(1, 100):
        return f"{_scientific(percent)} %"
    if percent > Fraction(9999, 100):
        return f"100 - {_scientific(100 - percent)} %"
    return f"{float(percent):.2f} %"


def _scientific(value: Fraction) -> str:
    """Return a positive fraction like 2.3e-07, also where a float would be 0."""
    power = len(str(value.numerator)) - len(str(value.denominator))
    while value >= Fraction(10) ** (power + 1):
        power += 1
    while value < Fraction(10) ** power:
        power -= 1
    tenths = round(value / Fraction(10) ** power * 10)
    if tenths == 100:
        tenths, power = 10, power + 1
    return f"{tenths // 10}.{tenths % 10}e{power:+03d}"


def shares(count: Count, size: int) -> str:
    """Return a count's share of size, as one share or as low..high; nothing of nothing is no share."""
    if not size:
        return ""
    low, high = share(Fraction(count.low, size)), share(Fraction(count.high, size))
    return low if low == high else f"{low} .. {high}"


def of(part: Fraction, total: int) -> str:
    """Return a share with the numbers behind it: 87.50 % (7 of 8)."""
    return f"{share(part)} ({part * total} of {total})"


def seconds(duration: float) -> str:
    """Return a duration in a unit that fits."""
    if duration < 1:
        return f"{duration * 1000:.0f} ms"
    if duration < 120:
        return f"{duration:.1f} s"
    for size, unit in ((60, "min"), (3600, "h")):
        if duration < 120 * size:
            return f"{duration / size:.1f} {unit}"
    return f"{integer(int(duration) // 86_400)} days"


def estimate(known: Estimate | None, scale: float = 1) -> str:
    """Return a mean, or low..high while rows are UNKNOWN, and its interval, times scale: 71.2 [64.0, 78.1]."""
    if known is None:
        return ""
    ends = (known.low, known.high, known.lower, known.upper)
    low, high, lower, upper = (_visible(scale * end, places=1 if scale > 1 else 2) for end in ends)
    return f"{low if low == high else f'{low}..{high}'} [{lower}, {upper}]"


def _visible(value: float, *, places: int) -> str:
    """Return a number with this many places; 0 only where it is 0."""
    least = 10.0**-places
    return f"<{least:g}" if 0 < value < least / 2 else f"{value:.{places}f}"
