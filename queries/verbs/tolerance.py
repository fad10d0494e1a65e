"""How large may a ball be while at most a given share of its points makes the event happen, exactly?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import accumulate

from numpy.typing import ArrayLike

from bnnverify.errors import BadQuery
from bnnverify.model.network import Network
from bnnverify.model.threshold import Threshold
from bnnverify.problem.ball import HammingBall
from bnnverify.problem.budget import INTERRUPTED, Budget, OutOfBudget
from bnnverify.problem.constrained import Constrained
from bnnverify.problem.events.base import Event
from bnnverify.problem.events.leaves import Leaves
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.engines.registry import AUTO
from bnnverify.queries.planning.plan import in_words
from bnnverify.queries.planning.session import NO_ENGINE, Counted, Session
from bnnverify.queries.verbs.count import result_of
from bnnverify.results.counts import Tally
from bnnverify.results.progress import Progress
from bnnverify.results.tolerance import SafeRadius

Heard = Callable[[SafeRadius, Progress], None]


def silent(known: SafeRadius, progress: Progress) -> None:
    """Drop a report."""


def tolerance(
    network: Network,
    center: ArrayLike,
    *,
    share: Fraction,
    largest: int | None = None,
    event: Event | None = None,
    free: ArrayLike | None = None,
    constraints: Sequence[Threshold] = (),
    engine: str = AUTO,
    budget: Budget | None = None,
    jobs: int | None = None,
    progress: Heard = silent,
) -> SafeRadius:
    """Return the exact share of the event in every ball of radius 0 to largest, held against the tolerated one.

    One count of the largest ball answers all of them where the engine counts by distance; else each distance is counted.
    largest None: each distance is counted, up to the first radius that exceeds the tolerance, however far that is.
    share: 0 <= share < 1. event: default Leaves(class of the centre). free: positions that may flip, default all. jobs: cores.
    constraints: what must hold of a point; shares are then of the points at which it does: 0 where there is none.
    progress(known, count) says what is known by now, of all radii and of the count that is under way. Ctrl-C returns that.
    """
    if not 0 <= share < 1:
        raise BadQuery(f"tolerance must be at least 0 and below 1, got {share}")
    bits, budget = network.check(center), (budget or Budget()).start()
    region: Region = HammingBall(bits, largest or 0, free=free)
    region = Constrained(region, constraints) if constraints else region
    search = _Search(Query(network, region, event or Leaves(network(bits))), share, largest)
    with Session(engine, jobs=jobs) as session:
        try:
            while search.is_open:
                search.step(session, budget, progress)
        except KeyboardInterrupt:
            search.reason = INTERRUPTED
    return search.known()


class _Search:
    """At how many points of each distance the event happens, as far as that is counted. searched: the largest radius by now."""

    def __init__(self, query: Query, share: Fraction, largest: int | None) -> None:
        self.query, self.share, self.largest = query, share, largest
        self.started, self.searched = time.monotonic(), largest or 0
        self.found: list[int] = []
        self.sizes: tuple[int, ...] = ()  # of the balls of radius 0, 1, 2, ..., as far as they were asked about
        self.failing: int | None = None
        self.engines, self.reason, self._begun = NO_ENGINE, "", False

    @property
    def is_open(self) -> bool:
        if self.reason:
            return False
        last = self.query.region.freedom if self.largest is None else self.largest
        return len(self.found) <= last and (self.largest is not None or self.failing is None)

    def known(self) -> SafeRadius:
        """Return the answer as far as it is known."""
        counts = zip(accumulate(self.found), self.sizes, strict=False)
        shares = tuple(Fraction(times, size or 1) for times, size in counts)
        about = in_words(self.engines), str(self.query.event), self.query.network(self.query.region.center), self.share, shares
        return SafeRadius(*about, self.searched, time.monotonic() - self.started, self.reason, self.failing)

    def step(self, session: Session, budget: Budget, progress: Heard) -> None:
        """Count the ball, or where that is not asked for, or does not say it all, the next distance."""
        ball = self.largest is not None and not self._begun
        self._begun = True
        region = self.query.region if ball else self.query.region.shell(len(self.found))
        self.searched = max(self.searched, region.outer)
        query = self.query.over(region)
        try:
            self.sizes = tuple(accumulate(region.shell(0, region.outer).sizes(budget)))
        except OutOfBudget as out:
            self.reason = str(out)
            return

        def on_progress(now: Progress) -> None:
            self.engines = session.current
            self._learn(query, now.tally)
            progress(self.known(), now)

        counted = session.count(query, budget, on_progress)
        self.engines = counted.engines
        self._learn(query, counted.tally)
        if len(self.found) <= region.outer:
            self.reason = counted.tally.reason or (
                "" if ball else f"the {in_words(counted.engines)} engine left distance {region.outer} open"
            )

    def _learn(self, query: Query, tally: Tally) -> None:
        """Learn from the count of a region that begins at the first open distance or before; it may not be finished."""
        hits = result_of(query, Counted(tally, self.engines), 0.0).event_count  # raises if the tally contradicts the network
        before = sum(self.found[: query.region.inner])
        known = {shell.distance: sum(shell.counts[c] for c in query.targets) for shell in tally.shells}
        if query.region.inner == query.region.outer and hits.exact:
            known[query.region.outer] = hits.low
        while len(self.found) in known:
            self.found.append(known[len(self.found)])
        if before + hits.low > self.share * self.sizes[query.region.outer]:
            self.failing = query.region.outer
