"""Measurements where the largest ball has too many points for one pass: a proved distance, and counts where they are wanted."""

from __future__ import annotations

from bnnverify.errors import Disagreement
from bnnverify.problem.query import Query
from bnnverify.queries.comparison.task import Measured, Nearest, Task, Within
from bnnverify.queries.verbs.count import count
from bnnverify.queries.verbs.distance import distance
from bnnverify.results.answers import Distance
from bnnverify.results.counts import Count


def measured_by_distance(query: Query, task: Task) -> Measured:
    """Return the distance of the nearest point of another class, the verdicts it implies, and counts where the task counts."""
    found = distance(query.network, query.region.center, largest=task.radii[-1], engine=task.engine, budget=task.limits())
    known = found.low if found.high is not None and found.exact else None
    within = [_implied(found, query, radius) for radius in task.radii]
    if task.counting:
        within = [_counted(each, query, radius, task) for each, radius in zip(within, task.radii, strict=True)]
    return Measured(Nearest(known, found.low - 1, found.witness), tuple(within), found.engine, None, found.reason)


def _implied(found: Distance, query: Query, radius: int) -> Within:
    """Return what the distance implies about the number of adversarial points within a radius."""
    size = query.region.shell(0, radius).size
    if found.high is not None and found.high <= radius:
        return Within(Count(1, size))
    return Within(Count(0, 0 if radius < found.low else size))


def _counted(implied: Within, query: Query, radius: int, task: Task) -> Within:
    """Return the counts within a radius, never wider than the distance implies."""
    result = count(query.over(query.region.shell(0, radius)), engine=task.engine, budget=task.limits())
    low, high = max(implied.adversarial.low, result.adversarial.low), min(implied.adversarial.high, result.adversarial.high)
    if low > high:
        raise Disagreement(f"radius {radius}: the distance says {implied.adversarial}, the count {result.adversarial}")
    return Within(Count(low, high), result.counts)
