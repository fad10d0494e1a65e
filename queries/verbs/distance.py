"""How few flips, or how cheap ones, make the event happen, exactly?

From below it is proved that nothing cheaper does, in steps that never make the work much more than the last of them; from
above an attack and every witness bring the cost down. The answer is exact where the two meet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from bnnverify.errors import BadQuery, WitnessRejected
from bnnverify.model.arrays import as_integer
from bnnverify.model.network import Network
from bnnverify.model.threshold import Threshold
from bnnverify.problem.ball import Subcube
from bnnverify.problem.budget import INTERRUPTED, Budget, OutOfBudget
from bnnverify.problem.constrained import Constrained
from bnnverify.problem.constraints import cost_at_most
from bnnverify.problem.cost import Cost, flip_cost
from bnnverify.problem.events.base import Event
from bnnverify.problem.events.leaves import Leaves
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.attacks.upper_bound import minimal_witness, upper_bound
from bnnverify.queries.engines.registry import AUTO
from bnnverify.queries.planning.attack_first import ATTACK
from bnnverify.queries.planning.plan import in_words
from bnnverify.queries.planning.posed import Posed
from bnnverify.queries.planning.session import NO_ENGINE, Decided, Session
from bnnverify.results.answers import Distance, Proved
from bnnverify.results.finding import Finding, Witness, confirmed

GROWTH = 8  # a step asks about at most so many times as many points as are new at its nearest end
FEW = 2**16  # points that are not worth a step of their own
ENUMERABLE = 2**36  # points; regions with more are left whole, for a solver
QUICK = 1.0  # seconds of enumeration up to which no attack is tried first

Reached = Callable[[Distance], None]


def silent(known: Distance) -> None:
    """Drop a report."""


def distance(
    network: Network,
    center: ArrayLike,
    *,
    event: Event | None = None,
    free: ArrayLike | None = None,
    cost: Cost | None = None,
    largest: int | None = None,
    constraints: Sequence[Threshold] = (),
    engine: str = AUTO,
    budget: Budget | None = None,
    jobs: int | None = None,
    progress: Reached = silent,
) -> Distance:
    """Return the smallest cost of flips at which the event happens, with a witness.

    center: (n,) bits. event: default Leaves(class of the centre). free: positions that may flip, default all.
    cost: what flips cost, default 1 each. largest: give up beyond this cost, default none. constraints: what must hold of the n
    bits of a point, such as that one of a group is 1; the centre need not obey them.
    jobs: how many cores it may use, None for all; with 1, no two engines work at once.
    progress(known) says what is known by now, each time before something harder is asked. Ctrl-C returns that.
    """
    bits = network.check(center)
    cost = flip_cost(len(bits)) if cost is None else cost
    if len(cost.values) != len(bits):
        raise BadQuery(f"costs: expected {len(bits)} numbers, got {len(cost.values)}")
    cube = Subcube(bits, np.arange(len(bits)) if free is None else free)
    cost = cost.within(cube.free)
    most = cost.total if largest is None else as_integer(largest, "radius")
    if not 0 <= most <= cost.total:
        raise BadQuery(f"radius must be between 0 and {cost.total}, got {most}")
    region: Region = cube.within(cost.possible)
    region = Constrained(region, constraints) if constraints else region
    query = Query(network, region, event or Leaves(network(bits)))
    search = _Search(query, cost, most, (budget or Budget()).start())
    with Session(engine, jobs=jobs) as session:
        try:
            while search.is_open:
                progress(search.known())
                search.step(session)
        except KeyboardInterrupt:
            search.reason = INTERRUPTED
    return search.known()


def _holds(one: Region, other: Region) -> bool:
    """Return whether one ball or shell has all points of another one around the same centre."""
    return one.inner <= other.inner and other.outer <= one.outer and not np.any(other.free & ~one.free)


class _Search:
    """What is known of one distance: nothing that costs less than low makes the event happen, best does."""

    def __init__(self, query: Query, cost: Cost, most: int, budget: Budget) -> None:
        self.query, self.cost, self.most, self.budget = query, cost, most, budget
        self.started = time.monotonic()
        self.best, self.proved = self._center(), list[Proved]()
        self.low = 0 if self.best else 1
        self.engines, self.reason, self._attacked = list[str](), "", False
        self._nowhere: list[tuple[Region, int, Decided]] = []  # at no point of these, for up to so much, does it happen
        self._posed: Posed | None = None  # the question that an attack came before

    @property
    def high(self) -> int | None:
        return None if self.best is None else self.cost.of(self.best.flips)

    @property
    def top(self) -> int:
        """Return the largest cost that is still of interest."""
        return self.most if self.high is None else self.high - 1

    @property
    def is_open(self) -> bool:
        return not self.reason and self.low <= self.top

    def known(self) -> Distance:
        """Return the answer as far as it is known."""
        flips = self.best.flips if self.best else ()
        return Distance(
            engine=in_words(self.engines),
            event=str(self.query.event),
            low=self.low,
            high=self.high,
            searched=self.most,
            predicted=self.query.network(self.query.region.center),
            witness=self.best,
            seconds=time.monotonic() - self.started,
            reason=self.reason,
            norm=self.cost.norm,
            changes=self.cost.changes(flips),
            proved=tuple(self.proved),
        )

    def step(self, session: Session) -> None:
        """Prove the next costs impossible, or find something cheaper than best."""
        limit, started, engines = self._limit(), time.monotonic(), list[str]()
        for region in self._regions(self.low, limit):
            decided = self._decided(session, region, limit)
            if decided is None:
                return  # what is of interest has changed
            finding = decided.finding
            self.engines += decided.engines
            if finding.happens is None:
                self.reason = finding.reason
                limit = self.cost.cheapest(region.inner) - 1  # fewer flips are in the regions before
                break
            if finding.witness is not None:
                self.best = minimal_witness(self.query, self._priced(finding, limit), self.cost)
                return
            engines += decided.engines
            self._nowhere.append((region, limit, decided))
        if self.low <= limit:
            self.proved.append(Proved(self.low, limit, in_words(engines), time.monotonic() - started))
            self.low = limit + 1

    def _decided(self, session: Session, region: Region, limit: int) -> Decided | None:
        """Return whether the event happens in region at a cost of at most limit; None where an attack found a better limit."""
        for earlier, cost, decided in self._nowhere:
            if limit <= cost and _holds(earlier, region):
                return decided
        try:
            posed = self._pose(session, region, limit)
        except OutOfBudget as out:
            return Decided(Finding(None, reason=str(out)), NO_ENGINE)
        if posed.clear_finding() is None and session.plan(posed, counting=False).seconds > QUICK and self._attack_finds():
            self._posed = posed
            return None
        return session.find_posed(posed, self.budget)

    def _pose(self, session: Session, region: Region, limit: int) -> Posed:
        """Return the question about region, presolved; the same where an attack came before it could be answered."""
        posed, self._posed = self._posed, None
        query = self._question(region, limit)
        if posed is not None and posed.query.decider is query.decider and posed.query.region.sha256 == query.region.sha256:
            return posed
        return session.pose(query, self.budget)

    def _center(self) -> Witness | None:
        center = self.query.region.center
        there = center in self.query.region and self.query.happens(center)
        return confirmed(self.query, center) if there else None

    def _attack_finds(self) -> bool:
        """Return whether an attack, tried once, has found something cheaper than is known."""
        if self._attacked or self.budget.spent:
            return False
        self._attacked = True
        found = upper_bound(self.query, self.cost, self.budget)
        if found is None or self.cost.of(found.flips) > self.top:
            return False
        self.best = found
        self.engines.append(ATTACK)
        return True

    def _limit(self) -> int:
        """Return up to which cost the next step asks: where regions can be enumerated, so that the work grows by steps."""
        new = self._size(self.low)
        if self.cost.largest_counts and new > ENUMERABLE:
            return (self.low + self.top) // 2
        low, stride, enough = self.low, 1, max(FEW, GROWTH * new)
        while low + stride <= self.top and self._size(low + stride) <= enough:
            low, stride = low + stride, 2 * stride
        high = min(low + stride - 1, self.top)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._size(middle) <= enough else (low, middle - 1)
        return low

    def _size(self, limit: int) -> int:
        return sum(region.size for region in self.cost.regions(self.query.region.center, self.low, limit))

    def _regions(self, low: int, limit: int) -> list[Region]:
        center = self.query.region.center
        regions = self.cost.regions(center, low, limit)
        one_ball = sum(region.size for region in regions) > ENUMERABLE and not self.cost.largest_counts
        return [self.cost.hull(center, low, limit)] if one_ball else regions

    def _question(self, region: Region, limit: int) -> Query:
        """Return whether the event happens at a point of region that costs at most limit and obeys the constraints."""
        rows = self.query.region.constraints
        if not self.cost.is_kept(region, limit):
            rows += cost_at_most(limit, np.where(region.free, self.cost.values, 0), region.center)
        return self.query.over(Constrained(region, rows) if rows else region)

    def _priced(self, finding: Finding, limit: int) -> Witness:
        """Return the witness, replayed through the asked network and priced, or raise."""
        point = np.array(finding.witness.bits if finding.witness else (), dtype=np.uint8)
        witness = confirmed(self.query, point)
        if self.cost.of(witness.flips) > limit:
            raise WitnessRejected(f"expected a point that costs at most {limit}, got one of {self.cost.of(witness.flips)}")
        return witness
