"""How many points of the region does the event happen at, exactly?"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from bnnverify.errors import BadInput, Disagreement
from bnnverify.problem.budget import Budget
from bnnverify.problem.event import EachClass
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.engines.base import Engine
from bnnverify.queries.planning.plan import Session, piece
from bnnverify.queries.storage.checkpoint import Checkpoint
from bnnverify.results.answers import CountResult
from bnnverify.results.counts import Tally
from bnnverify.results.progress import Progress, Report, silent


def count(
    query: Query, *, engine: str = "auto", budget: Budget | None = None, resume: Path | None = None, report: Report = silent
) -> CountResult:
    """Return the count of query.event over query.region, and every class's share as far as it is known.

    engine: "auto", "bits", "bdd" or "sat". budget: when it is spent the counts are intervals that hold the truth.
    resume: a file of finished pieces, read first and appended to: a killed count loses some seconds of work, no more.
    report: called now and then with what is known so far.
    """
    budget = budget or Budget()
    started = time.monotonic()
    with Session(engine, budget) as session:
        running, choice = session.member(query, counting=True)
        if resume is None:
            tally = running.count(query, budget, report)
        else:
            tally = _by_pieces(query, running, piece(choice.engine), budget, resume, report)
    return counted(query, running.name, tally.sharpened(), time.monotonic() - started)


def counted(query: Query, engine: str, tally: Tally, seconds: float) -> CountResult:
    """Return the result that a tally stands for, or raise if it contradicts the network."""
    predicted = query.network(query.region.center)
    if tally.size != query.region.size or len(tally.counts) != query.network.classes:
        raise Disagreement(f"{engine}: expected a tally of {query.region.size} points, got one of {tally.size}")
    if query.region.inner == 0 and tally.counts[predicted].high < 1:
        raise Disagreement(f"{engine}: the centre is of class {predicted}, yet no point of the region is said to be")
    asked = query.targets - {predicted} if isinstance(query.event, EachClass) else query.targets
    return CountResult(
        engine=engine,
        event=str(query.event),
        asked=tally.of(asked),
        tally=tally,
        predicted=predicted,
        region=query.region.to_json(),
        seconds=seconds,
        reason=tally.reason,
    )


def _by_pieces(query: Query, engine: Engine, most: int, budget: Budget, path: Path, report: Report) -> Tally:
    """Return the tally of the region, piece by piece; finished pieces are kept on disk and not counted again."""
    region, classes, done = query.region, query.network.classes, list[tuple[int, Tally]]()

    def heard(away: int, progress: Progress) -> None:
        tally = Tally.joined(region.size, classes, [*done, (away, progress.tally)])
        report(Progress(sum(t.size for _, t in done) + progress.done, region.size, tally))

    with Checkpoint(path, _words(query, most)) as checkpoint:
        for number, piece in enumerate(region.parts(most)):
            away = int(region.distance(piece.center))
            tally = _known(checkpoint, number, piece, classes)
            if tally is None:
                part = Query(query.network, piece, query.event)
                tally = engine.count(part, budget, lambda progress, away=away: heard(away, progress))  # type: ignore[misc]
                if tally.reason:  # stopped
                    return Tally.joined(region.size, classes, [*done, (away, tally)], tally.reason)
                checkpoint.keep(str(number), tally.to_json())
            done.append((away, tally))
    return Tally.joined(region.size, classes, done)


def _known(checkpoint: Checkpoint, number: int, piece: Region, classes: int) -> Tally | None:
    try:
        tally = Tally.from_json(checkpoint.known[str(number)]) if str(number) in checkpoint.known else None
    except (KeyError, TypeError, ValueError):
        raise BadInput("resume file: expected pieces of an earlier count, got something else") from None
    if tally is not None and (tally.size, len(tally.counts)) != (piece.size, classes):
        raise BadInput(f"resume file: expected a piece of {piece.size} points and {classes} classes, got another")
    return tally


def _words(query: Query, most: int) -> dict[str, object]:
    """Return what pieces of an earlier run must have in common with this one."""
    region = query.region
    place = hashlib.sha256(region.center.tobytes() + region.free.tobytes()).hexdigest()[:16]
    known = {"event": str(query.event), "place": place, "distances": f"{region.inner}..{region.outer}", "pieces of": most}
    return {"work": "count", "model": query.network.sha256, **known}
