"""bnnverify count: how many inputs of a region change the answer."""

from __future__ import annotations

from pathlib import Path

import click

from bnnverify.cli.options import FILE
from bnnverify.cli.progress import Advance, meter, show
from bnnverify.cli.questions import (
    EventOptions,
    QuestionOptions,
    RegionOptions,
    count_event_options,
    plan_option,
    print_plan,
    question_options,
    region_options,
)
from bnnverify.formats import load
from bnnverify.problem.query import Query
from bnnverify.queries.engines.registry import AUTO
from bnnverify.queries.planning.session import Counted
from bnnverify.queries.verbs.count import count, result_of
from bnnverify.report import numbers
from bnnverify.report.document import document
from bnnverify.report.terminal import count_table
from bnnverify.results.answers import CountResult
from bnnverify.results.progress import Progress


@click.command("count")
@click.argument("model", type=FILE)
@region_options
@count_event_options
@click.option("--resume", type=FILE, metavar="FILE", help="Store finished pieces in FILE, and go on from those it has.")
@plan_option
@question_options
def count_command(
    model: Path, around: RegionOptions, event: EventOptions, resume: Path | None, explain_plan: bool, options: QuestionOptions
) -> int:
    """Count the inputs that change the answer.

    Counts exactly and per class, over the region around INPUT that the options name.

    \b
    Example: bnnverify count model.npz digits:17 --radius 3
    """
    network = load(model)
    query = event.query(network, around.region(network, options.data_dir), counting=True)
    if explain_plan:
        print_plan(query, options.engine, counting=True)
    with meter("counting", quiet=options.as_json) as advance:
        result = _count(query, options, resume, advance)
    show(document(result, network) if options.as_json else count_table(result))
    return 0 if result.exact else 1


def _count(query: Query, options: QuestionOptions, resume: Path | None, advance: Advance) -> CountResult:
    """Return the answer, showing what is known meanwhile."""

    def report(known: Progress) -> None:
        asked = result_of(query, Counted(known.tally, (AUTO,)), 0.0).event_count
        advance(known.done, known.total, f"known: {numbers.count(asked, numbers.SHORT)}")

    return count(query, engine=options.engine, budget=options.budget(), resume=resume, progress=report)
