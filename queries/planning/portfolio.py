"""Engines in processes of their own, one or several on the same question: the first that is done answers, the others are stopped.

Where nobody can tell beforehand which engine is the right one, a portfolio takes at most as many times as long as the best of
them as there are engines on a core; and what stopped ones know still counts: intervals are cut with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from bnnverify.encoders.presolve.question import Question
from bnnverify.errors import Disagreement
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines.base import Engine, Found
from bnnverify.queries.engines.registry import named
from bnnverify.queries.execution.events import Answer, Lost, Raised, Worker
from bnnverify.queries.execution.events import Progress as TaskProgress
from bnnverify.queries.execution.pool import Pool
from bnnverify.results.counts import Count, Tally
from bnnverify.results.progress import Report, silent


def answered(worker: Worker, name: str, workers: int, question: Question, counting: bool) -> Tally | Found:
    """Return what the engine of this name answers; it stays open in the process for the next question."""
    if (name, workers) not in worker.opened:
        worker.opened[name, workers] = named(name).open(workers)
    engine: Engine = worker.opened[name, workers]
    if counting:
        return engine.count(question, worker.budget, worker.report)
    return engine.find(question, worker.budget)


@dataclass(frozen=True, eq=False)
class Portfolio:
    """Engines by name, each in a process of pool, with so many cores for one that can use several. work: what a process does."""

    pool: Pool
    names: tuple[str, ...]
    workers: int
    work: Callable[..., Tally | Found] = answered

    def count(self, question: Question, budget: Budget, report: Report = silent) -> tuple[Tally, tuple[str, ...]]:
        """Return the first finished counts, and whose they are; if all engines are stopped, what they know together."""
        size, classes = question.region.size, question.network.classes
        known = dict.fromkeys(self.names, Tally(size, (Count(0, size),) * classes))
        stopped: list[Tally] = []
        furthest = 0
        with closing(self._events(question, budget, counting=True)) as events:
            for name, event in events:
                if isinstance(event, TaskProgress):
                    known[name] = event.value.tally
                    if event.value.done >= furthest:
                        furthest = event.value.done
                        report(event.value)
                    continue
                tally = event.value if isinstance(event, Answer) else replace(known[name], reason=_why(name, event))
                if not tally.reason:
                    return tally, (name,)
                stopped.append(tally)
        closed = [replace(tally, reason="stopped") for tally in known.values()]
        return _together(stopped or closed), self.names

    def find(self, question: Question, budget: Budget) -> tuple[Found, tuple[str, ...]]:
        """Return the first decided answer, and whose it is; if all engines are stopped, all reasons."""
        reasons: list[str] = []
        with closing(self._events(question, budget, counting=False)) as events:
            for name, event in events:
                if isinstance(event, Answer) and event.value.happens is not None:
                    return event.value, (event.value.engine or name,)
                if not isinstance(event, TaskProgress):
                    reasons.append(event.value.reason if isinstance(event, Answer) else _why(name, event))
        return Found(None, reason=_reasons(reasons) or "stopped"), self.names

    def _events(
        self, question: Question, budget: Budget, *, counting: bool
    ) -> Generator[tuple[str, Answer | TaskProgress | Lost], None, None]:
        """Yield what happens to each engine until all have answered; leaving early ends those that have not."""
        tickets = {
            self.pool.submit(self.work, name, self.workers, question, counting, limits=budget): name for name in self.names
        }
        try:
            for event in self.pool.answers():
                if isinstance(event, Raised):
                    raise event.error
                yield tickets[event.ticket], event
        finally:
            for ticket in tickets:
                self.pool.cancel(ticket)


def _why(name: str, lost: Lost) -> str:
    """Return why an engine has no answer."""
    return lost.reason.replace("its process", f"the {name} engine", 1)


def _reasons(reasons: Sequence[str]) -> str:
    """Return why the answers are open, each reason once."""
    return "; ".join(dict.fromkeys(reasons))


def _together(tallies: Sequence[Tally]) -> Tally:
    """Return the counts that all tallies allow."""
    counts = []
    for column in zip(*(tally.counts for tally in tallies), strict=True):
        low, high = max(count.low for count in column), min(count.high for count in column)
        if low > high:
            raise Disagreement(f"engines: expected counts that agree, got {column}")
        counts.append(Count(low, high))
    reasons = _reasons([tally.reason for tally in tallies])
    return Tally(tallies[0].size, tuple(counts), reasons, max((tally.shells for tally in tallies), key=len))
