"""The SAT engine: proves that an event happens nowhere, finds a point where it does, counts by finding and looking around.

Counting needs far fewer calls than there are points: the solver names one point with a sought class; the network itself then
classifies all points of the region that have the same flips and more; a clause of just those flips tells the solver not to look
there again. When the solver proves that no sought class is left, the counts of the sought classes are exact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from bnnverify.encoders.clauses.cardinality import Encoding, adder, by_width, diagram
from bnnverify.encoders.clauses.cnf import Formula, formula
from bnnverify.encoders.clauses.native_cardinality import native
from bnnverify.encoders.presolve.presolve import Presolved, presolve
from bnnverify.errors import WitnessRejected
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.matrix import exact_products
from bnnverify.problem.budget import Budget
from bnnverify.problem.event import EachClass
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.engines.base import Ability
from bnnverify.queries.engines.witness import opened, witnessed
from bnnverify.results.counts import Count, Tally
from bnnverify.results.finding import Finding
from bnnverify.results.progress import Progress, Report, silent

SOLVER = "minisat22"
COUNTING_SOLVER = "gluecard4"  # for encodings that leave counting to the solver
CONFLICTS = 2_000  # between two looks at the clock
LOOK = 2**18  # points the network classifies at one go, rather than asking the solver about them
BATCH = 2**14


ABILITY = Ability(exact=True, native=True, counts=False)


class SatEngine:
    """Engine over clauses. encoding: how thresholds become clauses. name: what it is called in results."""

    name = "sat"
    ability: ClassVar[Ability] = ABILITY

    def __init__(self, encoding: Encoding = by_width, name: str = "sat") -> None:
        self._encoding, self.name = encoding, name

    def close(self) -> None:
        """Nothing outlives a question."""

    def find(self, query: Query, budget: Budget) -> Finding:
        """Return whether query.event happens in query.region, with a replayed witness if it does.

        A ball is easier than its shell, and what happens nowhere in the ball happens nowhere in the shell.
        """
        if query.region.inner:
            ball = Query(query.network, query.region.shell(0, query.region.outer), query.event)
            finding = self._found(ball, budget)
            if finding.witness is None or np.array(finding.witness.bits, dtype=np.uint8) in query.region:
                return finding
        return self._found(query, budget)

    def _found(self, query: Query, budget: Budget) -> Finding:
        question, targets, finding = opened(query)
        if finding is not None:
            return finding
        if budget.spent:
            return Finding(None, reason=budget.reason)
        encoded = formula(question, targets, encoding=self._encoding)
        with _opened(encoded) as solver:
            answer = _solved(solver, budget)
            if answer is None:
                return Finding(None, reason=budget.reason)
            if not answer:
                return Finding(False)
            return witnessed(query, question, targets, _named(solver, encoded))

    def count(self, query: Query, budget: Budget, report: Report = silent) -> Tally:
        """Return how many points fall to each class: exact for the asked classes together, and for each of them in EachClass."""
        question = presolve(query.network, query.region)
        sought = _sought(query, question)
        census = _Census(question, sought)
        if not sought:
            return census.tally(query)
        if budget.spent:
            return census.tally(query, reason=budget.reason)
        encoded = formula(question, sought, encoding=self._encoding)
        with _opened(encoded) as solver:
            while answer := _solved(solver, budget):
                cause = census.cause(_named(solver, encoded))
                for done in census.look(cause):
                    report(Progress(done, query.region.size, census.tally(query, reason="not finished")))
                    if budget.spent:
                        break
                solver.add_clause([-encoded.inputs[i] for i in cause])
        return census.tally(query, reason="" if answer is False else budget.reason)


@dataclass(frozen=True)
class Variant:
    """Makes engines of another encoding: called like the class, it says beforehand what they are."""

    name: str
    encoding: Encoding
    ability: Ability = ABILITY

    def __call__(self) -> SatEngine:
        return SatEngine(self.encoding, self.name)


DIAGRAM, ADDER, NATIVE = Variant("sat:diagram", diagram), Variant("sat:adder", adder), Variant("sat:native", native)


class _Census:
    """How many points of each class were met where we looked so far: at all points that have all flips of some cause."""

    def __init__(self, question: Presolved, sought: frozenset[int]) -> None:
        self._question, self._sought = question, sought
        self._causes: list[frozenset[int]] = []
        self._seen = [0] * len(question.classes)

    def tally(self, query: Query, reason: str = "") -> Tally:
        """Return what is known of every class of the asked network; without a reason the sought classes are complete."""
        rest = query.region.size - sum(self._seen)
        counts = [Count.exactly(0)] * query.network.classes
        for k, (label, seen) in enumerate(zip(self._question.classes, self._seen, strict=True)):
            counts[label] = Count(seen, seen if k in self._sought and not reason else seen + rest)
        tally = Tally(query.region.size, tuple(counts)).sharpened()
        return tally if all(count.exact for count in tally.counts) else replace(tally, reason=reason)

    def cause(self, flips: Bits) -> tuple[int, ...]:
        """Return the first of these flips, those that matter leading, such that few points have them all; never none.

        Raises WitnessRejected where the network does not give flips a sought class: a proof by these clauses is worth nothing.
        """
        if self._question.network(flips) not in self._sought or flips not in self._question.region:
            raise WitnessRejected(f"expected a point with a sought class, got flips {np.flatnonzero(flips).tolist()}")
        matter, others = np.flatnonzero(flips).tolist(), []
        for i in list(matter):
            fewer = flips.copy()
            fewer[i] = 0
            if self._question.network(fewer) in self._sought:
                flips = fewer
                matter.remove(i)
                others.append(i)
        chosen = matter + others
        return next(tuple(chosen[:k]) for k in range(1, len(chosen) + 1) if k == len(chosen) or self._easy(chosen[:k]))

    def _easy(self, cause: list[int]) -> bool:
        around = self._around(cause)
        return around.size <= LOOK or presolve(self._question.network, around).decided

    def _around(self, cause: Collection[int]) -> Region:
        """Return the points that have all flips of cause and lack at least the flips that would lead where we have looked."""
        center, region = np.zeros(self._question.region.n, dtype=np.uint8), self._question.region
        center[list(cause)] = 1
        free = center == 0
        for extra in (earlier.difference(cause) for earlier in self._causes):
            if len(extra) == 1:
                free[list(extra)] = False
        return Region(center, free, max(0, region.inner - len(cause)), min(region.outer - len(cause), int(free.sum())))

    def look(self, cause: tuple[int, ...]) -> Iterator[int]:
        """Count the points that have all flips of cause and are not counted yet; yield now and then how many are counted."""
        around = self._around(cause)
        small = presolve(self._question.network, around)
        known = self._known(cause, around)
        if small.decided and not len(known):
            self._seen[small.classes[0]] += around.size
        else:
            for points in small.region.points(BATCH):
                fresh = points[~(exact_products(points, known) == known.sum(axis=1)).any(axis=1)]
                for k, times in zip(small.classes, np.bincount(small.network(fresh), minlength=len(small.classes)), strict=True):
                    self._seen[k] += int(times)
                yield sum(self._seen)
        self._causes.append(frozenset(cause))
        yield sum(self._seen)

    def _known(self, cause: Collection[int], around: Region) -> Integers:
        """Return the flips that, added to cause, lead where we have looked: (k, around.freedom), 0s and 1s."""
        beyond = np.zeros((len(self._causes), around.n), dtype=np.int64)
        for row, earlier in zip(beyond, self._causes, strict=True):
            row[list(earlier.difference(cause))] = 1
        possible = (beyond.sum(axis=1) <= around.outer) & ~beyond[:, ~around.free].any(axis=1)
        known: Integers = beyond[np.ix_(possible, around.free)]
        return known


def _numbers(question: Presolved, classes: frozenset[int]) -> frozenset[int]:
    """Return the presolved network's numbers of classes; those that cannot win have none."""
    return frozenset(k for k, label in enumerate(question.classes) if label in classes)


def _sought(query: Query, question: Presolved) -> frozenset[int]:
    """Return the classes to look for: those without the centre's, which is rarely the rarest; the rest follows from the size."""
    home = question.network(np.zeros(question.region.n, dtype=np.uint8))
    everything = frozenset(range(len(question.classes)))
    if isinstance(query.event, EachClass):
        return everything - {home}
    targets = _numbers(question, query.targets)
    return everything - targets if home in targets else targets


@contextmanager
def _opened(encoded: Formula) -> Iterator[Any]:
    """Yield a solver that holds the formula and its event."""
    from pysat.solvers import Solver

    name = COUNTING_SOLVER if encoded.at_mosts else SOLVER
    with Solver(name=name, bootstrap_with=encoded.clauses + encoded.event) as solver:
        for literals, most in encoded.at_mosts:
            solver.add_atmost(literals, most)
        yield solver


def _solved(solver: Any, budget: Budget) -> bool | None:
    """Return whether the clauses have a model, None when the budget is spent before that is known."""
    while not budget.spent:
        solver.conf_budget(CONFLICTS)
        answer: bool | None = solver.solve_limited()
        if answer is not None:
            return answer
    return None


def _named(solver: Any, encoded: Formula) -> Bits:
    """Return the flips of the model that the solver found; variables that no clause mentions may be anything, so 0."""
    positive = {literal for literal in solver.get_model() if literal > 0}
    return np.array([x in positive for x in encoded.inputs], dtype=np.uint8)
