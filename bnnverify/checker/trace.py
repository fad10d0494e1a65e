"""The trace of a solver, checked by reverse unit propagation in another solver.

Each lemma must follow by unit propagation alone from the formula and the lemmas before it; the last one is empty. Deletions are
ignored: with more clauses no less follows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bnnverify.checker.files import clause
from bnnverify.errors import Rejected

SOLVER = "minisat22"  # another one than writes traces
NAME = "trace.drup"


def lemmas(formula: list[list[int]], variables: int, trace: Iterable[str]) -> int:
    """Return how many lemmas lead from the formula to the empty clause; raise Rejected where one does not follow."""
    from pysat.solvers import Solver

    with Solver(name=SOLVER, bootstrap_with=formula) as solver:
        for number, words in enumerate((line for line in trace if not line.startswith("d ")), start=1):
            lemma = clause(words, variables, f"{NAME}, lemma {number}")
            if not _follows(solver, lemma):
                raise Rejected(f"{NAME}: lemma {number} does not follow by unit propagation: {words[:40]!r}")
            if not lemma:
                return number
            solver.add_clause(lemma)
    raise Rejected(f"{NAME}: expected the empty clause at its end, got none")


def _follows(solver: Any, lemma: list[int]) -> bool:
    """Return whether unit propagation finds a conflict where every literal of lemma is 0."""
    consistent, _ = solver.propagate(assumptions=[-literal for literal in lemma])
    return not consistent
