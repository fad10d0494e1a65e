"""All inputs of a width, and what plain enumeration finds: the yardstick of every engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bnnverify import Network
from bnnverify.model.arrays import Bits
from bnnverify.model.latent_code import bits_of
from bnnverify.problem.budget import Budget
from bnnverify.problem.query import Query
from bnnverify.queries.engines.base import Engine
from bnnverify.queries.engines.registry import AUTO
from bnnverify.queries.planning.calibration import slowness
from bnnverify.queries.planning.plan import Plan, plan
from bnnverify.queries.planning.posed import Posed
from bnnverify.results.counts import Tally
from bnnverify.results.finding import Finding
from bnnverify.results.progress import Report, silent


def every_input(n: int) -> Bits:
    """Return all inputs, or codes, of so many bits: (2^n, n)."""
    return ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(np.uint8)


def enumerated(query: Query) -> list[int]:
    """Return the class counts by asking the network about every point."""
    counts = np.zeros(query.decider.classes, dtype=np.int64)
    for points in query.region.points():
        counts += np.bincount(query.decider(points), minlength=query.decider.classes)
    return [int(k) for k in counts]


def lows(tally: Tally) -> list[int]:
    assert all(count.exact for count in tally.counts), tally
    return [count.low for count in tally.counts]


def tau(network: Network, code: tuple[int, ...], cut: int) -> int:
    """Return the tail margin by the table of all 2^d codes."""
    width, tail = len(code), network.tail(cut)
    table = bits_of(list(range(2**width)), width)
    others = table[tail(table) != tail(np.array(code))]
    return int((others != np.array(code)).sum(axis=1).min()) - 1 if len(others) else width


class Direct:
    """An engine of this process that is asked queries: presolved, translated back, and with nothing in front of it."""

    def __init__(self, make: Callable[..., Engine], *arguments: Any, name: str = "", **options: Any) -> None:
        self.engine, self.name = make(*arguments, **options), name

    def count(self, query: Query, budget: Budget | None = None, report: Report = silent) -> Tally:
        return Posed.of(query, Budget()).count(self.engine, (budget or Budget()).start(), report)

    def find(self, query: Query, budget: Budget | None = None) -> Finding:
        return Posed.of(query, Budget()).find(self.engine, (budget or Budget()).start())

    def close(self) -> None:
        self.engine.close()


def planned(query: Query, engine: str = AUTO, *, counting: bool, jobs: int | None = None) -> Plan:
    """Return the plan of a query."""
    return plan(Posed.of(query, Budget()).question, engine, counting=counting, jobs=jobs, slowness=slowness())
