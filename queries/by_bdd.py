"""The BDD engine: a region is cut into parts, and each part into its classes, as sets of points that nobody looks at singly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from bnnverify.encoders.bdd import Diagrams
from bnnverify.encoders.presolve import presolve
from bnnverify.errors import Disagreement
from bnnverify.network import Bits
from bnnverify.queries.engine import Ability, Budget, Progress, Report, silent
from bnnverify.query import Query, confirmed
from bnnverify.region import Region
from bnnverify.result import Finding
from bnnverify.tally import Tally

PARTS = 16  # no part holds more than this share of the region: so often, at least, a count can report and stop
OXIDD_NEEDS = 2 << 30  # bytes of address space, most of it never touched; with less, oxidd ends the process at its start
SMALL = 1 << 18  # points that are not worth cutting: under a second


class BddEngine:
    """Engine over decision diagrams. package: "oxidd" or "cudd"; None: oxidd, the faster one (docs/bdd.md), if memory allows."""

    name: ClassVar[str] = "bdd"
    ability: ClassVar[Ability] = Ability(exact=True, native=True, one_pass=True)

    def __init__(self, package: str | None = None) -> None:
        self._package = package
        self._diagrams: Diagrams | None = None

    def count(self, query: Query, budget: Budget, report: Report = silent) -> Tally:
        """Return how many points fall to each class: exact for all of them, unless the budget runs out."""
        size, seen = query.region.size, [0] * query.network.classes
        try:
            for part in query.region.parts(max(SMALL, size // PARTS)):
                for c, share in self._shares(query, part, budget):
                    seen[c] += share
                report(Progress(sum(seen), size, Tally.seen(size, seen)))
        except _Stopped as stopped:
            return Tally.seen(size, seen, str(stopped))
        except MemoryError as error:
            self.close()
            return Tally.seen(size, seen, str(error))
        if sum(seen) != size:
            raise Disagreement(f"bdd engine: expected parts of {size} points in all, got {sum(seen)}")
        return Tally.seen(size, seen)

    def _shares(self, query: Query, part: Region, budget: Budget) -> Iterable[tuple[int, int]]:
        """Return how many points of the part fall to each class that it leaves possible."""
        pause = _pause(budget)
        pause()
        question = presolve(query.network, part)
        if question.decided:
            return [(question.classes[0], part.size)]
        shares = self._opened(budget).shares(question.network, question.region, pause)
        return zip(question.classes, shares, strict=True)

    def find(self, query: Query, budget: Budget) -> Finding:
        """Return whether query.event happens in query.region, with a replayed witness if it does."""
        nearest = query.region.center.copy()
        nearest[query.region.positions[: query.region.inner]] ^= 1
        if query.network(nearest) in query.targets:
            return Finding(True, confirmed(query, nearest))
        try:
            for part in query.region.parts(max(SMALL, query.region.size // PARTS)):
                point = self._example(query, part, budget)
                if point is not None:
                    return Finding(True, confirmed(query, point))
        except _Stopped as stopped:
            return Finding(None, reason=str(stopped))
        except MemoryError as error:
            self.close()
            return Finding(None, reason=str(error))
        return Finding(False)

    def _example(self, query: Query, part: Region, budget: Budget) -> Bits | None:
        """Return a point of the part where the event happens, None if there is none."""
        pause = _pause(budget)
        pause()
        question = presolve(query.network, part)
        wanted = [i for i, c in enumerate(question.classes) if c in query.targets]
        if not wanted:
            return None
        flips = self._opened(budget).example(question.network, question.region, wanted, pause)
        return None if flips is None else question.points(flips)

    def _opened(self, budget: Budget) -> Diagrams:
        """Return the one table of diagrams, made when it is first needed: a quarter of the memory may hold its nodes."""
        if self._diagrams is None:
            tight = budget.memory is not None and budget.memory < OXIDD_NEEDS
            self._diagrams = Diagrams(self._package or ("cudd" if tight else "oxidd"), budget.memory and budget.memory // 4)
        return self._diagrams

    def close(self) -> None:
        """Give back the diagrams; a later question opens new ones."""
        self._diagrams = None


class _Stopped(Exception):
    """The budget is spent; says so in words."""


def _pause(budget: Budget) -> Callable[[], None]:
    def pause() -> None:
        if budget.spent:
            raise _Stopped(f"stopped after {budget.seconds:g} s")

    return pause
