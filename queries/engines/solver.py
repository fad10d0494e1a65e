"""The seam to PySAT: clauses, a look at the clock now and then, models, cores and traces. Nothing else imports that package.

PySAT: Ignatiev, Morgado and Marques-Silva, "PySAT: A Python Toolkit for Prototyping with SAT Oracles" (SAT 2018).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from bnnverify.model.arrays import Bits, Indices
from bnnverify.problem.budget import Budget

FAST = "minisat22"
COUNTS_LITERALS = "gluecard4"  # for encodings that leave at-most constraints to the solver
TRACES = "glucose4"  # writes lemmas down, and can be interrupted
CONFLICTS = 2_000  # between two looks at the clock


class Solver:
    """A SAT solver that holds clauses; a context manager.

    at_mosts: literals, and how many of them may be 1. traces: whether it writes down what it learns, for a proof.
    """

    def __init__(
        self, clauses: Iterable[Sequence[int]], at_mosts: Sequence[tuple[Sequence[int], int]] = (), *, traces: bool = False
    ) -> None:
        from pysat.solvers import Solver as PySat

        name = TRACES if traces else COUNTS_LITERALS if at_mosts else FAST
        self._solver: Any = PySat(name=name, bootstrap_with=clauses, with_proof=traces)
        for literals, most in at_mosts:
            self._solver.add_atmost(literals, most)

    def solve(self, budget: Budget, assumptions: Sequence[int] = ()) -> bool | None:
        """Return whether the clauses have a model in which the assumptions hold; None when the budget is spent before."""
        while not budget.spent:
            self._solver.conf_budget(CONFLICTS)
            answer: bool | None = self._solver.solve_limited(assumptions=list(assumptions))
            if answer is not None:
                return answer
        return None

    def add(self, clause: Sequence[int]) -> None:
        """Require that a literal of clause is 1."""
        self._solver.add_clause(list(clause))

    def bits(self, variables: Sequence[int] | Indices) -> Bits:
        """Return the values of these variables in the model that was found; those that no clause mentions may be anything: 0."""
        return np.isin(variables, self._solver.get_model()).astype(np.uint8)

    def core(self, assumptions: Sequence[int]) -> Indices:
        """Return the places of assumptions that cannot hold together."""
        return np.flatnonzero(np.isin(assumptions, self._solver.get_core() or []))

    def trace(self) -> tuple[str, ...]:
        """Return the lemmas that lead to the contradiction, in the DRUP format; the last one is empty.

        Clauses that refute themselves leave the solver nothing to write.
        """
        lemmas: list[str] = self._solver.get_proof() or []
        return tuple(lemmas) if lemmas[-1:] == ["0"] else (*lemmas, "0")

    def close(self) -> None:
        """Give back the solver's memory."""
        self._solver.delete()

    def __enter__(self) -> Solver:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
