"""How many inputs change the answer."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bnnverify.cli.arguments import Place, Setting, event_named
from bnnverify.cli.options import FILE, place_options, plan_option, setting_options
from bnnverify.cli.progress import Reach, explained, meter, shown

if TYPE_CHECKING:
    from bnnverify.problem.query import Query
    from bnnverify.results.answers import CountResult
    from bnnverify.results.progress import Progress


@click.command()
@click.argument("model", type=FILE)
@place_options
@click.option("--event", default="classes", show_default=True, help="leaves, leaves:C, becomes:C[,C..] or classes.")
@click.option("--resume", type=FILE, metavar="FILE", help="Keep finished pieces in FILE; go on from those it has.")
@plan_option
@setting_options
def count(model: Path, place: Place, event: str, resume: Path | None, explain_plan: bool, setting: Setting) -> int:
    """Count the inputs that change the answer.

    Exactly, per class, over all inputs around INPUT that the options name.

    \b
    Example: bnnverify count model.npz digits:17 --radius 3
    """
    from bnnverify.formats import load
    from bnnverify.problem.query import Query
    from bnnverify.report.document import document
    from bnnverify.report.terminal import count_table

    network = load(model)
    region = place.region(network, setting.data_dir)
    query = Query(network, region, event_named(event, network, region.center))
    if explain_plan:
        explained(query, setting.engine, counting=True)
    with meter("counting", quiet=setting.as_json) as reach:
        result = _counted(query, setting, resume, reach)
    shown(document(result, network) if setting.as_json else count_table(result))
    return 0 if result.exact else 1


def _counted(query: Query, setting: Setting, resume: Path | None, reach: Reach) -> CountResult:
    """Return the answer, or on Ctrl-C the intervals known by then."""
    from bnnverify.queries.planning.plan import choose
    from bnnverify.queries.verbs.count import count as answer
    from bnnverify.queries.verbs.count import counted
    from bnnverify.report import numbers
    from bnnverify.results.counts import Tally

    tally = Tally.seen(query.region.size, [0] * query.network.classes)
    started = time.monotonic()

    def heard(progress: Progress) -> None:
        nonlocal tally
        tally = progress.tally
        known = numbers.count(counted(query, "", tally, 0.0).asked, numbers.SHORT)
        reach(progress.done, progress.total, f"known: {known}")

    try:
        return answer(query, engine=setting.engine, budget=setting.budget(), resume=resume, report=heard)
    except KeyboardInterrupt:
        engine = choose(query, setting.engine, counting=True).engine
        return counted(query, engine, replace(tally, reason="interrupted").sharpened(), time.monotonic() - started)
