"""How far long work has come, in words."""

from __future__ import annotations

import time
from collections.abc import Callable

from bnnverify.report import numbers

Words = Callable[[int, int, str], str]


def paced(clock: Callable[[], float] = time.monotonic) -> Words:
    """Return a function of (done, total, known) that says them, with the rate and the time left.

    Both are measured from its first call on: work that an earlier run left behind took no time in this one.
    """
    first: tuple[int, float] | None = None

    def words(done: int, total: int, known: str) -> str:
        nonlocal first
        first = first or (done, clock())
        parts = [f"{numbers.short(done)} of {numbers.short(total)}", *_speed(done - first[0], total - done, clock() - first[1])]
        return ", ".join([*parts, known] if known else parts)

    return words


def _speed(done: int, left: int, seconds: float) -> list[str]:
    """Return rate and time left; whole numbers, since totals can be beyond any float."""
    spent = int(seconds * 1000)
    if done < 1 or spent < 1:
        return []
    tenths = done * 10_000 // spent
    rate = numbers.short(tenths // 10) if tenths >= 100 else f"{tenths / 10}"
    shown = [f"{rate} per s"] if tenths else []
    return [*shown, f"{numbers.seconds(left * spent // done // 1000)} left"]
