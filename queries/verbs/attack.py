"""Is there a point of the region where the event happens?"""

from __future__ import annotations

import time

from bnnverify.problem.budget import Budget
from bnnverify.problem.query import Query
from bnnverify.queries.planning.plan import Session
from bnnverify.results.answers import AttackResult


def attack(
    query: Query, *, engine: str = "auto", jobs: int | None = None, budget: Budget | None = None, seed: int = 0
) -> AttackResult:
    """Return a replayed witness, or that there is none (proved), or UNKNOWN with the reason.

    jobs: how many cores it may use, None for all; with 1, no two engines race.
    seed: of the random numbers of the cheap attack that "auto" begins with.
    """
    budget = budget or Budget()
    started = time.monotonic()
    with Session(engine, budget, jobs=jobs, seed=seed) as session:
        running, _ = session.member(query, counting=False)
        finding = running.find(query, budget)
    return AttackResult(
        engine=running.name,
        event=str(query.event),
        finding=finding,
        predicted=query.network(query.region.center),
        region=query.region.to_json(),
        seconds=time.monotonic() - started,
    )
