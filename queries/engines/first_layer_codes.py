"""Yes or no by way of the first block's codes: which of them lead to the event, and does the region reach any of those?

The blocks behind the first read a few open bits. Where these have far fewer codes than the region has points, all of them are
put through the rest of the network, bit-parallel, whether anything reaches them or not: trained networks answer the same on
nearly all. A solver that knows the first block alone then says of the few others whether a point of the region has that code.
If none has, it names the bits that are the reason (an unsatisfiable core), which rules out many codes at a time.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from bnnverify.encoders.clauses.cnf import Cnf
from bnnverify.encoders.presolve.presolve import Presolved, after_first_block
from bnnverify.encoders.walk import encode
from bnnverify.model.arrays import Bits, Integers
from bnnverify.problem.budget import Budget
from bnnverify.problem.query import Query
from bnnverify.queries.engines.base import Ability
from bnnverify.queries.engines.enumeration import GLIMPSES, BitsEngine
from bnnverify.queries.engines.witness import opened, witnessed
from bnnverify.results.counts import Tally
from bnnverify.results.finding import Finding
from bnnverify.results.progress import Report, silent

SOLVER = "minisat22"
CONFLICTS = 2_000  # between two looks at the clock
SHARE = 4  # as many points as a quarter of the codes are drawn first: a witness among them makes the codes needless
TRIES = 20_000  # codes that nothing reaches, asked for one by one, after which looking at the points is the better bet


class CodesEngine:
    """Engine for yes or no; its cost grows with the number of codes of the first block's open neurons, not with the points.

    workers: how many cores look at codes at the same time. folder: for compiled code.
    """

    name: ClassVar[str] = "codes"
    ability: ClassVar[Ability] = Ability(exact=True, native=True, counts=False, threads=True)

    def __init__(self, workers: int | None = None, folder: Path | None = None) -> None:
        self._bits = BitsEngine(workers, folder)

    def close(self) -> None:
        """Nothing outlives a question."""

    def count(self, query: Query, budget: Budget, report: Report = silent) -> Tally:
        """Return how many points fall to each class: codes do not say how many points have them, so each point is looked at."""
        return self._bits.count(query, budget, report)

    def find(self, query: Query, budget: Budget) -> Finding:
        """Return whether query.event happens in query.region, with a replayed witness if it does."""
        solved, targets, finding = opened(query)
        if finding is not None:
            return finding
        if not solved.network.blocks:
            return self._bits.find(query, budget)
        behind = after_first_block(solved)
        leading = [k for k, label in enumerate(behind.classes) if label in targets]
        if not leading:
            return Finding(False)
        points = behind.region.size // SHARE
        drawn = self._bits.drawn(solved, sorted(targets), points, budget) if points >= GLIMPSES else None
        if drawn is not None:
            return witnessed(query, solved, targets, drawn)
        with closing(_Reached(solved)) as reached:
            for flips in self._bits.everywhere(behind, leading, budget):
                found = reached.one_of(behind.points(flips), budget)
                if found is not None:
                    return witnessed(query, solved, targets, found)
                if budget.spent:
                    break
                if reached.tries > TRIES:
                    return self._bits.find(query, budget)
        return Finding(None, reason=budget.reason) if budget.spent else Finding(False)


class _Reached:
    """Which codes of the first block some point of the region has, asked of a solver that is opened when first needed."""

    def __init__(self, solved: Presolved) -> None:
        self._first, self._region = solved.network.prefix(1), solved.region
        self._home = self._first(np.zeros(self._first.inputs, dtype=np.uint8))
        self._cores: list[tuple[Integers, Bits]] = []  # neurons, and values that they do not take together
        self._solver: Any = None

    def close(self) -> None:
        if self._solver is not None:
            self._solver.delete()

    @property
    def tries(self) -> int:
        """Return how many codes were asked for that no point has."""
        return len(self._cores)

    def one_of(self, codes: Bits, budget: Budget) -> Bits | None:
        """Return the flips of a point that has one of codes (k, neurons); None if there is none, or the budget is spent."""
        codes = codes[np.argsort((codes != self._home).sum(axis=1), kind="stable")]
        for core in self._cores:
            codes = _without(codes, core)
        while len(codes) and not budget.spent and self.tries <= TRIES:
            flips = self._asked(codes[0], budget)
            if flips is not None:
                return flips
            codes = _without(codes, self._cores[-1]) if not budget.spent else codes
        return None

    def _asked(self, code: Bits, budget: Budget) -> Bits | None:
        """Return the flips of a point with this code, or None, with one core more unless the budget is spent."""
        self._opened()
        literals = np.where(code == 1, self._neurons, -self._neurons).tolist()
        while not budget.spent:
            self._solver.conf_budget(CONFLICTS)
            answer = self._solver.solve_limited(assumptions=literals)
            if answer:
                return np.isin(self._flips, self._solver.get_model()).astype(np.uint8)
            if answer is False:
                core = np.flatnonzero(np.isin(literals, self._solver.get_core() or []))
                self._cores.append((core, code[core]))
                return None
        return None

    def _opened(self) -> None:
        if self._solver is None:
            from pysat.solvers import Solver

            cnf = Cnf(fewest=self._region.inner, most=self._region.outer)
            flips, neurons = encode(cnf, self._first, ())
            self._flips, self._neurons = np.array(flips), np.array(list(neurons.values()))
            self._solver = Solver(name=SOLVER, bootstrap_with=cnf.clauses)


def _without(codes: Bits, core: tuple[Integers, Bits]) -> Bits:
    """Return the codes that do not have these values there."""
    where, values = core
    left: Bits = codes[(codes[:, where] != values).any(axis=1)]
    return left
