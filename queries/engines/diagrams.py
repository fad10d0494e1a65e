"""The BDD engine: the region is split into sets of points that are alike to the network, and nobody looks at them singly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnverify.encoders.diagrams.block_relations import Relations
from bnnverify.encoders.diagrams.frontier import Frontier
from bnnverify.encoders.diagrams.region_sets import Diagrams
from bnnverify.encoders.enumeration.cost_model import HOPELESS, evaluation_seconds, is_narrow, is_wide
from bnnverify.encoders.presolve.presolve import Open, presolve
from bnnverify.encoders.presolve.question import Question
from bnnverify.errors import BadQuery, Disagreement
from bnnverify.model.arrays import Bits, Integers
from bnnverify.problem.budget import Budget, OutOfBudget
from bnnverify.problem.region import Region
from bnnverify.queries.engines.base import Ability, Bid, Found, opening
from bnnverify.queries.engines.registry import engine
from bnnverify.results.counts import Shares, Tally
from bnnverify.results.progress import Progress, Report, silent

PACKAGED: dict[str, type[Diagrams] | type[Relations]] = {"region": Diagrams, "blocks": Relations}
STRATEGIES = ("frontier", *PACKAGED)
SWEPT_NEURONS = 24  # live first-layer neurons whose codes fit into memory, however many points there are
SWEPT_POINTS = 2**34  # points that a sweep gets through even if hardly two look alike

PARTS = 16  # for a package, no part holds more than this share of the region: so often it can report and stop
OXIDD_NEEDS = 2 << 30  # bytes of address space, most of it never touched; with less, oxidd ends the process at its start
SMALL = 1 << 18  # points that are not worth cutting: under a second


def bid(question: Open, counting: bool, slowness: float) -> Bid:
    """Return a place in a portfolio: before enumeration where points are alike, behind solvers for yes or no."""
    if counting:
        return Bid(rank=0 if is_narrow(question) else 1)
    return Bid(rank=1 if is_wide(question) and slowness * evaluation_seconds(question) <= HOPELESS else 2)


@engine(
    "bdd", bid=bid, help="decision diagrams: narrow first layers with balls of 10^9 inputs and more", ability=Ability(piece=2**34)
)
class BddEngine:
    """Count by splitting the region into sets of points that are alike to the network, and looking at none of them.

    Needs: a narrow first layer, up to about 24 open neurons, or a region whose diagrams stay small.
    Returns: the number of points of each class, per distance as well for balls; or a point whose class is sought.
    Method: strategy "frontier" (`encoders.diagrams.frontier`) counts along the joint diagram of the first layer, level by level;
        "region" and "blocks" let a diagram package make the set of points of each class.
    Property: exact and complete; the cost grows with the kinds of points, not with their number.
    Reference: Bryant (IEEE ToC 1986); Sekine, Imai and Tani (ISAAC 1995); Zhang et al., "BDD4BNN" (CAV 2021), for "blocks".

    package: "oxidd" or "cudd"; None: oxidd, the faster one (docs/bdd.md), if memory allows. strategy: None: frontier, or region
    where too many kinds of points are to be expected. Networks without a block go to region.
    """

    def __init__(self, package: str | None = None, strategy: str | None = None) -> None:
        if strategy is not None and strategy not in STRATEGIES:
            raise BadQuery(f"strategy must be one of {', '.join(STRATEGIES)}, got {strategy!r}")
        self._package, self._strategy = package, strategy
        self._diagrams: Diagrams | Relations | None = None

    def count(self, question: Question, budget: Budget, report: Report = silent) -> Tally:
        """Return how many points fall to each class: exact for all of them, unless the budget runs out."""
        if self._sweeps(question) or question.decided:
            return _swept(question, budget, report)
        size, numbers = question.region.size, [0] * question.network.classes
        try:
            for part in question.region.parts(max(SMALL, size // PARTS)):
                for c, share in self._shares(question, part, budget):
                    numbers[c] += share
                report(Progress(sum(numbers), size, Tally.partial(size, numbers)))
        except OutOfBudget as out:
            return Tally.partial(size, numbers, str(out))
        except MemoryError:
            self.close()
            return Tally.partial(size, numbers, _full("the diagrams do", budget))
        if sum(numbers) != size:
            raise Disagreement(f"bdd engine: expected parts of {size} points in all, got {sum(numbers)}")
        return Tally.partial(size, numbers)

    def find(self, question: Question, budget: Budget) -> Found:
        """Return whether a sought class is the answer anywhere."""
        found = opening(question)
        if found is not None:
            return found
        region = question.region
        try:
            region.sizes(budget)
            for part in [region] if self._sweeps(question) else region.parts(max(SMALL, region.size // PARTS)):
                flips = self._example(question, part, budget)
                if flips is not None:
                    return Found(True, flips)
        except OutOfBudget as out:
            return Found(None, reason=str(out))
        except MemoryError:
            self.close()
            return Found(None, reason=_full("the sets of points do", budget))
        return Found(False)

    def _sweeps(self, solved: Open) -> bool:
        """Return whether the frontier answers: asked for, or small enough, and there is a first layer to sweep."""
        if self._strategy is not None or not solved.live:
            return self._strategy == "frontier" and bool(solved.live)
        return solved.live[0] <= SWEPT_NEURONS or solved.region.size_bound <= SWEPT_POINTS

    def _shares(self, question: Question, part: Region, budget: Budget) -> Iterable[tuple[int, int]]:
        """Return how many points of the part fall to each class that it leaves possible."""
        if part is question.region:  # presolved already
            return enumerate(self._opened(budget).shares(question.network, part, budget.check))
        solved = presolve(question.network, part, budget)
        if solved.decided:
            return [(solved.classes[0], part.size)]
        shares = self._opened(budget).shares(solved.network, solved.region, budget.check)
        return zip(solved.classes, shares, strict=True)

    def _example(self, question: Question, part: Region, budget: Budget) -> Bits | None:
        """Return the flips of a point of the part where a sought class is the answer, None if there is none."""
        if part is question.region:  # presolved already
            return self._point(question, sorted(question.targets), budget)
        solved = presolve(question.network, part, budget)
        wanted = [k for k, label in enumerate(solved.classes) if label in question.targets]
        flips = self._point(solved, wanted, budget) if wanted else None
        return None if flips is None else solved.points(flips)

    def _point(self, solved: Open, wanted: list[int], budget: Budget) -> Bits | None:
        """Return the flips of a point of solved.region where a wanted class is the answer, None if there is none."""
        if self._sweeps(solved):
            return _example_by_frontier(solved, wanted, budget)
        return self._opened(budget).example(solved.network, solved.region, wanted, budget.check)

    def _opened(self, budget: Budget) -> Diagrams | Relations:
        """Return the one table of diagrams, made when it is first needed: a quarter of the memory may hold its nodes."""
        if self._diagrams is None:
            tight = budget.memory is not None and budget.memory < OXIDD_NEEDS
            package = self._package or ("cudd" if tight else "oxidd")
            self._diagrams = PACKAGED.get(self._strategy or "", Diagrams)(package, budget.memory and budget.memory // 4)
        return self._diagrams

    def close(self) -> None:
        """Give back the diagrams; a later question opens new ones."""
        self._diagrams = None


def _swept(question: Question, budget: Budget, report: Report) -> Tally:
    """Return the counts of a sweep: per distance as well, except in a cube, where nobody measures."""
    region = question.region
    shells: NDArray[Any] = np.zeros((region.outer + 1, question.network.classes), dtype=object)  # Python integers

    def tally(reason: str = "") -> Tally:
        return Tally.partial(region.size, shells.sum(axis=0).tolist(), reason)

    try:
        for distances, labels, ways in _labelled(question, budget):
            np.add.at(shells, (distances, labels), ways.astype(object))
            report(Progress(int(shells.sum()), region.size, tally()))
    except OutOfBudget as out:
        return tally(str(out))
    except MemoryError:
        return tally(_full("the frontier does", budget))
    if shells.sum() != region.size:
        raise Disagreement(f"bdd engine: expected {region.size} points in the region, got {shells.sum()}")
    measured = question.decided or (region.inner, region.outer) != (0, region.n)
    known = list(enumerate(map(tuple, shells.tolist())))[region.inner :] if measured else []
    return replace(tally(), shells=tuple(Shares(distance, counts) for distance, counts in known))


def _labelled(question: Question, budget: Budget) -> Iterator[tuple[Integers, Integers, NDArray[Any]]]:
    """Yield distances, classes and numbers of points that make up the region: by its sizes alone if it is decided."""
    budget.check()
    region = question.region
    if question.decided:
        distances = np.arange(region.inner, region.outer + 1)
        yield distances, np.zeros_like(distances), np.array(region.sizes(budget), dtype=object)[distances]
        return
    tail = question.network.tail(1)
    frontier = Frontier(question.network.blocks[0], region, memory=budget.memory and budget.memory // 4)
    for codes in frontier.codes(budget.check):
        yield codes.distances, tail(codes.bits), codes.ways


def _example_by_frontier(solved: Open, wanted: list[int], budget: Budget) -> Bits | None:
    """Return flips, (n,), for which one of the wanted classes is the answer; None if there are none."""
    tail = solved.network.tail(1)
    frontier = Frontier(solved.network.blocks[0], solved.region, examples=True, memory=budget.memory and budget.memory // 4)
    for codes in frontier.codes(budget.check):
        hits = np.flatnonzero(np.isin(tail(codes.bits), wanted))
        if len(hits):
            first: Bits = codes.examples[hits[np.argmin(codes.distances[hits])]]
            return first
    return None


def _full(what: str, budget: Budget) -> str:
    """Return in words that memory is full, and how much there was if that is limited: not in a package's words."""
    return f"{what} not fit into " + (f"the memory limit of {budget.memory / 2**30:g} GiB" if budget.memory else "memory")
