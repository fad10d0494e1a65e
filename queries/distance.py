"""How few flips make the event happen, exactly?"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from bnnverify.network import Network
from bnnverify.queries.engine import Budget
from bnnverify.queries.plan import Crew
from bnnverify.query import Event, Leaves, Query
from bnnverify.region import Shell, Subcube
from bnnverify.result import Distance, Finding

Reached = Callable[[int, int], None]


def unheard(distance: int, largest: int) -> None:
    """Drop a report."""


def distance(
    network: Network,
    center: ArrayLike,
    *,
    event: Event | None = None,
    free: ArrayLike | None = None,
    largest: int | None = None,
    engine: str = "auto",
    budget: Budget | None = None,
    report: Reached = unheard,
) -> Distance:
    """Return the smallest number of flipped bits at which the event happens, with a witness.

    center: (n,) bits. event: default Leaves(class of the centre). free: positions that may flip, default all.
    largest: give up beyond so many flips, default none. One shell after the other is proved empty, nearest first: the
    region around a near shell decides most neurons. report(d, largest) says that distance d is being asked about.
    """
    budget = budget or Budget()
    started = time.monotonic()
    bits = network.check(center)
    predicted = network(bits)
    event = event or Leaves(predicted)
    cube = Subcube(bits, np.arange(len(bits)) if free is None else free)
    searched = cube.shell(0, cube.freedom if largest is None else largest).outer
    finding, low, used = Finding(False), 0, "none"
    with Crew(engine, budget) as crew:
        for low in range(searched + 1):
            report(low, searched)
            query = Query(network, Shell(bits, low, free=cube.free), event)
            running, _ = crew.member(query, counting=False)
            finding, used = running.find(query, budget), running.name
            if finding.happens is not False:
                break
    return Distance(
        engine=used,
        event=str(event),
        low=low if finding.happens is not False else searched + 1,
        high=finding.witness.distance if finding.witness else None,
        searched=searched,
        predicted=predicted,
        witness=finding.witness,
        seconds=time.monotonic() - started,
        reason=finding.reason,
    )
