"""How many points of the region does the event happen at, exactly?"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from math import comb
from pathlib import Path
from typing import Any

from bnnverify.errors import Disagreement
from bnnverify.problem.budget import INTERRUPTED, Budget, OutOfBudget
from bnnverify.problem.events.each_class import EachClass
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.engines.registry import AUTO
from bnnverify.queries.planning.plan import in_words
from bnnverify.queries.planning.session import Counted, Session, unknown_counts
from bnnverify.queries.storage.store import Store
from bnnverify.results.answers import CountResult
from bnnverify.results.counts import Tally
from bnnverify.results.progress import Progress, Report, silent


def count(
    query: Query,
    *,
    engine: str = AUTO,
    budget: Budget | None = None,
    jobs: int | None = None,
    resume: Path | None = None,
    progress: Report = silent,
) -> CountResult:
    """Return the count of query.event over query.region, and every class's share as far as it is known.

    engine: "auto" or an engine's name. budget: when it is spent the counts are intervals that hold the truth. jobs: how many
    cores it may use, None for all. resume: a file of finished pieces, read first and added to: a killed count loses some
    seconds of work, no more. progress: called now and then with what is known so far. Ctrl-C returns what is known by then.
    """
    budget = (budget or Budget()).start()
    started = time.monotonic()
    latest = unknown_counts(query, INTERRUPTED).tally

    def remembered(known: Progress) -> None:
        nonlocal latest
        latest = known.tally
        progress(known)

    with Session(engine, jobs=jobs) as session:
        try:
            if resume is None:
                counted = session.count(query, budget, remembered)
            else:
                counted = _by_pieces(query, session, budget, resume, remembered)
        except KeyboardInterrupt:
            counted = Counted(replace(latest, reason=INTERRUPTED), session.current)
    return result_of(query, counted, time.monotonic() - started)


def result_of(query: Query, counted: Counted, seconds: float) -> CountResult:
    """Return the result that counts stand for, or raise Disagreement where they contradict the network."""
    tally, engine = counted.tally.sharpened(), in_words(counted.engines)
    predicted = query.network(query.region.center)
    if (tally.counted and tally.size != query.region.size) or len(tally.counts) != query.decider.classes:
        raise Disagreement(f"{engine}: expected a tally of {query.region.size} points, got one of {tally.size}")
    center_class = query.decider(query.region.center)
    if query.region.center in query.region and tally.counts[center_class].high < 1:
        raise Disagreement(f"{engine}: the centre is of class {center_class}, yet no point of the region is said to be")
    counted_classes = query.targets - {predicted} if isinstance(query.event, EachClass) else query.targets
    return CountResult(
        engine=engine,
        event=str(query.event),
        event_count=tally.of(counted_classes),
        tally=tally,
        predicted=predicted,
        region=query.region.to_json(),
        seconds=seconds,
        reason=tally.reason,
        decider_class=None if query.decider is query.network else center_class,
    )


def _by_pieces(query: Query, session: Session, budget: Budget, path: Path, report: Report) -> Counted:
    """Return the counts of the region, piece by piece; finished pieces are stored and not counted again."""
    region, classes = query.region, query.decider.classes
    done, engines = list[tuple[int, Tally]](), list[str]()
    try:
        region.sizes(budget)
        posed = session.pose(query, budget)
    except OutOfBudget as out:
        return unknown_counts(query, str(out))
    most = session.plan(posed, counting=True).piece

    def on_progress(away: int, known: Progress) -> None:
        tally = Tally.joined(region.size, classes, [*done, (away, known.tally)])
        report(Progress(sum(t.size for _, t in done) + known.done, region.size, tally))

    with Store(path, _fingerprint(query, most)) as store:
        for number, piece in enumerate(region.parts(most)):
            away = int(region.distance(piece.center))
            counted = store.recall(str(number), partial(_parsed, piece=piece, classes=classes))
            if counted is None:
                report_piece = partial(on_progress, away)
                if piece is region:
                    counted = session.count_posed(posed, budget, report_piece)
                else:
                    counted = session.count(query.over(piece), budget, report_piece)
                if not counted.tally.reason:
                    store.keep(str(number), {**counted.tally.to_json(), "engines": list(counted.engines)})
            done.append((away, counted.tally))
            engines += counted.engines
            if counted.tally.reason:  # stopped
                break
    return Counted(Tally.joined(region.size, classes, done, done[-1][1].reason if done else ""), tuple(engines))


def _parsed(data: dict[str, Any], piece: Region, classes: int) -> Counted:
    """Return the stored counts of a piece; ValueError and kin where no count of the piece can give them."""
    tally = Tally.from_json(data)
    low, high = (sum(getattr(count, side) for count in tally.counts) for side in ("low", "high"))
    if (tally.size, len(tally.counts)) != (piece.size, classes) or not low <= piece.size <= high:
        raise ValueError("expected counts that share out the points of the piece")
    most = [count.high for count in tally.counts]
    for shell in tally.shells:
        most = [left - points for left, points in zip(most, shell.counts, strict=True)]
        if min(*shell.counts, *most) < 0 or sum(shell.counts) > comb(piece.freedom, shell.distance):
            raise ValueError("expected no more points at a distance than there are")
    return Counted(tally, tuple(str(name) for name in data["engines"]))


def _fingerprint(query: Query, most: int) -> dict[str, object]:
    """Return everything that the pieces of a count depend on."""
    region = query.region
    known = {"event": str(query.event), "region": region.to_json(), "place": region.sha256, "points per piece": most}
    return {"verb": "count", "model": query.decider.sha256, **known}
