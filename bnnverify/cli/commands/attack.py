"""bnnverify attack: an input of a region that changes the answer."""

from __future__ import annotations

from pathlib import Path

import click

from bnnverify.cli.options import FILE
from bnnverify.cli.progress import pulse, show
from bnnverify.cli.questions import (
    EventOptions,
    QuestionOptions,
    RegionOptions,
    event_options,
    jobs_option,
    plan_option,
    print_plan,
    question_options,
    region_options,
)
from bnnverify.formats import load
from bnnverify.queries.verbs.attack import attack
from bnnverify.report.document import document
from bnnverify.report.terminal import attack_table
from bnnverify.results.finding import Verdict


@click.command("attack")
@click.argument("model", type=FILE)
@region_options
@event_options
@jobs_option
@plan_option
@question_options
def attack_command(
    model: Path, around: RegionOptions, event: EventOptions, jobs: int | None, explain_plan: bool, options: QuestionOptions
) -> int:
    """Find an input that changes the answer.

    Searches the region around INPUT, and proves it where no input there changes the answer.

    \b
    Example: bnnverify attack model.npz digits:17 --radius 3 --event becomes:8
    """
    network = load(model)
    query = event.query(network, around.region(network, options.data_dir), counting=False)
    if explain_plan:
        print_plan(query, options.engine, counting=False, jobs=jobs)
    with pulse("searching", quiet=options.as_json):
        result = attack(query, engine=options.engine, jobs=jobs, budget=options.budget())
    show(document(result, network) if options.as_json else attack_table(result, network))
    return 1 if result.finding.verdict is Verdict.UNKNOWN else 0
