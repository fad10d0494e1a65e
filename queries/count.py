"""How many points of the region does the event happen at, exactly?"""

from __future__ import annotations

import time

from bnnverify.errors import Disagreement
from bnnverify.queries.engine import Budget, Report, silent
from bnnverify.queries.plan import choose, opened
from bnnverify.query import EachClass, Query
from bnnverify.result import CountResult, Tally


def count(query: Query, *, engine: str = "auto", budget: Budget | None = None, report: Report = silent) -> CountResult:
    """Return the count of query.event over query.region, and every class's share as far as it is known.

    engine: "auto", "bits", "bdd" or "sat". budget: when it is spent the counts are intervals that hold the truth.
    report: called now and then with what is known so far.
    """
    budget = budget or Budget()
    started = time.monotonic()
    name = choose(query, engine, counting=True).engine
    running = opened(name, memory=budget.memory)
    try:
        tally = running.count(query, budget, report).sharpened()
    finally:
        running.close()
    return counted(query, name, tally, time.monotonic() - started)


def counted(query: Query, engine: str, tally: Tally, seconds: float) -> CountResult:
    """Return the result that a tally stands for, or raise if it contradicts the network."""
    predicted = query.network(query.region.center)
    if tally.size != query.region.size or len(tally.counts) != query.network.classes:
        raise Disagreement(f"{engine}: expected a tally of {query.region.size} points, got one of {tally.size}")
    if query.region.inner == 0 and tally.counts[predicted].high < 1:
        raise Disagreement(f"{engine}: the centre is of class {predicted}, yet no point of the region is said to be")
    asked = query.targets - {predicted} if isinstance(query.event, EachClass) else query.targets
    return CountResult(
        engine=engine,
        event=str(query.event),
        asked=tally.of(asked),
        tally=tally,
        predicted=predicted,
        region=query.region.to_json(),
        seconds=seconds,
        reason=tally.reason,
    )
