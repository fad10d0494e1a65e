"""An answer with its reasons: a witness, or margins; behind them the formula and the trace that refutes it, or all patterns.

Where the blocks behind the first stay wide open, solvers are slow, but few of the patterns of the first block can be reached: the
bits engine looks at every point then, and a checker can do the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from bnnverify.checker.patterns import FEW, MOST
from bnnverify.encoders.margins import Margins, margins
from bnnverify.encoders.meaning import Meant, meant
from bnnverify.encoders.presolve import Presolved, presolve
from bnnverify.errors import BadQuery
from bnnverify.network import Bits
from bnnverify.queries.by_bits import BitsEngine
from bnnverify.queries.engine import Budget
from bnnverify.query import Leaves, Query, confirmed
from bnnverify.result import Finding

SOLVER = "glucose4"  # writes lemmas down, and can be interrupted
CONFLICTS = 2_000  # between two looks at the clock
WIDE = 4_000  # weights between open neurons behind the first block, above which solvers are slow
OPEN = 60  # open neurons of the first block, above which a checker does not look at more than FEW points


@dataclass(frozen=True)
class Refutation:
    """What was found, and why "nowhere" holds: margins, and behind them a formula with a trace unless they decide alone.

    by: what "nowhere" rests on: "margins", "trace", "patterns"; or "witness", or "" for nothing.
    trace: lemmas in the order in which they were learned, in the standard DRUP text, deletions included; the last one is empty.
    """

    finding: Finding
    by: str
    classes: tuple[int, ...]
    margins: Margins
    meant: Meant | None = None
    trace: tuple[str, ...] = ()


def refute(query: Query, budget: Budget) -> Refutation:
    """Return whether any point of the ball query.region leaves the class of its centre, and why."""
    predicted = query.network(query.region.center)
    if query.event != Leaves(predicted) or query.region.inner:
        raise BadQuery(f"proof: expected the question whether class {predicted} is left in a ball, got {query.event}")
    question = presolve(query.network, query.region)
    reasons = margins(query.network, query.region, question)
    if question.decided:
        return Refutation(Finding(False), "margins", question.classes, reasons)
    if budget.spent:
        return Refutation(_stopped(budget), "", question.classes, reasons)
    if _has_few_patterns(question):
        finding = BitsEngine().find(query, budget)
        return Refutation(finding, {True: "witness", False: "patterns", None: ""}[finding.happens], question.classes, reasons)
    try:
        encoded = meant(question, predicted)
    except BadQuery as error:
        return Refutation(Finding(None, reason=str(error)), "", question.classes, reasons)
    flips, trace = _searched(encoded, budget)
    if flips is not None:
        witness = confirmed(query, question.points(flips))
        return Refutation(Finding(True, witness), "witness", question.classes, reasons)
    if not trace:
        return Refutation(_stopped(budget), "", question.classes, reasons)
    return Refutation(Finding(False), "trace", question.classes, reasons, encoded, trace)


def _has_few_patterns(question: Presolved) -> bool:
    """Return whether a solver would be slow, and all points can be looked at."""
    behind = sum(a * b for a, b in pairwise(question.live))
    first = question.live[0] if question.live else 0
    size = question.region.size
    return behind > WIDE and (size <= FEW or (0 < first <= OPEN and size <= MOST))


def _searched(encoded: Meant, budget: Budget) -> tuple[Bits | None, tuple[str, ...]]:
    """Return the flips of a model, or the trace that there is none; neither when the budget is spent."""
    from pysat.solvers import Solver

    with Solver(name=SOLVER, bootstrap_with=encoded.clauses, with_proof=True) as solver:
        while not budget.spent:
            solver.conf_budget(CONFLICTS)
            answer: bool | None = solver.solve_limited()
            if answer:
                return _flips(solver, encoded), ()
            if answer is False:
                return None, _ended(solver.get_proof() or [])
    return None, ()


def _flips(solver: Any, encoded: Meant) -> Bits:
    positive = {literal for literal in solver.get_model() if literal > 0}
    # variables that no clause mentions may be anything, so 0
    return np.array([variable in positive for variable in encoded.inputs.values()], dtype=np.uint8)


def _ended(trace: list[str]) -> tuple[str, ...]:
    """Return trace with the empty lemma at its end: clauses that refute themselves leave the solver nothing to say."""
    return tuple(trace) if trace[-1:] == ["0"] else (*trace, "0")


def _stopped(budget: Budget) -> Finding:
    return Finding(None, reason=f"stopped after {budget.seconds:g} s" if budget.seconds is not None else "stopped")
