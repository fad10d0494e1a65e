"""The pseudo-Boolean engine: linear rows, read by the solver Exact, which reasons with sums instead of clauses. Yes or no only.

The only home of the package `exact`, which is no part of bnnverify's own needs: it is under the AGPL, and asked only by name.
Jan Elffers, Jakob Nordström, "Divide and Conquer: Towards Faster Pseudo-Boolean Solving" (IJCAI 2018), is how it learns.
"""

from __future__ import annotations

import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any, ClassVar

import numpy as np

from bnnverify.encoders.clauses.pseudo_boolean import Rows
from bnnverify.encoders.presolve.presolve import Presolved
from bnnverify.encoders.walk import encode
from bnnverify.errors import BadQuery
from bnnverify.extras import needed
from bnnverify.problem.budget import Budget
from bnnverify.problem.query import Query
from bnnverify.queries.engines.base import Ability
from bnnverify.queries.engines.witness import opened, witnessed
from bnnverify.results.counts import Tally
from bnnverify.results.finding import Finding
from bnnverify.results.progress import Report, silent

with needed("engine exact", "exact", extra="exact"):  # here, so that whoever asks for the engine hears it before any work is done
    import exact

MOMENT = 1e-3  # seconds: the solver takes 0 for no limit


class ExactEngine:
    """Engine over linear rows, for yes or no; it does not count."""

    name: ClassVar[str] = "exact"
    ability: ClassVar[Ability] = Ability(exact=True, native=True, counts=False)

    def close(self) -> None:
        """Nothing outlives a question."""

    def count(self, query: Query, budget: Budget, report: Report = silent) -> Tally:  # noqa: ARG002 - refused whatever is asked
        """Raise BadQuery: the solver names one solution after the other, which is no way to count."""
        raise BadQuery("engine exact answers yes or no and does not count: expected engine auto, bits, bdd or sat to count")

    def find(self, query: Query, budget: Budget) -> Finding:
        """Return whether query.event happens in query.region, with a replayed witness if it does."""
        question, targets, finding = opened(query)
        if finding is not None:
            return finding
        rows, inputs = required(question, targets)
        if budget.spent:
            return Finding(None, reason=budget.reason)
        with _interruptible():
            solver = holding(rows)
            answer = solver.runFull(False, 0 if budget.left is None else max(budget.left, MOMENT))
        if answer == "SAT":
            flips = np.array(solver.getLastSolutionFor([str(x) for x in inputs]), dtype=np.uint8)
            return witnessed(query, question, targets, flips)
        return Finding(False) if answer == "UNSAT" else Finding(None, reason=budget.reason)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Give Ctrl-C back to Python afterwards: the solver takes it for itself, for good."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if current_thread() is main_thread():
            signal.signal(signal.SIGINT, before)


def required(question: Presolved, targets: Collection[int]) -> tuple[Rows, list[int]]:
    """Return rows whose solutions are the points where one of targets is the answer, and the variables of the flips.

    The smaller side is encoded: "a target is the answer" or "none of the others is".
    """
    rows = Rows(fewest=question.region.inner, most=question.region.outer)
    others = set(range(question.network.classes)).difference(targets)
    few = len(targets) <= len(others)
    inputs, wins = encode(rows, question.network, targets if few else others)
    for clause in [list(wins.values())] if few else [[-literal] for literal in wins.values()]:
        rows.add(clause)
    return rows, inputs


def holding(rows: Rows) -> Any:
    """Return a solver that holds these rows; variable v is called by its number. Weights may have any size."""
    solver = exact.Exact()
    for variable in range(1, rows.variables + 1):
        solver.addVariable(str(variable), 0, 1)
    for terms, bound in rows.plain():
        solver.addConstraint([(weight, str(variable)) for weight, variable in terms], True, bound)
    return solver
