"""Engines that stay open from one question to the next; each question gets those that its plan names."""

from __future__ import annotations

from dataclasses import dataclass

from bnnverify.errors import BadQuery
from bnnverify.problem.budget import Budget, OutOfBudget
from bnnverify.problem.query import Query
from bnnverify.queries.engines.base import Engine
from bnnverify.queries.engines.registry import AUTO, choices, named
from bnnverify.queries.execution.cores import cores
from bnnverify.queries.execution.pool import Pool
from bnnverify.queries.execution.process_pool import processes
from bnnverify.queries.planning.attack_first import ATTACK, is_worthwhile, short_attack
from bnnverify.queries.planning.calibration import slowness
from bnnverify.queries.planning.plan import FEWEST, PRESOLVE, Plan, plan
from bnnverify.queries.planning.portfolio import Portfolio
from bnnverify.queries.planning.posed import Posed
from bnnverify.results.counts import Count, Tally
from bnnverify.results.finding import Finding
from bnnverify.results.progress import Progress, Report, silent

Engines = tuple[str, ...]  # by name

NO_ENGINE: Engines = (PRESOLVE,)
LATE = 4  # an engine that is expected to take more than this share of the time that is left runs where it can be ended


@dataclass(frozen=True)
class Counted:
    """Counts of the classes of the network that decides, and the engines that made them."""

    tally: Tally
    engines: Engines


@dataclass(frozen=True)
class Decided:
    """Whether the event happens, and the engines that say so."""

    finding: Finding
    engines: Engines


class Session:
    """Answers one question after the other; a context manager, which ends its engines.

    engine: "auto" or a name. jobs: how many cores one question may use, None for all. sessions: how many of them share the
    cores. seed: of the attack that "auto" begins yes-or-no questions with, unless there are few points.
    """

    def __init__(self, engine: str = AUTO, *, jobs: int | None = None, sessions: int = 1, seed: int = 0) -> None:
        if jobs is not None and jobs < 1:
            raise BadQuery(f"jobs must be at least 1, got {jobs}")
        if engine != AUTO:
            named(engine).open().close()  # a missing package is reported before any work is done
        self._engine, self._jobs, self._sessions, self._seed = engine, jobs, sessions, seed
        self.current: Engines = NO_ENGINE  # those that work now, or worked last
        self._here: dict[tuple[str, int], Engine] = {}
        self._apart: Pool | None = None

    def pose(self, query: Query, budget: Budget) -> Posed:
        """Return the query, presolved; raises OutOfBudget when the budget is spent before that is done."""
        self.current = NO_ENGINE
        return Posed.of(query, budget)

    def plan(self, posed: Posed, *, counting: bool) -> Plan:
        """Return which engines this question gets, and why."""
        jobs = self._jobs if self._sessions == 1 else max(FEWEST, cores() // self._sessions)
        return plan(posed.question, self._engine, counting=counting, jobs=jobs, slowness=slowness())

    def count(self, query: Query, budget: Budget, report: Report = silent) -> Counted:
        """Return how many points of the region fall to each class of query.decider."""
        try:
            query.region.sizes(budget)
            posed = self.pose(query, budget)
        except OutOfBudget as out:
            return unknown_counts(query, str(out))
        return self.count_posed(posed, budget, report)

    def count_posed(self, posed: Posed, budget: Budget, report: Report = silent) -> Counted:
        """Do what `count` does, for a query that is presolved already."""
        tally = posed.clear_tally()
        if tally is not None:
            report(Progress(tally.size, tally.size, tally))
            return Counted(tally, NO_ENGINE)
        chosen = self.plan(posed, counting=True)
        self.current = chosen.engines
        if self._is_apart(chosen, budget):
            forwarded = lambda progress: report(posed.forwarded(progress))  # noqa: E731
            tally, names = self._portfolio(chosen).count(posed.question, budget, forwarded)
            return Counted(posed.spread(tally), names)
        return Counted(posed.count(self._open(chosen), budget, report), chosen.engines)

    def find(self, query: Query, budget: Budget) -> Decided:
        """Return whether the event happens in the region, with a replayed witness if it does."""
        try:
            posed = self.pose(query, budget)
        except OutOfBudget as out:
            return Decided(Finding(None, reason=str(out)), NO_ENGINE)
        return self.find_posed(posed, budget)

    def find_posed(self, posed: Posed, budget: Budget) -> Decided:
        """Do what `find` does, for a query that is presolved already."""
        finding = posed.clear_finding()
        if finding is not None:
            return Decided(finding, NO_ENGINE)
        chosen = self.plan(posed, counting=False)
        if self._engine == AUTO and is_worthwhile(posed):
            self.current = (ATTACK,)
            witness = short_attack(posed, budget, self._seed)
            if witness is not None:
                return Decided(Finding(True, witness), (ATTACK,))
        self.current = chosen.engines
        if self._is_apart(chosen, budget):
            found, names = self._portfolio(chosen).find(posed.question, budget)
        else:
            found, names = self._open(chosen).find(posed.question, budget), chosen.engines
        return Decided(posed.finding(found), (found.engine,) if found.engine else names)

    def _is_apart(self, chosen: Plan, budget: Budget) -> bool:
        """Return whether engines need processes: to be ended, to keep a limit, to keep a limit."""
        if len(chosen.engines) > 1 or budget.memory is not None:
            return True
        late = budget.left is not None and chosen.seconds > budget.left / LATE
        return late or not named(chosen.engines[0]).ability.interruptible

    def _open(self, chosen: Plan) -> Engine:
        """Return the running engine of a plan that needs no process."""
        key = chosen.engines[0], self._share(chosen)
        if key not in self._here:
            self._here[key] = named(key[0]).open(key[1])
        return self._here[key]

    def _portfolio(self, chosen: Plan) -> Portfolio:
        """Return the engines of a plan in processes of their own, which are started when they are first needed."""
        if self._apart is None:
            self._apart = processes(len(choices()), collects=False)
        return Portfolio(self._apart, chosen.engines, self._share(chosen))

    def _share(self, chosen: Plan) -> int:
        """Return how many cores an engine gets that can use several."""
        return max(1, cores() // self._sessions) if self._jobs is None else max(1, self._jobs - len(chosen.engines) + 1)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def close(self) -> None:
        """End all engines; from another thread, this ends the questions they are busy with."""
        for engine in self._here.values():
            engine.close()
        self._here.clear()
        if self._apart is not None:
            self._apart.close()
            self._apart = None


def unknown_counts(query: Query, reason: str) -> Counted:
    """Return counts of which nothing is known, perhaps not even the size of the region."""
    size, counted = query.region.size_bound, query.region.known_size is not None
    return Counted(Tally(size, (Count(0, size),) * query.decider.classes, reason, counted=counted), NO_ENGINE)
