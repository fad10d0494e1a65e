"""The nouns of a pool: what a task is made of, and the events that say how it goes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Event as Flag
from typing import Any, NewType

from bnnverify.errors import BadInput
from bnnverify.problem.budget import Budget

Ticket = NewType("Ticket", int)  # names a task within its pool


@dataclass(frozen=True)
class Progress:
    """A task that is not finished reports this value."""

    ticket: Ticket
    value: Any


@dataclass(frozen=True)
class Answer:
    """A task returned this value; its last event."""

    ticket: Ticket
    value: Any


@dataclass(frozen=True)
class Raised:
    """A task raised this error; its last event."""

    ticket: Ticket
    error: BaseException


@dataclass(frozen=True)
class Lost:
    """A task has no answer, since its process ended; its last event. status: how that ended; None: at the limit of time."""

    ticket: Ticket
    reason: str
    status: int | None = None


Event = Progress | Answer | Raised | Lost


@dataclass(frozen=True, eq=False)
class Shared:
    """An argument that many tasks have in common: a worker is sent the value once, and the work gets the value itself.

    Equal keys must mean equal values. Only arguments themselves are shared, not what lies inside of them.
    """

    key: Hashable
    value: Any


@dataclass(frozen=True, eq=False)
class Worker:
    """What a task finds where it runs: its first argument.

    report(value) sends the caller a Progress. budget: the limits of the task, its clock running. opened: what stays open for
    the worker's next tasks, by any key; it ends with the worker.
    """

    report: Callable[[Any], None]
    budget: Budget
    opened: dict[Hashable, Any]
    flag: Flag = field(default_factory=Flag)

    @property
    def cancelled(self) -> bool:
        """Return whether the answer is not wanted any more; a process is ended instead, and never sees it."""
        return self.flag.is_set()


@dataclass(frozen=True, eq=False)
class Task:
    """work(worker, *arguments), to be called within limits. work: a function that a module knows by its name."""

    ticket: Ticket
    work: Callable[..., Any]
    arguments: tuple[Any, ...]
    limits: Budget

    def __post_init__(self) -> None:
        module, name = getattr(self.work, "__module__", ""), getattr(self.work, "__qualname__", "")
        if module == "__main__" or getattr(sys.modules.get(module), name, None) is not self.work:
            raise BadInput(f"work: expected a function at the top of a module, which a process can import, got {self.work!r}")
