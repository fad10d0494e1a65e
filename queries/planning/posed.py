"""A query, presolved once, and the way back from what engines answer to answers about the query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bnnverify.encoders.presolve.presolve import Presolved, presolve
from bnnverify.encoders.presolve.question import Question
from bnnverify.model.arrays import Bits
from bnnverify.problem.budget import Budget
from bnnverify.problem.query import Query
from bnnverify.queries.engines.base import Engine, Found, opening
from bnnverify.results.counts import Count, Shares, Tally
from bnnverify.results.finding import Finding, Witness, confirmed
from bnnverify.results.progress import Progress, Report, silent


@dataclass(frozen=True, eq=False)
class Posed:
    """A query, what presolve leaves of it, and the question that engines are asked."""

    query: Query
    solved: Presolved
    question: Question

    @classmethod
    def of(cls, query: Query, budget: Budget) -> Posed:
        """Return the query, presolved; raises OutOfBudget when the budget is spent before that is done."""
        solved = presolve(query.decider, query.region, budget)
        return cls(query, solved, Question.about(solved, query.targets, each=getattr(query.event, "each", False)))

    def clear_tally(self) -> Tally | None:
        """Return the counts where presolve left one class, which all points of the region have, or where there is no point."""
        region, classes = self.question.region, self.question.network.classes
        if not self.question.decided and not self.question.empty:
            return None
        one, sizes = (1, *(0,) * (classes - 1)), region.sizes()
        shells = tuple(Shares(d, tuple(size * k for k in one)) for d, size in enumerate(sizes) if d >= region.inner)
        counts = tuple(Count.exactly(region.size * k) for k in one)
        return self.spread(Tally(region.size, counts, shells=shells, pruned=region.size))

    def clear_finding(self) -> Finding | None:
        """Return the answer that needs no engine: no sought class is left, or the nearest point has one."""
        found = opening(self.question)
        return None if found is None else self.finding(found)

    def count(self, engine: Engine, budget: Budget, report: Report = silent) -> Tally:
        """Return the engine's counts, class by class of the network that decides."""
        tally = engine.count(self.question, budget, lambda progress: report(self.forwarded(progress)))
        return self.spread(tally)

    def find(self, engine: Engine, budget: Budget) -> Finding:
        """Return the engine's answer, its point replayed."""
        return self.finding(engine.find(self.question, budget))

    def forwarded(self, progress: Progress) -> Progress:
        """Return an engine's progress in terms of the query."""
        return replace(progress, tally=self.spread(progress.tally))

    def spread(self, tally: Tally) -> Tally:
        """Return an engine's counts with those of the classes that presolve ruled out, and of distances: none.

        Distances are those from the centre of the query: engines count them from where constraints have moved it.
        """
        classes, width = self.solved.classes, self.query.decider.classes
        counts = [Count.exactly(0)] * width
        for label, count in zip(classes, tally.counts, strict=True):
            counts[label] = count
        shells = tuple(self._shells(tally, width)) if tally.shells else ()
        return replace(tally, counts=tuple(counts), shells=shells)

    def _shells(self, tally: Tally, width: int) -> Iterator[Shares]:
        """Yield what the tally says of distances of the query; what constraints force leaves no point at some others."""
        left, shift, region = self.question.region, self.solved.shift, self.query.region
        known = {shares.distance + shift: _spread(shares.counts, self.solved.classes, width) for shares in tally.shells}
        for distance in range(region.inner, region.outer + 1):
            if not left.inner <= distance - shift <= left.outer:
                yield Shares(distance, (0,) * width)
            elif distance in known:
                yield Shares(distance, known[distance])

    def finding(self, found: Found) -> Finding:
        """Return an engine's answer with its point as a witness that no flip can be spared of; raises WitnessRejected."""
        witness = None if found.flips is None else self.witness(found.flips)
        return Finding(found.happens, witness, found.reason)

    def witness(self, flips: Bits) -> Witness:
        """Return the point of these flips, less those that the event does not need, replayed through the network."""
        if not self.question.happens(flips):  # said in terms of the query
            return confirmed(self.query, self.solved.points(flips))
        return confirmed(self.query, self.solved.points(self.question.minimal(flips)))


def _spread(counts: Sequence[int], classes: Sequence[int], width: int) -> tuple[int, ...]:
    spread = np.zeros(width, dtype=object)
    spread[list(classes)] = list(counts)
    return tuple(spread.tolist())
