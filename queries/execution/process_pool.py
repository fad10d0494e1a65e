"""Tasks side by side in processes: each can be ended at any time, has limits of its own, and costs one answer when it crashes."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable
from functools import partial
from multiprocessing.connection import Connection
from threading import Event as Flag
from typing import Any

from bnnverify.problem.budget import Budget
from bnnverify.queries.execution.child import SharedKey, serve
from bnnverify.queries.execution.events import Answer, Event, Lost, Progress, Raised, Shared, Task
from bnnverify.queries.execution.local_pool import LocalPool
from bnnverify.queries.execution.pool import Pool
from bnnverify.queries.execution.process import Process

GRACE = 0.5  # seconds a task may overrun before its process is ended: time to send its last report
MOST_SHARED = 16  # shared values in a process; of more, the least recently used are dropped


def processes(workers: int, *, collects: bool = True) -> Pool:
    """Return a pool of processes, each started with its first task and kept for more.

    collects: whether they collect garbage during a task, or only after it: while clauses are made, that takes a tenth of the
    time and finds none.
    """
    return LocalPool(partial(ProcessRunner, collects), workers, daemon=True)  # processes end with this one in any case


class ProcessRunner:
    """Runs tasks in a process, which it starts anew whenever there is none."""

    def __init__(self, collects: bool) -> None:
        self._process = Process(serve, (collects,))
        self._sent: dict[Hashable, None] = {}  # keys of the shared values in the process, the least recently used first

    def run(self, task: Task, report: Callable[[Event], None], cancelled: Flag) -> Event:
        limits, before = task.limits, self._process.pid
        pipe = self._process.pipe  # of this very process: `pipe` would start another one in place of a dead one
        try:
            if self._process.pid != before:
                self._sent.clear()
                if cancelled.is_set():  # before `stop` had a process to end
                    self._process.kill()
                _message(pipe, limits if limits.start() is limits else Budget())  # it is ready: the clock starts now
            limits = limits.start()
            self._send(pipe, task, limits)
            while True:
                kind, value = _message(pipe, limits)
                if kind == "answer":
                    return Answer(task.ticket, value)
                if kind == "raised":
                    return Raised(task.ticket, value)
                if kind == "unreadable":
                    raise value
                report(Progress(task.ticket, value))
        except TimeoutError:
            self._process.end()
            return Lost(task.ticket, limits.reason)
        except (EOFError, OSError):
            return self._lost(task)
        except BaseException:  # a message that cannot be written or read: the state of the process is unknown
            self._process.end()
            raise

    def stop(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.end()

    def _send(self, pipe: Connection, task: Task, limits: Budget) -> None:
        """Send the task, without the shared values that the process has already."""
        needed = {argument.key: None for argument in task.arguments if isinstance(argument, Shared)}
        sent = {key: None for key in self._sent if key not in needed} | needed
        forgotten = [key for key in list(sent)[:-MOST_SHARED] if key not in needed]
        arguments = [_shortened(argument, self._sent) for argument in task.arguments]
        pipe.send((task.work, arguments, limits, forgotten))
        self._sent = {key: None for key in sent if key not in forgotten}

    def _lost(self, task: Task) -> Lost:
        status = self._process.status()
        self._process.end()
        memory = task.limits.memory
        limit = "" if memory is None else f", most likely at the memory limit of {memory / 2**30:g} GiB"
        return Lost(task.ticket, f"its process ended with status {status}{limit}", status)


def _shortened(argument: Any, sent: Container[Hashable]) -> Any:
    return SharedKey(argument.key) if isinstance(argument, Shared) and argument.key in sent else argument


def _message(pipe: Connection, limits: Budget) -> tuple[str, Any]:
    """Return the next message of the process, or raise TimeoutError once it has overrun its limits."""
    if not pipe.poll(None if limits.left is None else max(0.0, limits.left + GRACE)):
        raise TimeoutError
    message: tuple[str, Any] = pipe.recv()
    return message
