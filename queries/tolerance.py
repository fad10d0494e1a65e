"""How large may a ball be while at most a given share of its points makes the event happen, exactly?"""

from __future__ import annotations

import time
from fractions import Fraction
from itertools import accumulate
from math import comb

from numpy.typing import ArrayLike

from bnnverify.errors import BadQuery
from bnnverify.network import Network
from bnnverify.queries.count import counted
from bnnverify.queries.engine import Budget, Report, silent
from bnnverify.queries.plan import Crew
from bnnverify.query import Event, Leaves, Query
from bnnverify.region import HammingBall
from bnnverify.safe_radius import SafeRadius


def tolerance(
    network: Network,
    center: ArrayLike,
    *,
    share: Fraction,
    largest: int,
    event: Event | None = None,
    free: ArrayLike | None = None,
    engine: str = "auto",
    budget: Budget | None = None,
    report: Report = silent,
) -> SafeRadius:
    """Return the exact share of the event in every ball of radius 0 to largest, held against the tolerated one.

    One count of the largest ball answers all of them where the engine counts by distance; else each distance is counted.
    share: 0 <= share < 1. event: default Leaves(class of the centre). free: positions that may flip, default all.
    """
    started, budget = time.monotonic(), budget or Budget()
    if not 0 <= share < 1:
        raise BadQuery(f"tolerance must be at least 0 and below 1, got {share}")
    bits = network.check(center)
    ball = HammingBall(bits, largest, free=free)
    query = Query(network, ball, event or Leaves(network(bits)))
    with Crew(engine, budget) as crew:
        found, used, reason = _by_distance(query, crew, budget, report)
    sizes = accumulate(comb(ball.freedom, distance) for distance in range(len(found)))
    shares = tuple(Fraction(times, size) for times, size in zip(accumulate(found), sizes, strict=True))
    return SafeRadius(used, str(query.event), network(bits), share, shares, ball.outer, time.monotonic() - started, reason)


def _by_distance(query: Query, crew: Crew, budget: Budget, report: Report) -> tuple[list[int], str, str]:
    """Return at how many points of each distance the event happens, as far as that is known, by whom, and why no further."""
    running, _ = crew.member(query, counting=True)
    tally = running.count(query, budget, report)
    counted(query, running.name, tally, 0.0)  # raises if the tally contradicts the network
    known = {shell.distance: sum(shell.counts[c] for c in query.targets) for shell in tally.shells}
    found: list[int] = []
    for distance in range(query.region.outer + 1):
        if distance not in known:
            if tally.reason:
                return found, running.name, tally.reason
            shell = Query(query.network, query.region.shell(distance), query.event)
            running, _ = crew.member(shell, counting=True)
            tally = running.count(shell, budget)
            answer = counted(shell, running.name, tally, 0.0)
            if not answer.asked.exact:
                return found, running.name, tally.reason
            known[distance] = answer.low
        found.append(known[distance])
    return found, running.name, ""
