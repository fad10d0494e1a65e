"""Yes or no by way of the first block's codes: which of them lead to the event, and does the region reach any of those?"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from bnnverify.checker.patterns import MOST_CODES
from bnnverify.encoders.clauses.cnf import Cnf
from bnnverify.encoders.enumeration.cost_model import code_seconds, evaluation_seconds, is_wide, points_in_words
from bnnverify.encoders.presolve.presolve import Open, Presolved, after_first_block
from bnnverify.encoders.presolve.question import Question
from bnnverify.encoders.walk import encode
from bnnverify.errors import BadQuery
from bnnverify.model.arrays import Bits, Integers
from bnnverify.problem.budget import Budget, OutOfBudget
from bnnverify.queries.engines.base import Ability, Bid, Found, Refuted, opening
from bnnverify.queries.engines.enumeration import GLIMPSES, BitsEngine
from bnnverify.queries.engines.enumeration import NAME as ENUMERATION
from bnnverify.queries.engines.registry import engine
from bnnverify.queries.engines.solver import Solver
from bnnverify.results.counts import Tally
from bnnverify.results.progress import Report, silent

SHARE = 4  # as many points as a quarter of the codes are drawn first: a witness among them makes the codes needless
TRIES = 20_000  # codes that nothing reaches, asked for one by one, after which looking at the points is the better bet


QUICK, PATIENCE = 0.2, 100.0  # seconds up to which codes are tried alone; the same where solvers are slow


def bid(question: Open, counting: bool, slowness: float) -> Bid | None:
    """Return about how long looking at every code takes, where that is less than looking at every point."""
    if counting:
        return None
    seconds = slowness * code_seconds(question)
    alone = seconds < slowness * evaluation_seconds(question) and seconds < (PATIENCE if is_wide(question) else QUICK)
    if not alone:
        return None
    number = 2 ** question.live[0]
    return Bid(
        seconds, True, None, f"{number:.3g} codes of the first block for {points_in_words(question)}, about {seconds:.2g} s"
    )


def evidence(question: Open) -> int | None:
    """Return 0 where a solver would be slow, and a checker can look at every code of the first block's open neurons."""
    few = is_wide(question) and 2 ** question.live[0] <= min(MOST_CODES, question.region.size_bound)
    return 0 if few else None


@engine(
    "codes",
    help="yes or no for deep networks: every code of the open first-layer neurons",
    ability=Ability(counts=False, counted_by=ENUMERATION, cores=True, piece=2**30),
    bid=bid,
    evidence=evidence,
)
class CodesEngine:
    """Decide a question by the codes of the first block's open neurons.

    Needs: a first block with few open neurons, up to about 32, whatever the size of the region.
    Returns: yes with a point, or no.
    Method: all codes that these neurons could have are put through the rest of the network, bit-parallel, whether anything
        reaches them or not: trained networks answer the same on nearly all. A solver that knows the first block alone then says
        of the few others whether a point of the region has that code; if none has, it names the bits that are the reason (an
        unsatisfiable core), which rules out many codes at a time.
    Property: exact and complete for yes or no; does not count.
    Reference: counterexample-guided abstraction refinement (Clarke et al., JACM 2003), with codes as the abstraction.

    workers: how many cores look at codes at the same time. folder: for compiled code.
    """

    def __init__(self, workers: int | None = None, folder: Path | None = None) -> None:
        self._bits = BitsEngine(workers, folder)

    def close(self) -> None:
        """Nothing outlives a question."""

    def count(self, question: Question, budget: Budget, report: Report = silent) -> Tally:  # noqa: ARG002 - refused
        """Raise BadQuery: codes do not say how many points have them."""
        raise BadQuery("engine codes answers yes or no and does not count")

    def find(self, question: Question, budget: Budget) -> Found:
        """Return whether a sought class is the answer anywhere."""
        found = opening(question)
        if found is not None:
            return found
        if not question.network.blocks:
            return self._by_points(question, budget)
        try:
            behind = after_first_block(question, budget)
        except OutOfBudget as out:
            return Found(None, reason=str(out))
        leading = [k for k, label in enumerate(behind.classes) if label in question.targets]
        if not leading:
            return Found(False)
        points = behind.region.size // SHARE
        drawn = self._bits.drawn(question, sorted(question.targets), points, budget) if points >= GLIMPSES else None
        if drawn is not None:
            return Found(True, drawn)
        with closing(_Reached(question)) as reached:
            for met in self._bits.everywhere(behind, leading, budget):
                flips = reached.one_of(behind.points(met), budget)
                if flips is not None:
                    return Found(True, flips)
                if budget.spent:
                    break
                if reached.tries > TRIES:
                    return self._by_points(question, budget)
        return Found(None, reason=budget.reason) if budget.spent else Found(False)

    def refute(self, solved: Presolved, targets: frozenset[int], budget: Budget) -> Refuted:
        """Return no where the blocks behind the first answer the same on every code, reached or not: a checker can redo that."""
        try:
            behind = after_first_block(solved, budget)
        except OutOfBudget as out:
            return Refuted(Found(None, reason=str(out)))
        leading = [k for k, label in enumerate(behind.classes) if label in targets]
        leads = any(map(len, self._bits.everywhere(behind, leading, budget)))
        if leads or budget.spent:
            return Refuted(Found(None, reason=budget.reason if budget.spent else "some codes lead to the event"))
        return Refuted(Found(False), "codes")

    def _by_points(self, question: Question, budget: Budget) -> Found:
        """Return what looking at the points says, and who said it."""
        return replace(self._bits.find(question, budget), engine=ENUMERATION)


class _Reached:
    """Which codes of the first block some point of the region has, asked of a solver that is opened when first needed."""

    def __init__(self, question: Question) -> None:
        self._first, self._region = question.network.prefix(1), question.region
        self._center_code = self._first(np.zeros(self._first.inputs, dtype=np.uint8))
        self._cores: list[tuple[Integers, Bits]] = []  # neurons, and values that they do not take together
        self._solver: Solver | None = None

    def close(self) -> None:
        if self._solver is not None:
            self._solver.close()

    @property
    def tries(self) -> int:
        """Return how many codes were asked for that no point has."""
        return len(self._cores)

    def one_of(self, codes: Bits, budget: Budget) -> Bits | None:
        """Return the flips of a point that has one of codes (k, neurons); None if there is none, or the budget is spent."""
        codes = codes[np.argsort((codes != self._center_code).sum(axis=1), kind="stable")]
        for core in self._cores:
            codes = _without(codes, core)
        while len(codes) and not budget.spent and self.tries <= TRIES:
            flips = self._reaching(codes[0], budget)
            if flips is not None:
                return flips
            codes = _without(codes, self._cores[-1]) if not budget.spent else codes
        return None

    def _reaching(self, code: Bits, budget: Budget) -> Bits | None:
        """Return the flips of a point with this code, or None, with one core more unless the budget is spent."""
        solver = self._opened()
        literals = np.where(code == 1, self._neurons, -self._neurons).tolist()
        answer = solver.solve(budget, literals)
        if answer:
            return solver.bits(self._flips)
        if answer is False:
            core = solver.core(literals)
            self._cores.append((core, code[core]))
        return None

    def _opened(self) -> Solver:
        """Return the solver that holds the first block and the region."""
        if self._solver is None:
            cnf = Cnf.of(self._region)
            flips, neurons = encode(cnf, self._first, ())
            self._flips, self._neurons = np.array(flips), np.array(list(neurons.values()))
            self._solver = Solver(cnf.clauses)
        return self._solver


def _without(codes: Bits, core: tuple[Integers, Bits]) -> Bits:
    """Return the codes that do not have these values there."""
    where, values = core
    left: Bits = codes[(codes[:, where] != values).any(axis=1)]
    return left
