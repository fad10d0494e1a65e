"""What an engine is: it counts and it finds, says beforehand what it can do, and stops when its budget is used up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bnnverify.problem.budget import Budget
from bnnverify.problem.query import Query
from bnnverify.results.counts import Tally
from bnnverify.results.finding import Finding
from bnnverify.results.progress import Report, silent


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
