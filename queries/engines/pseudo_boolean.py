"""The pseudo-Boolean engine: linear rows, read by the solver Exact, which reasons with sums instead of clauses. Yes or no only.

The only home of the package `exact`, which is no part of bnnverify's own needs: it is under the AGPL, and asked only by name.
Jan Elffers, Jakob Nordström, "Divide and Conquer: Towards Faster Pseudo-Boolean Solving" (IJCAI 2018), is how it learns.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any

import numpy as np

from bnnverify.encoders.clauses.pseudo_boolean import Rows
from bnnverify.encoders.presolve.question import Question
from bnnverify.encoders.walk import encode
from bnnverify.errors import BadQuery
from bnnverify.extras import needed
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines.base import Ability, Found, opening
from bnnverify.queries.engines.registry import engine
from bnnverify.results.counts import Tally
from bnnverify.results.progress import Report, silent

MOMENT = 1e-3  # seconds: the solver takes 0 for no limit


@engine(
    "exact",
    help="linear rows for a pseudo-Boolean solver (an extra, AGPL): yes or no, and distances",
    ability=Ability(counts=False, counted_by=None),
)
class ExactEngine:
    """Decide a question by linear rows, in a solver that adds them up.

    Needs: the optional package `exact`; good at hundreds of inputs.
    Returns: yes with a point, or no.
    Method: every threshold becomes one row for each direction (`encoders.clauses.pseudo_boolean`); the solver learns from
        conflicts by adding rows instead of resolving clauses.
    Property: exact and complete for yes or no; does not count.
    Reference: Elffers and Nordstrom, "Divide and Conquer: Towards Faster Pseudo-Boolean Solving" (IJCAI 2018).
    """

    def __init__(self) -> None:
        _package()  # whoever asks for the engine reads that it is missing before any work is done

    def close(self) -> None:
        """Nothing outlives a question."""

    def count(self, question: Question, budget: Budget, report: Report = silent) -> Tally:  # noqa: ARG002 - refused whatever is asked
        """Raise BadQuery: the solver names one solution after the other, which is no way to count."""
        raise BadQuery("engine exact answers yes or no and does not count")

    def find(self, question: Question, budget: Budget) -> Found:
        """Return whether a sought class is the answer anywhere."""
        found = opening(question)
        if found is not None:
            return found
        rows, inputs = required(question)
        if budget.spent:
            return Found(None, reason=budget.reason)
        with _interruptible():
            solver = holding(rows)
            answer = solver.runFull(False, 0 if budget.left is None else max(budget.left, MOMENT))
        if answer == "SAT":
            return Found(True, np.array(solver.getLastSolutionFor([str(x) for x in inputs]), dtype=np.uint8))
        return Found(False) if answer == "UNSAT" else Found(None, reason=budget.reason)


def _package() -> Any:
    """Return the solver's package, or say what to install."""
    with needed("engine exact", "exact", extra="exact"):
        import exact

    return exact


@contextmanager
def _interruptible() -> Iterator[None]:
    """Give Ctrl-C back to Python afterwards: the solver takes it for itself, for good."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if current_thread() is main_thread():
            signal.signal(signal.SIGINT, before)


def required(question: Question) -> tuple[Rows, list[int]]:
    """Return rows whose solutions are the points where a sought class is the answer, and the variables of the flips.

    The smaller side is encoded: "a sought class is the answer" or "none of the others is".
    """
    rows = Rows.of(question.region)
    others = set(range(question.network.classes)).difference(question.targets)
    few = len(question.targets) <= len(others)
    inputs, wins = encode(rows, question.network, question.targets if few else others)
    for clause in [list(wins.values())] if few else [[-literal] for literal in wins.values()]:
        rows.add(clause)
    return rows, inputs


def holding(rows: Rows) -> Any:
    """Return a solver that holds these rows; variable v is called by its number. Weights may have any size."""
    solver = _package().Exact()
    for variable in range(1, rows.variables + 1):
        solver.addVariable(str(variable), 0, 1)
    for terms, bound in rows.plain():
        solver.addConstraint([(weight, str(variable)) for weight, variable in terms], True, bound)
    return solver
