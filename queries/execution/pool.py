"""Tasks side by side: the protocol of a pool of workers, and `run`, which has a pool answer many questions.

`processes` and `threads` make pools on this machine; a cluster would be another leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Protocol, Self, TypeVar

from bnnverify.problem.budget import Budget
from bnnverify.queries.execution.events import Answer, Event, Progress, Raised, Ticket

Key = TypeVar("Key")


class Pool(Protocol):
    """Workers that do tasks side by side. One caller reads its events; any thread may cancel and close."""

    @property
    def workers(self) -> int:
        """Return how many tasks run at the same time; more of them wait for their turn."""

    @property
    def unanswered(self) -> int:
        """Return how many tasks have not had their last event yet."""

    def submit(self, work: Callable[..., Any], *arguments: Any, limits: Budget | None = None) -> Ticket:
        """Have a worker call work(worker, *arguments), and return the ticket of its events.

        work: a function at the top of a module, called with a `Worker` first. Arguments may be `Shared`. limits: their clock
        starts when the task does, unless it runs already. A process that overruns them is ended: the task is then Lost.
        """

    def answers(self, timeout: float | None = None) -> Iterator[Event]:
        """Yield events as they come until every task has had its last; end earlier when none comes within timeout seconds."""

    def cancel(self, ticket: Ticket) -> None:
        """Cancel a task: one that waits never begins, one that has begun is ended where that is possible."""

    def close(self) -> None:
        """Cancel all tasks and end the workers."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: object, error: object, trace: object) -> None: ...


def run(
    pool: Pool,
    work: Callable[..., Any],
    questions: Iterable[tuple[Key, tuple[Any, ...]]],
    *,
    limits: Budget | None = None,
    ordered: bool = False,
) -> Iterator[tuple[Key, Any]]:
    """Yield each question's key with work(worker, *arguments), or with an `events.Lost` instead.

    questions: keys with arguments, read as workers become free. limits: of each of them. ordered: yield in their order, not
    as answers come. An error that work raises is raised here. Leaving early cancels the rest. The pool has no other tasks.
    """
    todo = iter(questions)
    keys: dict[Ticket, Key] = {}  # of the tasks that are not yielded yet, in the order of the questions
    found: dict[Ticket, Any] = {}

    def fill() -> None:
        for key, arguments in islice(todo, 2 * pool.workers - len(keys)):
            keys[pool.submit(work, *arguments, limits=limits)] = key

    try:
        fill()
        for event in pool.answers():
            if isinstance(event, Progress):
                continue
            if isinstance(event, Raised):
                raise event.error
            found[event.ticket] = event.value if isinstance(event, Answer) else event
            while found and (ticket := next(iter(keys if ordered else found))) in found:
                answer = keys.pop(ticket), found.pop(ticket)
                fill()
                yield answer
    finally:
        for ticket in reversed(keys):  # those that wait first, so that none of them begins
            pool.cancel(ticket)
