"""At how many points of the region do two networks give different answers, exactly?"""

from __future__ import annotations

import time
from contextlib import suppress

import numpy as np

from bnnverify.model.combine import pair
from bnnverify.model.latent_code import WIDEST, bits_of
from bnnverify.model.network import Network
from bnnverify.problem.budget import Budget, OutOfBudget
from bnnverify.problem.events.each_class import EachClass
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.engines.enumeration import NAME as ENUMERATION
from bnnverify.queries.engines.registry import AUTO
from bnnverify.queries.planning.session import Counted
from bnnverify.queries.verbs.count import count, result_of
from bnnverify.queries.verbs.latent.codes import coding, met
from bnnverify.results.answers import CountResult
from bnnverify.results.confusion import Confusion
from bnnverify.results.counts import Tally

FEW = 2**22  # points whose joint codes are enumerated: a circuit for all pairs of classes would take longer to make


def differ(a: Network, b: Network, region: Region, *, engine: str = AUTO, budget: Budget | None = None) -> Confusion:
    """Return how many points of the region get each pair of answers from a and b: one count over both networks as one.

    engine and budget as for `count`: with the budget spent, the numbers are intervals that hold the truth. "auto" enumerates
    the joint codes of small regions: there are few, and both heads are asked about each code only once.
    """
    budget, both = (budget or Budget()).start(), pair(a, b)
    query = Query(both, region, EachClass())
    few = engine == AUTO and region.size <= FEW and bool(both.blocks) and both.widths[-2] <= WIDEST
    result = _by_codes(query, budget) if few else count(query, engine=engine, budget=budget)
    rows = tuple(result.counts[c * b.classes : (c + 1) * b.classes] for c in range(a.classes))
    unequal = [c * b.classes + k for c in range(a.classes) for k in range(b.classes) if c != k]
    return Confusion(region.size, rows, result.tally.of(unequal), result.engine, result.seconds, result.reason)


def _by_codes(query: Query, budget: Budget) -> CountResult:
    """Return the count by the bits before the joint head, which is asked about each code that occurs."""
    started, network, cut = time.monotonic(), query.network, len(query.network.blocks)
    head, totals = network.tail(cut), np.zeros(network.classes, dtype=np.int64)
    with suppress(OutOfBudget):
        for _, codes, times in met(coding(network, query.region, cut, mixed=True, budget=budget), budget):
            np.add.at(totals, head(bits_of(codes, head.inputs)), times)
    seen = [int(k) for k in totals]
    reason = "" if sum(seen) == query.region.size else budget.reason
    tally = Tally.partial(query.region.size, seen, reason)
    return result_of(query, Counted(tally, (ENUMERATION,)), time.monotonic() - started)
