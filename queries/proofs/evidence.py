"""An answer with its reasons: a witness, or margins; behind them the formula and the trace that refutes it, or enumeration.

Where the blocks behind the first stay wide open, solvers are slow, but the first block has few codes, or few of them can be
reached: enumeration looks at every code then, or at every point, and a checker can do the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bnnverify.encoders.clauses.annotated import AnnotatedFormula
from bnnverify.encoders.enumeration.cost_model import is_wide
from bnnverify.encoders.presolve.margins import Margins, margins
from bnnverify.encoders.presolve.presolve import bounded
from bnnverify.encoders.presolve.question import Question
from bnnverify.errors import BadQuery
from bnnverify.problem.budget import Budget
from bnnverify.problem.events.leaves import Leaves
from bnnverify.problem.query import Query
from bnnverify.queries.engines.base import Found, Refuted, Refuter
from bnnverify.queries.engines.registry import named
from bnnverify.queries.execution.cores import cores
from bnnverify.queries.planning.attack_first import ATTACK, short_attack
from bnnverify.queries.planning.plan import PRESOLVE, evidence_plan
from bnnverify.queries.planning.posed import Posed
from bnnverify.results.finding import Finding


@dataclass(frozen=True)
class Evidence:
    """What was found, and why "nowhere" holds: margins, and behind them a formula with a trace unless they decide alone.

    by: what "nowhere" rests on: "margins", "trace", "patterns", "codes"; or "witness", or "" for nothing. engine: who found it.
    formula: what the trace refutes. trace: lemmas in the order in which they were learned, in the standard DRUP text, deletions
    included; the last one is empty.
    """

    finding: Finding
    by: str
    classes: tuple[int, ...]
    margins: Margins
    formula: AnnotatedFormula | None = None
    trace: tuple[str, ...] = ()
    engine: str = PRESOLVE


def find_evidence(query: Query, budget: Budget) -> Evidence:
    """Return whether any point of the ball query.region leaves the class of its centre, and why."""
    predicted = query.network(query.region.center)
    if query.event != Leaves(predicted) or query.region.inner:
        raise BadQuery(f"proof: expected the question whether class {predicted} is left in a ball, got {query.event}")
    ball = query.region.ball  # margins hold on all of it, which is more than constraints leave
    solved = bounded(query.network, ball, budget)  # with equal neurons apart: a checker wants a literal for each
    reasons = margins(query.network, ball, solved)
    if solved.decided:
        return Evidence(Finding(False), "margins", solved.classes, reasons, engine=PRESOLVE)
    if budget.spent:
        return Evidence(Finding(None, reason=budget.reason), "", solved.classes, reasons)
    if query.region.constraints:
        solved = replace(solved, region=query.region.over_flips(), source=query.region)
    posed = Posed(query, solved, Question.about(solved, query.targets))
    if is_wide(solved):
        witness = short_attack(posed, budget)
        if witness is not None:
            return Evidence(Finding(True, witness), "witness", solved.classes, reasons, engine=ATTACK)
    engine, refuted = _refuted(posed, budget)
    by = "witness" if refuted.found.happens else refuted.by
    return Evidence(posed.finding(refuted.found), by, solved.classes, reasons, refuted.formula, refuted.trace, engine)


def _refuted(posed: Posed, budget: Budget) -> tuple[str, Refuted]:
    """Return the first decided answer of the engines whose "nowhere" others can check, and whose it is."""
    name, refuted = PRESOLVE, Refuted(Found(None, reason=budget.reason))
    for name in evidence_plan(posed.question):
        refuter: Refuter = named(name).open(cores())  # type: ignore[assignment]
        refuted = refuter.refute(posed.solved, posed.question.targets, budget)
        refuter.close()
        if refuted.found.happens is not None or budget.spent:
            break
    return name, refuted
