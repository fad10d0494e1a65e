"""Counting by looking at every point of the region, 64 to 512 per instruction.

How that is done so fast is in `encoders.enumeration`. Questions so small that getting ready would cost more than the answer are
put to the network itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bnnverify.checker.patterns import FEW, MOST
from bnnverify.encoders.enumeration.cost_model import (
    HOPELESS,
    evaluation_seconds,
    is_narrow,
    is_wide,
    netlist_seconds,
    points_in_words,
    product_seconds,
)
from bnnverify.encoders.enumeration.enumeration import Enumeration, Numbers
from bnnverify.encoders.enumeration.layout import Runs
from bnnverify.encoders.presolve.presolve import Open, Presolved
from bnnverify.encoders.presolve.question import Question
from bnnverify.errors import Disagreement
from bnnverify.model.arrays import Bits
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines.base import Ability, Bid, Found, Refuted
from bnnverify.queries.engines.registry import engine
from bnnverify.queries.execution.cores import cores
from bnnverify.queries.execution.events import Worker
from bnnverify.queries.execution.pool import run
from bnnverify.queries.execution.thread_pool import threads
from bnnverify.queries.storage.cache import cache_folder
from bnnverify.results.counts import Shares, Tally
from bnnverify.results.progress import Progress, Report, silent

WORTHWHILE = 0.5  # seconds for all points, below which none are drawn
SHARE = 16  # of the points, at most so many are drawn before all are looked at
GLIMPSES = 2**20  # so many of these before code is made that would be faster


@dataclass(frozen=True)
class _Part:
    """Counted points: their distance (None: mixed), how many fall to each class, how many of them bounds alone decided."""

    distance: int | None
    numbers: Numbers
    pruned: int = 0


PATIENCE = 60.0  # seconds up to which a count is made by enumeration alone
PATIENCE_NARROW = 3.0  # the same where few first-layer neurons are open: a diagram may be faster then
PATIENCE_YES_OR_NO = 1.0  # the same for yes or no, where a solver may be faster


def bid(question: Open, counting: bool, slowness: float) -> Bid | None:
    """Return about how long looking at every point takes; alone while that is short, and no part in what would take a day."""
    seconds = slowness * evaluation_seconds(question)
    patience = (PATIENCE_NARROW if is_narrow(question) else PATIENCE) if counting else PATIENCE_YES_OR_NO
    late = is_narrow(question) if counting else not is_wide(question)
    rank = None if seconds > HOPELESS else (3 if late else 0)
    reason = f"{points_in_words(question)}, about {seconds:.2g} s of enumeration"
    return Bid(seconds, alone=seconds <= patience, rank=rank, reason=reason)


OPEN = 60  # open neurons of the first block, above which a checker does not look at more than FEW points


def evidence(question: Open) -> int | None:
    """Return 1 where a solver would be slow, and a checker can look at all points."""
    first, size = question.live[0] if question.live else 0, question.region.ball.size
    return 1 if is_wide(question) and (size <= FEW or (0 < first <= OPEN and size <= MOST)) else None


NAME = "bits"


@engine(
    NAME,
    help="looks at every input, in machine code: up to about 10^10 inputs",
    ability=Ability(interruptible=True, cores=True, piece=2**30),
    bid=bid,
    evidence=evidence,
)
class BitsEngine:
    """Count by looking at every point of the region, 64 to 512 at a time.

    Needs: a region with few enough points, up to about 10^11 on two cores.
    Returns: the number of points of each class, per distance as well for balls; or the first point met whose class is sought.
    Method: the first layer is read off rows of bits, the rest is a netlist run on machine words (`encoders.enumeration`);
        questions so small that making a netlist would cost more than the answer are put to the network itself. For yes or no,
        where there are many points, some of the farthest are drawn first: most of a region is far out, and so are most hits.
    Property: exact and complete; the cost grows with the number of points, not with what they do.
    Reference: bit-parallel simulation (Waicukauski et al., "Fault simulation for structured VLSI", 1985), over cubes and balls.

    workers: how many cores count at the same time. folder: for compiled code.
    """

    def __init__(self, workers: int | None = None, folder: Path | None = None) -> None:
        self._workers = workers or cores()
        self._folder = folder or cache_folder() / "kernels"

    def count(self, question: Question, budget: Budget, report: Report = silent) -> Tally:
        """Return how many points fall to each class: all classes in one pass, and per distance for balls."""
        census = _Census(question)
        for part in self._counted(question, budget):
            census.add(part)
            report(Progress(census.done, census.size, census.tally()))
        if census.done > census.size or (census.done < census.size and not budget.spent):
            raise Disagreement(f"bits: expected {census.size} points in the region, met {census.done}")
        return census.tally("" if census.done == census.size else budget.reason)

    def find(self, question: Question, budget: Budget) -> Found:
        """Return whether a sought class is the answer anywhere."""
        targets = sorted(question.targets)
        if not targets:
            return Found(False)
        for flips in self._hits(question, targets, budget):
            if flips is not None:
                return Found(True, flips)
            if budget.spent:
                break
        return Found(None, reason=budget.reason) if budget.spent else Found(False)

    def refute(self, solved: Presolved, targets: frozenset[int], budget: Budget) -> Refuted:
        """Return what looking at every point says: a checker can do the same."""
        found = self.find(Question(solved.network, solved.region, targets), budget)
        return Refuted(found, "patterns" if found.happens is False else "")

    def drawn(self, solved: Open, targets: list[int], points: int, budget: Budget) -> Bits | None:
        """Return the flips of a point of solved.region where a target wins, if one is among about so many drawn at random."""
        if solved.decided or points < 1:
            return None
        found = self._drawn(Enumeration(solved, self._folder, mixed=False), targets, points, budget)
        return next((flips for flips in found if flips is not None), None)

    def everywhere(self, solved: Open, targets: list[int], budget: Budget) -> Iterator[Bits]:
        """Yield, for parts that make up solved.region, the flips of all points where a target wins, (k, freedom); k may be 0.

        Ends early when the budget is spent.
        """
        if (solved.decided and solved.region.known_size is not None) or _is_small(solved):
            for flips in solved.region.points():
                yield flips[np.isin(solved.network(flips), targets)]
                if budget.spent:
                    return
            return
        task = Enumeration(solved, self._folder, mixed=True)
        yield from self._side_by_side(_points_part, task, task.parts(), budget, targets)

    def close(self) -> None:
        """Nothing outlives a question."""

    def _counted(self, solved: Open, budget: Budget) -> Iterator[_Part]:
        """Yield class counts of parts of the region, nearest first, until all is counted or the budget is spent."""
        if solved.decided:
            sizes = list(enumerate(solved.region.sizes()))[solved.region.inner :]
            yield from (_Part(d, [size], pruned=size) for d, size in sizes)
        elif _is_small(solved):
            yield from _enumerated(solved, budget)
        else:
            cube = (solved.region.inner, solved.region.outer) == (0, solved.region.n)
            task = Enumeration(solved, self._folder, mixed=cube)  # nobody measures distance in a cube
            yield from self._side_by_side(_counted_part, task, task.parts(), budget)

    def _hits(self, solved: Open, targets: list[int], budget: Budget) -> Iterator[Bits | None]:
        """Yield for parts of the region the flips of a point where a target wins, or None; less when the budget is spent."""
        if (solved.decided and solved.region.known_size is not None) or _is_small(solved):
            for flips in solved.region.points():
                hits = np.flatnonzero(np.isin(solved.network(flips), targets))
                yield flips[hits[0]] if len(hits) else None
            return
        task = Enumeration(solved, self._folder, mixed=False)
        if netlist_seconds(solved) > WORTHWHILE:
            yield from self._drawn(task, targets, solved.region.ball.size // SHARE, budget)
        yield from self._side_by_side(_first_of_part, task, task.parts(), budget, targets)

    def _drawn(self, task: Enumeration, targets: list[int], points: int, budget: Budget) -> Iterator[Bits | None]:
        interpreted, others = task.drawn(min(points, GLIMPSES)), task.drawn(points - GLIMPSES, seed=1)
        yield from self._side_by_side(_interpreted_part, task, interpreted, budget, targets)
        yield from self._side_by_side(_first_of_part, task, others, budget, targets)

    def _side_by_side(
        self, work: Callable[..., Any], task: Enumeration, parts: Iterator[Runs], budget: Budget, *arguments: Any
    ) -> Iterator[Any]:
        """Yield what work makes of each part, in order, a few parts at the same time, until the budget is spent."""
        with threads(self._workers) as pool:
            questions = ((None, (task, runs, *arguments)) for runs in parts)
            for _, answer in run(pool, work, questions, ordered=True):
                yield answer
                if budget.spent:
                    return


@dataclass
class _Census:
    """Counts as they come in, nearest first."""

    question: Question
    done: int = 0
    pruned: int = 0
    counts: dict[int | None, Numbers] = field(default_factory=dict)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Return the number of points at each distance."""
        return self.question.region.sizes()

    @cached_property
    def size(self) -> int:
        return sum(self.sizes)

    def add(self, part: _Part) -> None:
        self.done += sum(part.numbers)
        self.pruned += part.pruned
        counts = self.counts.setdefault(part.distance, [0] * self.question.network.classes)
        for c, number in enumerate(part.numbers):
            counts[c] += number

    def tally(self, reason: str = "") -> Tally:
        """Return what is known; the last distance met is finished only if all of its points are in."""
        none, inner = [0] * self.question.network.classes, self.question.region.inner
        totals = [sum(column) for column in zip(*self.counts.values(), strict=True)] or none
        met = {} if None in self.counts else {d: self.counts.get(d, none) for d in range(inner, len(self.sizes))}
        shells = tuple(Shares(d, tuple(k)) for d, k in met.items() if sum(k) == self.sizes[d])
        return replace(Tally.partial(self.size, totals, reason), shells=shells, pruned=self.pruned)


def _enumerated(solved: Open, budget: Budget) -> Iterator[_Part]:
    """Yield class counts by asking the network about every point."""
    for flips in solved.region.points():
        distances, labels = flips.sum(axis=1, dtype=np.int64), solved.network(flips)
        for distance in range(int(distances[0]), int(distances[-1]) + 1):
            numbers = np.bincount(labels[distances == distance], minlength=solved.network.classes)
            yield _Part(distance, [int(k) for k in numbers])
        if budget.spent:
            return


def _is_small(solved: Open) -> bool:
    """Return whether putting every point through the network itself takes less time than making and running a netlist."""
    return product_seconds(solved) <= netlist_seconds(solved)


def _counted_part(worker: Worker, task: Enumeration, runs: Runs) -> _Part:  # noqa: ARG001 - what a pool calls
    return _Part(runs.distance, *task.counted(runs))


def _points_part(worker: Worker, task: Enumeration, runs: Runs, targets: list[int]) -> Bits:  # noqa: ARG001 - what a pool calls
    return task.points(runs, targets)


def _first_of_part(worker: Worker, task: Enumeration, runs: Runs, targets: list[int]) -> Bits | None:  # noqa: ARG001
    return task.first(runs, targets)


def _interpreted_part(worker: Worker, task: Enumeration, runs: Runs, targets: list[int]) -> Bits | None:  # noqa: ARG001
    return task.interpreted_example(runs, targets)
