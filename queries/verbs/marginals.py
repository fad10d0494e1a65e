"""Which positions are flipped in the points where the event happens, and how often?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from bnnverify.problem.budget import Budget
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.engines.registry import AUTO
from bnnverify.queries.planning.session import Session
from bnnverify.results.counts import Count


def marginals(query: Query, *, engine: str = AUTO, budget: Budget | None = None, jobs: int | None = None) -> tuple[Count, ...]:
    """Return for each of the n positions at how many points of the region it is flipped and the event happens.

    Positions that are not free are never flipped: 0. Each is the count over the part of the region where the position is
    flipped, so any engine will do, and all positions together cost about outer times the count of the region itself.
    engine, budget (of all positions together) and jobs as for `count`. Ctrl-C leaves the remaining positions open.
    """
    budget = (budget or Budget()).start()
    parts = dict(_flipped(query.region))
    counts = [Count(0, parts[i].size_bound) if i in parts else Count.exactly(0) for i in range(query.region.n)]
    with Session(engine, jobs=jobs) as session, suppress(KeyboardInterrupt):
        for position, part in parts.items():
            if budget.spent:
                break
            counts[position] = session.count(query.over(part), budget).tally.of(query.targets)
    return tuple(counts)


def _flipped(region: Region) -> Iterator[tuple[int, Region]]:
    """Yield each free position with the part of the region where it is flipped."""
    if region.outer == 0:
        return
    for position in region.positions.tolist():
        yield position, region.flipped([position])
