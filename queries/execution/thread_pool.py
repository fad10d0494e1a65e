"""Tasks side by side in threads of this process: for work that releases the interpreter's lock, as compiled kernels do."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Event as Flag
from typing import Any

from bnnverify.errors import BadInput
from bnnverify.queries.execution.events import Answer, Event, Progress, Shared, Task, Worker
from bnnverify.queries.execution.local_pool import LocalPool
from bnnverify.queries.execution.pool import Pool


def threads(workers: int) -> Pool:
    """Return a pool of threads. They cannot be ended: a cancelled task reads `worker.cancelled`, a late one `worker.budget`."""
    return LocalPool(ThreadRunner, workers, daemon=False)  # Python waits for them before it unloads the kernels


class ThreadRunner:
    """Runs tasks in the calling thread."""

    def __init__(self) -> None:
        self._opened: dict[Hashable, Any] = {}

    def run(self, task: Task, report: Callable[[Event], None], cancelled: Flag) -> Event:
        if task.limits.memory is not None:
            raise BadInput("limits: expected none of memory, which threads have in common, got one")
        worker = Worker(lambda value: report(Progress(task.ticket, value)), task.limits.start(), self._opened, cancelled)
        arguments = [argument.value if isinstance(argument, Shared) else argument for argument in task.arguments]
        return Answer(task.ticket, task.work(worker, *arguments))

    def stop(self) -> None:
        """Do nothing: the task reads its flag."""

    def close(self) -> None:
        """Close the values that tasks left open."""
        for value in self._opened.values():
            if hasattr(value, "close"):
                value.close()
