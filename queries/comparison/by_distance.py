"""Measurements where the largest ball has too many points for one pass: a proved distance, and counts where the task counts."""

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
    result = distance(query.network, query.region.center, largest=task.radii[-1], engine=task.engine, budget=task.limits())
    known = result.low if result.high is not None and result.exact else None
    within = [_implied(result, query, radius) for radius in task.radii]
    if task.counting:
        within = [_counted(implied, query, radius, task) for implied, radius in zip(within, task.radii, strict=True)]
    return Measured(Nearest(known, result.low - 1, result.witness), tuple(within), result.engine, None, result.reason)


def _implied(result: Distance, query: Query, radius: int) -> Within:
    """Return the number of adversarial points within a radius, as far as the distance implies it."""
    size = query.region.shell(0, radius).size
    if result.high is not None and result.high <= radius:
        return Within(Count(1, size))
    return Within(Count(0, 0 if radius < result.low else size))


def _counted(implied: Within, query: Query, radius: int, task: Task) -> Within:
    """Return the counts within a radius, never wider than the distance implies."""
    result = count(query.over(query.region.shell(0, radius)), engine=task.engine, budget=task.limits())
    low, high = max(implied.adversarial.low, result.adversarial.low), min(implied.adversarial.high, result.adversarial.high)
    if low > high:
        raise Disagreement(f"radius {radius}: the distance says {implied.adversarial}, the count {result.adversarial}")
    return Within(Count(low, high), result.counts)
