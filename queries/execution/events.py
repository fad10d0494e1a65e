"""The nouns of a pool: tasks, and the events of their progress and end."""

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
    """A task has no answer, since its process ended; its last event. status: its exit status, None at the limit of time."""

    ticket: Ticket
    reason: str
    status: int | None = None


Event = Progress | Answer | Raised | Lost


@dataclass(frozen=True, eq=False)
class Shared:
    """An argument that many tasks have in common: a worker is sent the value once, and the work gets the value itself.

    Equal keys must have equal values. Only arguments themselves are shared, not their parts.
    """

    key: Hashable
    value: Any


@dataclass(frozen=True, eq=False)
class Worker:
    """The worker that runs a task: the task's first argument.

    report(value) sends the caller a Progress. budget: the limits of the task, its clock running. opened: values that stay open
    for the worker's next tasks, by any key, until the worker ends.
    """

    report: Callable[[Any], None]
    budget: Budget
    opened: dict[Hashable, Any]
    flag: Flag = field(default_factory=Flag)

    @property
    def cancelled(self) -> bool:
        """Return whether the task was cancelled; a process is ended instead, and never reads it."""
        return self.flag.is_set()


@dataclass(frozen=True, eq=False)
class Task:
    """work(worker, *arguments), to be called within limits. work: a function at the top of a module."""

    ticket: Ticket
    work: Callable[..., Any]
    arguments: tuple[Any, ...]
    limits: Budget

    def __post_init__(self) -> None:
        module, name = getattr(self.work, "__module__", ""), getattr(self.work, "__qualname__", "")
        if module == "__main__" or getattr(sys.modules.get(module), name, None) is not self.work:
            raise BadInput(f"work: expected a function at the top of a module, which a process can import, got {self.work!r}")
