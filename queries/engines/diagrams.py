"""The BDD engine: a region is split into sets of points that look alike to the network, and nobody looks at them singly.

How it is split is a strategy: "frontier" (`encoders.frontier`) counts along the joint diagram of the first layer, level by level;
"region" (`encoders.bdd`) and "blocks" (`encoders.relations`) let a diagram package make the set of points of each class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from math import comb
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bnnverify.encoders.diagrams.block_relations import Relations
from bnnverify.encoders.diagrams.frontier import Frontier
from bnnverify.encoders.diagrams.region_sets import Diagrams
from bnnverify.encoders.presolve.presolve import Presolved, presolve
from bnnverify.errors import BadQuery, Disagreement
from bnnverify.model.arrays import Bits, Integers
from bnnverify.problem.budget import Budget
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.engines.base import Ability
from bnnverify.results.counts import Shares, Tally
from bnnverify.results.finding import Finding, confirmed
from bnnverify.results.progress import Progress, Report, silent

PACKAGED: dict[str, type[Diagrams] | type[Relations]] = {"region": Diagrams, "blocks": Relations}
STRATEGIES = ("frontier", *PACKAGED)
SWEPT_NEURONS = 24  # live first-layer neurons whose codes fit into memory, however many points there are
SWEPT_POINTS = 2**34  # points that a sweep gets through even if hardly two look alike

PARTS = 16  # for a package, no part holds more than this share of the region: so often it can report and stop
OXIDD_NEEDS = 2 << 30  # bytes of address space, most of it never touched; with less, oxidd ends the process at its start
SMALL = 1 << 18  # points that are not worth cutting: under a second


class BddEngine:
    """Engine over decision diagrams.

    package: "oxidd" or "cudd"; None: oxidd, the faster one (docs/bdd.md), if memory allows. strategy: "frontier", "region" or
    "blocks"; None: frontier, or region where too many kinds of points are to be expected. Networks without a block go to region.
    """

    name: ClassVar[str] = "bdd"
    ability: ClassVar[Ability] = Ability(exact=True, native=True, one_pass=True)

    def __init__(self, package: str | None = None, strategy: str | None = None) -> None:
        if strategy is not None and strategy not in STRATEGIES:
            raise BadQuery(f"strategy must be one of {', '.join(STRATEGIES)}, got {strategy!r}")
        self._package, self._strategy = package, strategy
        self._diagrams: Diagrams | Relations | None = None

    def count(self, query: Query, budget: Budget, report: Report = silent) -> Tally:
        """Return how many points fall to each class: exact for all of them, unless the budget runs out."""
        solved = presolve(query.network, query.region)
        if self._sweeps(solved) or solved.decided:
            return _swept(query, solved, budget, report)
        size, seen = query.region.size, [0] * query.network.classes
        try:
            for part in query.region.parts(max(SMALL, size // PARTS)):
                for c, share in self._shares(query, part, budget):
                    seen[c] += share
                report(Progress(sum(seen), size, Tally.seen(size, seen)))
        except _Stopped as stopped:
            return Tally.seen(size, seen, str(stopped))
        except MemoryError:
            self.close()
            return Tally.seen(size, seen, _full("the diagrams do", budget))
        if sum(seen) != size:
            raise Disagreement(f"bdd engine: expected parts of {size} points in all, got {sum(seen)}")
        return Tally.seen(size, seen)

    def find(self, query: Query, budget: Budget) -> Finding:
        """Return whether query.event happens in query.region, with a replayed witness if it does."""
        nearest = query.region.center.copy()
        nearest[query.region.positions[: query.region.inner]] ^= 1
        if query.network(nearest) in query.targets:
            return Finding(True, confirmed(query, nearest))
        try:
            swept = self._sweeps(presolve(query.network, query.region))
            for part in [query.region] if swept else query.region.parts(max(SMALL, query.region.size // PARTS)):
                point = self._example(query, part, budget)
                if point is not None:
                    return Finding(True, confirmed(query, point))
        except _Stopped as stopped:
            return Finding(None, reason=str(stopped))
        except MemoryError:
            self.close()
            return Finding(None, reason=_full("the sets of points do", budget))
        return Finding(False)

    def _sweeps(self, solved: Presolved) -> bool:
        """Return whether the frontier answers: asked for, or small enough, and there is a first layer to sweep."""
        if self._strategy is not None or not solved.live:
            return self._strategy == "frontier" and bool(solved.live)
        return solved.live[0] <= SWEPT_NEURONS or solved.region.size <= SWEPT_POINTS

    def _shares(self, query: Query, part: Region, budget: Budget) -> Iterable[tuple[int, int]]:
        """Return how many points of the part fall to each class that it leaves possible."""
        pause = _pause(budget)
        pause()
        question = presolve(query.network, part)
        if question.decided:
            return [(question.classes[0], part.size)]
        shares = self._opened(budget).shares(question.network, question.region, pause)
        return zip(question.classes, shares, strict=True)

    def _example(self, query: Query, part: Region, budget: Budget) -> Bits | None:
        """Return a point of the part where the event happens, None if there is none."""
        pause = _pause(budget)
        pause()
        question = presolve(query.network, part)
        wanted = [i for i, c in enumerate(question.classes) if c in query.targets]
        if not wanted:
            return None
        if self._sweeps(question):
            flips = _met(question, wanted, budget)
        else:
            flips = self._opened(budget).example(question.network, question.region, wanted, pause)
        return None if flips is None else question.points(flips)

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


def _swept(query: Query, solved: Presolved, budget: Budget, report: Report) -> Tally:
    """Return the counts of a sweep: per distance as well, except in a cube, where nobody measures."""
    region = solved.region
    shells: NDArray[Any] = np.zeros((region.outer + 1, query.network.classes), dtype=object)  # Python integers

    def tally(reason: str = "") -> Tally:
        return Tally.seen(region.size, shells.sum(axis=0).tolist(), reason)

    try:
        for distances, labels, ways in _labelled(solved, budget):
            np.add.at(shells, (distances, np.array(solved.classes)[labels]), ways.astype(object))
            report(Progress(int(shells.sum()), region.size, tally()))
    except _Stopped as stopped:
        return tally(str(stopped))
    except MemoryError:
        return tally(_full("the frontier does", budget))
    if shells.sum() != region.size:
        raise Disagreement(f"bdd engine: expected {region.size} points in the region, got {shells.sum()}")
    measured = solved.decided or (region.inner, region.outer) != (0, region.n)
    known = list(enumerate(map(tuple, shells.tolist())))[region.inner :] if measured else []
    return replace(tally(), shells=tuple(Shares(distance, counts) for distance, counts in known))


def _labelled(solved: Presolved, budget: Budget) -> Iterator[tuple[Integers, Integers, NDArray[Any]]]:
    """Yield distances, classes and numbers of points that make up the region: by binomials alone if it is decided."""
    pause, region = _pause(budget), solved.region
    pause()
    if solved.decided:
        distances = np.arange(region.inner, region.outer + 1)
        yield distances, np.zeros_like(distances), np.array([comb(region.n, int(d)) for d in distances], dtype=object)
        return
    tail = solved.network.tail(1)
    frontier = Frontier(solved.network.blocks[0], region, memory=budget.memory and budget.memory // 4)
    for codes in frontier.codes(pause):
        yield codes.distances, tail(codes.bits), codes.ways


def _met(solved: Presolved, wanted: list[int], budget: Budget) -> Bits | None:
    """Return flips, (n,), for which one of the wanted classes is the answer; None if there are none."""
    tail = solved.network.tail(1)
    frontier = Frontier(solved.network.blocks[0], solved.region, examples=True, memory=budget.memory and budget.memory // 4)
    for codes in frontier.codes(_pause(budget)):
        hits = np.flatnonzero(np.isin(tail(codes.bits), wanted))
        if len(hits):
            first: Bits = codes.examples[hits[np.argmin(codes.distances[hits])]]
            return first
    return None


def _full(what: str, budget: Budget) -> str:
    """Return in words that memory is full, and how much there was if that is limited: not in a package's words."""
    return f"{what} not fit into " + (f"the memory limit of {budget.memory / 2**30:g} GiB" if budget.memory else "memory")


class _Stopped(Exception):
    """The budget is spent; says so in words."""


def _pause(budget: Budget) -> Callable[[], None]:
    def pause() -> None:
        if budget.spent:
            raise _Stopped(f"stopped after {budget.seconds:g} s")

    return pause
