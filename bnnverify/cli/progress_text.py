"""The progress of long work as a sentence: done, total, rate and time left."""

from __future__ import annotations

import time
from collections.abc import Callable

from bnnverify.report import numbers

Text = Callable[[int, int, str], str]


def progress_text(clock: Callable[[], float] = time.monotonic) -> Text:
    """Return a function of (done, total, known) that writes them, with the rate and the time left.

    Both are measured from its first call on: work that an earlier run left behind took no time in this one.
    """
    first: tuple[int, float] | None = None

    def text(done: int, total: int, known: str) -> str:
        nonlocal first
        first = first or (done, clock())
        parts = [f"{numbers.short(done)} of {numbers.short(total)}", *_rate(done - first[0], total - done, clock() - first[1])]
        return ", ".join([*parts, known] if known else parts)

    return text


def _rate(done: int, left: int, seconds: float) -> list[str]:
    """Return rate and time left; whole numbers, since totals can be beyond any float."""
    spent = int(seconds * 1000)
    if done < 1 or spent < 1:
        return []
    tenths = done * 10_000 // spent
    rate = numbers.short(tenths // 10) if tenths >= 100 else f"{tenths / 10}"
    shown = [f"{rate} per s"] if tenths else []
    return [*shown, f"{numbers.seconds(left * spent // done // 1000)} left"]
