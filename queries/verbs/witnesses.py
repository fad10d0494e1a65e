"""One point for every distance at which the event happens."""

from __future__ import annotations

from contextlib import suppress

from bnnverify.problem.budget import INTERRUPTED, Budget
from bnnverify.problem.query import Query
from bnnverify.queries.engines.registry import AUTO
from bnnverify.queries.planning.session import Session
from bnnverify.results.finding import Finding


def witnesses(query: Query, *, engine: str = AUTO, budget: Budget | None = None, jobs: int | None = None) -> dict[int, Finding]:
    """Return for each distance of the region whether the event happens at exactly that distance, with a replayed witness.

    engine, budget (of all distances together) and jobs as for `attack`. Ctrl-C leaves the remaining distances open.
    """
    budget = (budget or Budget()).start()
    region = query.region
    findings = {distance: Finding(None, reason=INTERRUPTED) for distance in range(region.inner, region.outer + 1)}
    with Session(engine, jobs=jobs) as session, suppress(KeyboardInterrupt):
        for distance in findings:
            findings[distance] = session.find(query.over(region.shell(distance)), budget).finding
    return findings
