"""The SAT engine: proves that an event happens nowhere, finds a point where it does, counts by finding and looking around."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from bnnverify.encoders.clauses.annotated import annotated
from bnnverify.encoders.clauses.cardinality import Encoding, adder, by_width, diagram
from bnnverify.encoders.clauses.cnf import formula
from bnnverify.encoders.clauses.native_cardinality import native
from bnnverify.encoders.enumeration.cost_model import HOPELESS, evaluation_seconds, is_wide
from bnnverify.encoders.presolve.presolve import Open, Presolved, presolve
from bnnverify.encoders.presolve.question import Question
from bnnverify.errors import BadQuery, WitnessRejected
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.matrix import exact_products
from bnnverify.problem.budget import Budget
from bnnverify.problem.region import Region
from bnnverify.queries.engines.base import Ability, Bid, Found, Refuted, opening
from bnnverify.queries.engines.registry import Bidding, engine, never, no_evidence
from bnnverify.queries.engines.solver import Solver
from bnnverify.results.counts import Count, Tally
from bnnverify.results.progress import Progress, Report, silent

ENUMERATED = 2**18  # points that the network classifies at once, without the solver
BATCH = 2**14


class SatEngine:
    """Prove that an event happens nowhere, or find a point where it does, by clauses.

    Needs: nothing in particular; good at hundreds of inputs and at deep networks whose neurons mostly are constants.
    Returns: yes with a point, or no; counts of the sought classes.
    Method: every threshold becomes clauses that define its literal in both directions (`encoders.clauses`). A ball is asked first
        where a shell is: it is easier, and what happens nowhere in the ball happens nowhere in the shell. To count, the solver
        names one point with a sought class; the network classifies all points that have the same flips and more; a clause of
        just those flips tells the solver not to look there again; when no sought class is left, their counts are exact.
    Property: exact and complete; counts take time in proportion to the places where a sought class is met.
    Reference: MiniSat (Een and Sorensson, SAT 2003); encodings as cited in docs/cnf.md.

    encoding: how thresholds become clauses.
    """

    def __init__(self, encoding: Encoding = by_width) -> None:
        self._encoding = encoding

    def close(self) -> None:
        """Nothing outlives a question."""

    def find(self, question: Question, budget: Budget) -> Found:
        """Return whether a sought class is the answer anywhere."""
        if question.region.inner:
            ball = replace(question, region=question.region.shell(0, question.region.outer))
            found = self._found(ball, budget)
            if found.flips is None or found.flips in question.region:
                return found
        return self._found(question, budget)

    def _found(self, question: Question, budget: Budget) -> Found:
        found = opening(question)
        if found is not None:
            return found
        if budget.spent:
            return Found(None, reason=budget.reason)
        encoded = formula(question, question.targets, encoding=self._encoding)
        with Solver(encoded.clauses + encoded.event, encoded.at_mosts) as solver:
            answer = solver.solve(budget)
            if answer is None:
                return Found(None, reason=budget.reason)
            if not answer:
                return Found(False)
            flips = solver.bits(encoded.inputs)
        if not question.happens(flips):
            raise WitnessRejected(f"sat: expected a point with a sought class, got flips {np.flatnonzero(flips).tolist()}")
        return Found(True, flips)

    def refute(self, solved: Presolved, targets: frozenset[int], budget: Budget) -> Refuted:
        """Return what a solver that writes down its lemmas says of a formula whose variables all have a stated definition."""
        (center_class,) = set(range(solved.network.classes)) - targets
        try:
            encoded = annotated(solved, solved.classes[center_class])
        except BadQuery as error:
            return Refuted(Found(None, reason=str(error)))
        with Solver(encoded.clauses, traces=True) as solver:
            answer = solver.solve(budget)
            if answer is None:
                return Refuted(Found(None, reason=budget.reason))
            if answer:
                return Refuted(Found(True, solver.bits(np.array(list(encoded.inputs.values())))))
            return Refuted(Found(False), "trace", encoded, solver.trace())

    def count(self, question: Question, budget: Budget, report: Report = silent) -> Tally:
        """Return how many points fall to each class: exact for the sought classes together, and for each where that is asked."""
        sought = _sought(question)
        census = _Census(question, sought)
        if not sought:
            return census.tally()
        if budget.spent:
            return census.tally(reason=budget.reason)
        encoded = formula(question, sought, encoding=self._encoding)
        with Solver(encoded.clauses + encoded.event, encoded.at_mosts) as solver:
            while answer := solver.solve(budget):
                cause = census.cause(solver.bits(encoded.inputs))
                for done in census.look(cause):
                    report(Progress(done, question.region.size, census.tally(reason="not finished")))
                    if budget.spent:
                        break
                solver.add([-encoded.inputs[i] for i in cause])
        return census.tally(reason="" if answer is False else budget.reason)


def bid(question: Open, counting: bool, slowness: float, *, narrow: int, wide: int) -> Bid | None:
    """Return a place in a portfolio for yes or no; which encoding has the shorter proof, nobody knows (docs/cnf.md)."""
    late = is_wide(question) and slowness * evaluation_seconds(question) <= HOPELESS
    return None if counting else Bid(rank=wide if late else narrow)


def last(question: Open) -> int:  # noqa: ARG001 - a Ranking
    """Return the last place: what no other engine's evidence shows, a trace does."""
    return 9


YES_OR_NO = Ability(counts=False)
_VARIANTS: tuple[tuple[str, Encoding, str, Bidding], ...] = (
    (
        "sat",
        by_width,
        "clauses for a SAT solver: yes or no, and distances, at hundreds of inputs",
        partial(bid, narrow=0, wide=3),
    ),
    ("sat:native", native, "sat with a solver that counts literals itself", partial(bid, narrow=1, wide=2)),
    ("sat:diagram", diagram, "sat with a diagram for each threshold", never),
    ("sat:adder", adder, "sat with adders for each threshold", never),
)
for _name, _encoding, _help, _bid in _VARIANTS:
    _evidence = last if _encoding is by_width else no_evidence
    engine(_name, help=_help, ability=YES_OR_NO, bid=_bid, evidence=_evidence)(partial(SatEngine, _encoding))


class _Census:
    """How many points of each class were met where we looked so far: at all points that have all flips of some cause."""

    def __init__(self, question: Question, sought: frozenset[int]) -> None:
        self._question, self._sought = question, sought
        self._causes: list[frozenset[int]] = []
        self._seen = [0] * question.network.classes

    def tally(self, reason: str = "") -> Tally:
        """Return what is known of every class; without a reason the sought classes are complete."""
        size = self._question.region.size
        rest = size - sum(self._seen)
        counts = (Count(n, n if k in self._sought and not reason else n + rest) for k, n in enumerate(self._seen))
        tally = Tally(size, tuple(counts)).sharpened()
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
        return min(around.ball.size, around.size_bound) <= ENUMERATED or presolve(self._question.network, around).decided

    def _around(self, cause: Collection[int]) -> Region:
        """Return the points that have all flips of cause and lack at least the flips that would lead where we have looked."""
        around = self._question.region.flipped(list(cause))
        free = around.free.copy()
        for extra in (earlier.difference(cause) for earlier in self._causes):
            if len(extra) == 1:
                free[list(extra)] = False
        return around.within(free)

    def look(self, cause: tuple[int, ...]) -> Iterator[int]:
        """Count the points that have all flips of cause and are not counted yet; yield now and then how many are counted."""
        around = self._around(cause)
        small = presolve(self._question.network, around)
        known = self._known(cause, small.source)
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
        """Return the flips that, added to those of the centre of around, lead where we have looked: (k, freedom), 0s and 1s."""
        beyond = np.zeros((len(self._causes), around.n), dtype=np.int64)
        for row, earlier in zip(beyond, self._causes, strict=True):
            row[list(earlier.difference(cause))] = 1
        beyond[:, around.center == 1] = 0  # what constraints force is flipped already
        possible = (beyond.sum(axis=1) <= around.outer) & ~beyond[:, ~around.free].any(axis=1)
        known: Integers = beyond[np.ix_(possible, around.free)]
        return known


def _sought(question: Question) -> frozenset[int]:
    """Return the classes to look for: those without the centre's, which is rarely the rarest; the rest follows from the size."""
    center_class = question.network(np.zeros(question.region.n, dtype=np.uint8))
    every = frozenset(range(question.network.classes))
    if question.each:
        return every - {center_class}
    return every - question.targets if center_class in question.targets else question.targets
