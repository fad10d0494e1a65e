"""Counting by looking at every point of the region, 64 to 512 per instruction.

How that is done so fast is in `encoders.enumeration`. Questions so small that getting ready would cost more than the answer are
put to the network itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from math import comb
from pathlib import Path
from typing import ClassVar, TypeVar

import numpy as np

from bnnverify.encoders.enumeration.cost import netlist, products
from bnnverify.encoders.enumeration.enumeration import Enumeration, Numbers
from bnnverify.encoders.enumeration.layout import Runs
from bnnverify.encoders.presolve.presolve import Presolved, presolve
from bnnverify.errors import Disagreement
from bnnverify.model.arrays import Bits
from bnnverify.problem.budget import Budget
from bnnverify.problem.query import Query
from bnnverify.queries.engines.base import Ability
from bnnverify.queries.engines.witness import witnessed
from bnnverify.queries.execution.cores import cores
from bnnverify.queries.storage.cache import kept
from bnnverify.results.counts import Shares, Tally
from bnnverify.results.finding import Finding
from bnnverify.results.progress import Progress, Report, silent

Made = TypeVar("Made")

WORTHWHILE = 0.5  # seconds for all points, below which none are drawn
SHARE = 16  # of the points, at most so many are drawn before all are looked at
GLIMPSES = 2**20  # so many of these before code is made that would be faster


@dataclass(frozen=True)
class _Part:
    """Counted points: their distance (None: mixed), how many fall to each class, how many of them bounds alone decided."""

    distance: int | None
    numbers: Numbers
    pruned: int = 0


class BitsEngine:
    """Exact counts by enumeration; the cost grows with the number of points, not with what they do.

    workers: how many cores count at the same time. folder: for compiled code.
    """

    name: ClassVar[str] = "bits"
    ability: ClassVar[Ability] = Ability(exact=True, native=False, one_pass=True, threads=True)

    def __init__(self, workers: int | None = None, folder: Path | None = None) -> None:
        self._workers = workers or cores()
        self._kept = folder or kept() / "kernels"

    def count(self, query: Query, budget: Budget, report: Report = silent) -> Tally:
        """Return how many points of query.region fall to each class: all classes in one pass, and per distance for balls."""
        solved = presolve(query.network, query.region)
        census = _Census(query, solved.classes)
        for part in self._counted(solved, budget):
            census.add(part)
            report(Progress(census.done, query.region.size, census.tally()))
        if census.done > query.region.size or (census.done < query.region.size and not budget.spent):
            raise Disagreement(f"bits: expected {query.region.size} points in the region, met {census.done}")
        return census.tally("" if census.done == query.region.size else budget.reason)

    def find(self, query: Query, budget: Budget) -> Finding:
        """Return whether the event happens, with a witness that no flip can be taken back from.

        Where there are many points, some of the farthest are drawn first: most of a region is far out, and so are most hits.
        """
        solved = presolve(query.network, query.region)
        targets = [i for i, c in enumerate(solved.classes) if c in query.targets]
        if not targets:
            return Finding(False)
        for flips in self._hits(solved, targets, budget):
            if flips is not None:
                return witnessed(query, solved, targets, flips)
            if budget.spent:
                break
        return Finding(None, reason=budget.reason) if budget.spent else Finding(False)

    def drawn(self, solved: Presolved, targets: list[int], points: int, budget: Budget) -> Bits | None:
        """Return the flips of a point of solved.region where a target wins, if one is among about so many drawn at random."""
        if solved.decided or points < 1:
            return None
        found = self._drawn(Enumeration(solved, self._kept, mixed=False), targets, points, budget)
        return next((flips for flips in found if flips is not None), None)

    def everywhere(self, solved: Presolved, targets: list[int], budget: Budget) -> Iterator[Bits]:
        """Yield, for parts that make up solved.region, the flips of all points where a target wins, (k, freedom); k may be 0.

        Ends early when the budget is spent.
        """
        if solved.decided or _is_small(solved):
            for flips in solved.region.points():
                yield flips[np.isin(solved.network(flips), targets)]
                if budget.spent:
                    return
            return
        task = Enumeration(solved, self._kept, mixed=True)
        yield from _side_by_side(lambda runs: task.points(runs, targets), task.parts(), self._workers, budget)

    def close(self) -> None:
        """Nothing outlives a question."""

    def _counted(self, solved: Presolved, budget: Budget) -> Iterator[_Part]:
        """Yield class counts of parts of the region, nearest first, until all is counted or the budget is spent."""
        if solved.decided:
            region = solved.region
            sizes = ((d, comb(region.n, d)) for d in range(region.inner, region.outer + 1))
            yield from (_Part(d, [size], pruned=size) for d, size in sizes)
        elif _is_small(solved):
            yield from _looked_at(solved, budget)
        else:
            cube = (solved.region.inner, solved.region.outer) == (0, solved.region.n)
            task = Enumeration(solved, self._kept, mixed=cube)  # nobody measures distance in a cube
            yield from _side_by_side(lambda runs: _part(task, runs), task.parts(), self._workers, budget)

    def _hits(self, solved: Presolved, targets: list[int], budget: Budget) -> Iterator[Bits | None]:
        """Yield for parts of the region the flips of a point where a target wins, or None; less when the budget is spent."""
        if solved.decided or _is_small(solved):
            for flips in solved.region.points():
                hits = np.flatnonzero(np.isin(solved.network(flips), targets))
                yield flips[hits[0]] if len(hits) else None
            return
        task = Enumeration(solved, self._kept, mixed=False)
        if netlist(solved) > WORTHWHILE:
            yield from self._drawn(task, targets, solved.region.size // SHARE, budget)
        yield from _side_by_side(lambda runs: task.first(runs, targets), task.parts(), self._workers, budget)

    def _drawn(self, task: Enumeration, targets: list[int], points: int, budget: Budget) -> Iterator[Bits | None]:
        glimpses, others = task.drawn(min(points, GLIMPSES)), task.drawn(points - GLIMPSES, seed=1)
        yield from _side_by_side(lambda runs: task.glimpsed(runs, targets), glimpses, self._workers, budget)
        yield from _side_by_side(lambda runs: task.first(runs, targets), others, self._workers, budget)


@dataclass
class _Census:
    """Counts as they come in, nearest first. classes: what the presolved classes mean."""

    query: Query
    classes: tuple[int, ...]
    done: int = 0
    pruned: int = 0
    seen: dict[int | None, Numbers] = field(default_factory=dict)

    def add(self, part: _Part) -> None:
        self.done += sum(part.numbers)
        self.pruned += part.pruned
        counts = self.seen.setdefault(part.distance, [0] * self.query.network.classes)
        for c, number in zip(self.classes, part.numbers, strict=True):
            counts[c] += number

    def tally(self, reason: str = "") -> Tally:
        """Return what is known; the last distance met is finished only if all of its points are in."""
        region = self.query.region
        totals = [sum(column) for column in zip(*self.seen.values(), strict=True)] or [0] * self.query.network.classes
        whole = {d: tuple(k) for d, k in self.seen.items() if d is not None and sum(k) == comb(region.freedom, d)}
        shells = tuple(Shares(d, k) for d, k in sorted(whole.items()))
        return replace(Tally.seen(region.size, totals, reason), shells=shells, pruned=self.pruned)


def _looked_at(solved: Presolved, budget: Budget) -> Iterator[_Part]:
    """Yield class counts by asking the network about every point."""
    for flips in solved.region.points():
        distances, labels = flips.sum(axis=1, dtype=np.int64), solved.network(flips)
        for distance in range(int(distances[0]), int(distances[-1]) + 1):
            numbers = np.bincount(labels[distances == distance], minlength=solved.network.classes)
            yield _Part(distance, [int(k) for k in numbers])
        if budget.spent:
            return


def _is_small(solved: Presolved) -> bool:
    """Return whether putting every point through the network itself takes less time than making and running a netlist."""
    return products(solved) <= netlist(solved)


def _part(task: Enumeration, runs: Runs) -> _Part:
    return _Part(runs.distance, *task.counted(runs))


def _side_by_side(work: Callable[[Runs], Made], parts: Iterator[Runs], workers: int, budget: Budget) -> Iterator[Made]:
    """Yield what work makes of each part, in order, a few parts at the same time, until the budget is spent."""
    pool = ThreadPoolExecutor(workers)
    waiting: list[Future[Made]] = []
    try:
        for part in parts:
            waiting.append(pool.submit(work, part))
            if len(waiting) > workers:
                yield waiting.pop(0).result()
            if budget.spent:
                return
        for future in waiting:
            yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
