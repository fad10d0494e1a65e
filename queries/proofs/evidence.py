"""An answer with its reasons: a witness, or margins; behind them the formula and the trace that refutes it, or enumeration.

Where the blocks behind the first stay wide open, solvers are slow, but the first block has few codes, or few of them can be
reached: the bits engine looks at every code then, or at every point, and a checker can do the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bnnverify.checker.patterns import FEW, MOST, MOST_CODES
from bnnverify.encoders.clauses.annotated import AnnotatedFormula, annotated
from bnnverify.encoders.enumeration.cost import is_wide
from bnnverify.encoders.presolve.margins import Margins, margins
from bnnverify.encoders.presolve.presolve import Presolved, after_first_block, bounded
from bnnverify.errors import BadQuery
from bnnverify.model.arrays import Bits
from bnnverify.problem.budget import Budget
from bnnverify.problem.event import Leaves
from bnnverify.problem.query import Query
from bnnverify.queries.engines.enumeration import BitsEngine
from bnnverify.queries.planning.attack_first import attacked
from bnnverify.results.finding import Finding, confirmed

SOLVER = "glucose4"  # writes lemmas down, and can be interrupted
CONFLICTS = 2_000  # between two looks at the clock
OPEN = 60  # open neurons of the first block, above which a checker does not look at more than FEW points


@dataclass(frozen=True)
class Evidence:
    """What was found, and why "nowhere" holds: margins, and behind them a formula with a trace unless they decide alone.

    by: what "nowhere" rests on: "margins", "trace", "patterns", "codes"; or "witness", or "" for nothing. engine: who found it.
    trace: lemmas in the order in which they were learned, in the standard DRUP text, deletions included; the last one is empty.
    """

    finding: Finding
    by: str
    classes: tuple[int, ...]
    margins: Margins
    annotated: AnnotatedFormula | None = None
    trace: tuple[str, ...] = ()
    engine: str = "sat"


def find_evidence(query: Query, budget: Budget) -> Evidence:
    """Return whether any point of the ball query.region leaves the class of its centre, and why."""
    predicted = query.network(query.region.center)
    if query.event != Leaves(predicted) or query.region.inner:
        raise BadQuery(f"proof: expected the question whether class {predicted} is left in a ball, got {query.event}")
    question = bounded(query.network, query.region)  # with equal neurons apart: a checker wants a literal for each
    reasons = margins(query.network, query.region, question)
    if question.decided:
        return Evidence(Finding(False), "margins", question.classes, reasons, engine="presolve")
    if budget.spent:
        return Evidence(Finding(None, reason=budget.reason), "", question.classes, reasons)
    if is_wide(question):
        witness = attacked(query, question)
        if witness is not None:
            return Evidence(Finding(True, witness), "witness", question.classes, reasons, engine="attack")
        if _all_codes_stay(question, predicted, budget):
            return Evidence(Finding(False), "codes", question.classes, reasons, engine="codes")
    if _has_few_patterns(question) and not budget.spent:
        finding = BitsEngine().find(query, budget)
        by = {True: "witness", False: "patterns", None: ""}[finding.happens]
        return Evidence(finding, by, question.classes, reasons, engine="bits")
    try:
        encoded = annotated(question, predicted)
    except BadQuery as error:
        return Evidence(Finding(None, reason=str(error)), "", question.classes, reasons)
    flips, trace = _searched(encoded, budget)
    if flips is not None:
        witness = confirmed(query, question.points(flips))
        return Evidence(Finding(True, witness), "witness", question.classes, reasons)
    if not trace:
        return Evidence(Finding(None, reason=budget.reason), "", question.classes, reasons)
    return Evidence(Finding(False), "trace", question.classes, reasons, encoded, trace)


def _all_codes_stay(question: Presolved, predicted: int, budget: Budget) -> bool:
    """Return whether the blocks behind the first are seen to answer the same on every code of its open neurons."""
    if 2 ** question.live[0] > min(MOST_CODES, question.region.size):
        return False
    behind = after_first_block(question)
    leading = [k for k, label in enumerate(behind.classes) if question.classes[label] != predicted]
    return not any(map(len, BitsEngine().everywhere(behind, leading, budget))) and not budget.spent


def _has_few_patterns(question: Presolved) -> bool:
    """Return whether a solver would be slow, and all points can be looked at."""
    first = question.live[0] if question.live else 0
    size = question.region.size
    return is_wide(question) and (size <= FEW or (0 < first <= OPEN and size <= MOST))


def _searched(encoded: AnnotatedFormula, budget: Budget) -> tuple[Bits | None, tuple[str, ...]]:
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


def _flips(solver: Any, encoded: AnnotatedFormula) -> Bits:
    positive = {literal for literal in solver.get_model() if literal > 0}
    # variables that no clause mentions may be anything, so 0
    return np.array([variable in positive for variable in encoded.inputs.values()], dtype=np.uint8)


def _ended(trace: list[str]) -> tuple[str, ...]:
    """Return trace with the empty lemma at its end: clauses that refute themselves leave the solver nothing to say."""
    return tuple(trace) if trace[-1:] == ["0"] else (*trace, "0")
