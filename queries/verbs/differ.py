"""At how many points of the region do two networks give different answers, exactly?"""

from __future__ import annotations

from bnnverify.model.network import Network
from bnnverify.problem.budget import Budget
from bnnverify.problem.events.differ import Differ
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.engines.registry import AUTO
from bnnverify.queries.verbs.count import count
from bnnverify.results.confusion import Confusion


def differ(
    a: Network, b: Network, region: Region, *, engine: str = AUTO, budget: Budget | None = None, jobs: int | None = None
) -> Confusion:
    """Return how many points of the region get each pair of answers from a and b: the count of an event of both networks.

    engine, budget and jobs as for `count`: with the budget spent, the numbers are intervals that hold the truth.
    """
    query = Query(a, region, Differ(b, each=True))
    found = count(query, engine=engine, budget=budget, jobs=jobs)
    rows = tuple(found.counts[c * b.classes : (c + 1) * b.classes] for c in range(a.classes))
    return Confusion(found.tally.size, rows, found.event_count, found.engine, found.seconds, found.reason)
