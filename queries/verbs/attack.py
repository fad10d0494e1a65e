"""Is there a point of the region where the event happens?"""

from __future__ import annotations

import time

from bnnverify.problem.budget import INTERRUPTED, Budget
from bnnverify.problem.query import Query
from bnnverify.queries.engines.registry import AUTO
from bnnverify.queries.planning.plan import in_words
from bnnverify.queries.planning.session import Decided, Session
from bnnverify.results.answers import AttackResult
from bnnverify.results.finding import Finding


def attack(
    query: Query, *, engine: str = AUTO, budget: Budget | None = None, jobs: int | None = None, seed: int = 0
) -> AttackResult:
    """Return a replayed witness, or that there is none (proved), or UNKNOWN with the reason; Ctrl-C is a reason.

    engine: "auto" or an engine's name. jobs: how many cores it may use, None for all; with 1, no two engines work at once.
    seed: of the random numbers of the short attack that "auto" begins with.
    """
    budget = (budget or Budget()).start()
    started = time.monotonic()
    with Session(engine, jobs=jobs, seed=seed) as session:
        try:
            decided = session.find(query, budget)
        except KeyboardInterrupt:
            decided = Decided(Finding(None, reason=INTERRUPTED), session.current)
    return AttackResult(
        engine=in_words(decided.engines),
        event=str(query.event),
        finding=decided.finding,
        predicted=query.network(query.region.center),
        region=query.region.to_json(),
        seconds=time.monotonic() - started,
    )
