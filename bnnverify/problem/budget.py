"""Limits of time and memory for one question, and the clock that starts with it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

INTERRUPTED = "interrupted"  # the reason of an answer that Ctrl-C ended


class OutOfBudget(Exception):
    """The budget is spent, which the message says in words; verbs turn it into an open answer."""


@dataclass(frozen=True)
class Budget:
    """Limits of one question. seconds: wall clock; memory: bytes of a child process; None: unlimited.

    A budget is a pair of limits until `start` gives one whose clock runs: so one Budget serves many questions. A budget whose
    clock does not run is never spent. A running one may be sent to another process, where as many seconds are left.
    """

    seconds: float | None = None
    memory: int | None = None
    _started: float | None = field(default=None, compare=False, repr=False)  # of this process's monotonic clock

    def start(self) -> Budget:
        """Return this budget with its clock running; the same one if it runs already."""
        return self if self._started is not None else replace(self, _started=time.monotonic())

    @property
    def left(self) -> float | None:
        """Return the seconds left, None without a limit."""
        if self.seconds is None or self._started is None:
            return self.seconds
        return self.seconds - (time.monotonic() - self._started)

    @property
    def spent(self) -> bool:
        """Return whether no time is left."""
        return self._started is not None and self.left is not None and self.left <= 0

    @property
    def reason(self) -> str:
        """Return why a question ends early whose budget is spent."""
        return f"stopped after {self.seconds:g} s" if self.seconds is not None else "stopped"

    def check(self) -> None:
        """Raise OutOfBudget when no time is left."""
        if self.spent:
            raise OutOfBudget(self.reason)

    def __reduce__(self) -> tuple[object, ...]:
        elapsed = None if self._started is None else time.monotonic() - self._started
        return _restored, (self.seconds, self.memory, elapsed)


NO_LIMIT = Budget()


def _restored(seconds: float | None, memory: int | None, elapsed: float | None) -> Budget:
    """Return a budget whose clock has run for elapsed seconds; None: not at all."""
    return Budget(seconds, memory, None if elapsed is None else time.monotonic() - elapsed)
