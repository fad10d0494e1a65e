"""The progress of a count, and of other work in steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bnnverify.results.counts import Tally


@dataclass(frozen=True)
class Progress:
    """The progress of a count: done of total points (or other equal steps), and the tally so far."""

    done: int
    total: int
    tally: Tally


Report = Callable[[Progress], None]
Steps = Callable[[int, int], None]  # called with the number of finished steps and the number of all steps


def silent(progress: Progress) -> None:
    """Drop a progress report."""


def no_steps(done: int, total: int) -> None:
    """Drop a report of finished steps."""
