"""A pool on this machine: its tasks, and a thread for each that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Lock, Thread, current_thread
from typing import Any, Protocol, Self

from bnnverify.errors import BadInput
from bnnverify.problem.budget import Budget
from bnnverify.queries.execution.events import Event, Progress, Raised, Task, Ticket


class Runner(Protocol):
    """Runs one task after the other: a thread, or a process that it watches."""

    def run(self, task: Task, report: Callable[[Event], None], cancelled: Flag) -> Event:
        """Return the last event of a task; report the others. An error that it raises counts as the task's."""

    def stop(self) -> None:
        """Make `run` return soon, if possible. Called by another thread, after it has set the flag."""

    def close(self) -> None:
        """Close all that stays open between tasks."""


class LocalPool:
    """A Pool whose runners are driven by threads: these begin when there are tasks, and end when there are no more."""

    def __init__(self, runner: Callable[[], Runner], workers: int, *, daemon: bool) -> None:
        if workers < 1:
            raise BadInput(f"workers must be at least 1, got {workers}")
        self.workers = workers
        self._make, self._daemon = runner, daemon
        self._lock = Lock()  # held for all below but the queue of events
        self._numbers = count()
        self._unanswered: set[Ticket] = set()
        self._waiting: dict[Ticket, Task] = {}
        self._running: dict[Ticket, tuple[Runner, Flag]] = {}
        self._idle: list[Runner] = []
        self._threads: set[Thread] = set()
        self._closed = False
        self._events: SimpleQueue[Event | None] = SimpleQueue()  # None: check again whether any task is unanswered

    @property
    def unanswered(self) -> int:
        return len(self._unanswered)

    def submit(self, work: Callable[..., Any], *arguments: Any, limits: Budget | None = None) -> Ticket:
        with self._lock:
            if self._closed:
                raise BadInput("pool: expected one that is open, got one that was closed")
            task = Task(Ticket(next(self._numbers)), work, arguments, limits or Budget())
            self._waiting[task.ticket] = task
            self._unanswered.add(task.ticket)
            if len(self._threads) < self.workers:
                thread = Thread(target=self._drive, daemon=self._daemon)
                self._threads.add(thread)
                thread.start()
        return task.ticket

    def answers(self, timeout: float | None = None) -> Iterator[Event]:
        while self._unanswered:
            try:
                event = self._events.get(timeout=timeout)
            except Empty:
                return
            if event is None or event.ticket not in self._unanswered:
                continue
            if not isinstance(event, Progress):
                self._unanswered.discard(event.ticket)
            yield event

    def cancel(self, ticket: Ticket) -> None:
        with self._lock:
            self._unanswered.discard(ticket)
            self._waiting.pop(ticket, None)
            self._stop(ticket)
        self._events.put(None)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._unanswered.clear()
            self._waiting.clear()
            for ticket in self._running:
                self._stop(ticket)
            threads = list(self._threads)
        self._events.put(None)
        for thread in threads:
            thread.join()
        while self._idle:
            self._idle.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def _stop(self, ticket: Ticket) -> None:
        if ticket in self._running:
            runner, cancelled = self._running[ticket]
            cancelled.set()
            runner.stop()

    def _drive(self) -> None:
        """Run tasks until none waits: the main loop of a thread."""
        with self._lock:
            runner = self._idle.pop() if self._idle else self._make()
        while (begun := self._begin(runner)) is not None:
            task, cancelled = begun
            try:
                event = runner.run(task, self._events.put, cancelled)
            except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
                event = Raised(task.ticket, error)
            with self._lock:
                del self._running[task.ticket]  # from here on, `cancel` does not stop the runner
            self._events.put(event)

    def _begin(self, runner: Runner) -> tuple[Task, Flag] | None:
        """Return the next task, which then counts as running; where there is none, the runner becomes idle."""
        with self._lock:
            if not self._waiting:
                self._idle.append(runner)
                self._threads.discard(current_thread())
                return None
            task = self._waiting.pop(next(iter(self._waiting)))
            cancelled = Flag()
            self._running[task.ticket] = runner, cancelled
            return task, cancelled
