"""One point for every distance at which the event happens."""

from __future__ import annotations

from dataclasses import replace

from bnnverify.problem.budget import Budget
from bnnverify.problem.query import Query
from bnnverify.queries.planning.plan import Session
from bnnverify.results.finding import Finding


def witnesses(query: Query, *, engine: str = "auto", budget: Budget | None = None) -> dict[int, Finding]:
    """Return for each distance of the region whether the event happens at exactly that distance, with a replayed witness."""
    budget = budget or Budget()
    region, findings = query.region, {}
    with Session(engine, budget) as session:
        for distance in range(region.inner, region.outer + 1):
            question = replace(query, region=region.shell(distance))
            running, _ = session.member(question, counting=False)
            findings[distance] = running.find(question, budget)
    return findings
