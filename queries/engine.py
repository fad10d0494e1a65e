"""What an engine is: it counts and it finds, says beforehand what it can do, and stops when its budget is used up."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bnnverify.query import Query
from bnnverify.result import Finding
from bnnverify.tally import Tally


@dataclass(frozen=True)
class Ability:
    """What an engine declares. native: it cannot be interrupted from inside and runs in a child process.

    exact: without a budget every answer is exact. one_pass: all classes cost no more than one.
    counts: it is made for counting; False: it is made for yes or no, and counts slowly or not at all.
    threads: it uses several cores, and takes their number as `workers` when it is made.
    """

    exact: bool = True
    native: bool = False
    one_pass: bool = False
    counts: bool = True
    threads: bool = False


@dataclass(frozen=True)
class Budget:
    """Limits for one question. seconds: wall clock; memory: bytes of a child process. None: unlimited."""

    seconds: float | None = None
    memory: int | None = None
    started: float = field(default_factory=time.monotonic, compare=False)

    @property
    def left(self) -> float | None:
        """Return the seconds left, None without a limit."""
        return None if self.seconds is None else self.seconds - (time.monotonic() - self.started)

    @property
    def spent(self) -> bool:
        return self.left is not None and self.left <= 0

    @property
    def reason(self) -> str:
        """Return why a question ends early whose budget is spent."""
        return f"stopped after {self.seconds:g} s" if self.seconds is not None else "stopped"


@dataclass(frozen=True)
class Progress:
    """How far a count has come: done of total points (or other equal steps), and what is known by now."""

    done: int
    total: int
    tally: Tally


Report = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Drop a progress report."""


def kept() -> Path:
    """Return the folder for what the next run can do without, but would have to make again."""
    from platformdirs import user_cache_path

    return user_cache_path("bnnverify")


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Engine(Protocol):
    """Answers queries. Both methods return what is known when the budget is spent; they do not raise for that."""

    @property
    def name(self) -> str:
        """Return what it is called in results."""

    @property
    def ability(self) -> Ability:
        """Return what it can do."""

    def count(self, query: Query, budget: Budget, report: Report = silent) -> Tally:
        """Return how many points of query.region fall to each class.

        The count over query.targets is exact unless the budget ran out; single classes may stay intervals when the
        event does not ask for them.
        """

    def find(self, query: Query, budget: Budget) -> Finding:
        """Return whether query.event happens in query.region, with a replayed witness if it does."""

    def close(self) -> None:
        """Give back processes and memory."""
