"""Whether an input changes the answer: attack."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bnnverify.cli.arguments import Place, Setting, yes_or_no
from bnnverify.cli.options import FILE, jobs_option, place_options, plan_option, setting_options
from bnnverify.cli.progress import explained, pulse, shown

if TYPE_CHECKING:
    from bnnverify.problem.query import Query
    from bnnverify.results.answers import AttackResult


@click.command()
@click.argument("model", type=FILE)
@place_options
@click.option("--event", default="leaves", show_default=True, help="leaves, leaves:C or becomes:C[,C..].")
@jobs_option
@plan_option
@setting_options
def attack(model: Path, place: Place, event: str, jobs: int | None, explain_plan: bool, setting: Setting) -> int:
    """Find an input that changes the answer.

    Searched around INPUT; where there is none, that is proved.

    \b
    Example: bnnverify attack model.npz digits:17 --radius 3 --event becomes:8
    """
    from bnnverify.formats import load
    from bnnverify.problem.query import Query
    from bnnverify.report.document import document
    from bnnverify.report.terminal import attack_table
    from bnnverify.results.finding import Verdict

    network = load(model)
    region = place.region(network, setting.data_dir)
    query = Query(network, region, yes_or_no(event, network, region.center))
    if explain_plan:
        explained(query, setting.engine, counting=False, jobs=jobs)
    with pulse("searching", quiet=setting.as_json):
        result = _attacked(query, jobs, setting)
    shown(document(result, network) if setting.as_json else attack_table(result, network))
    return 1 if result.finding.verdict is Verdict.UNKNOWN else 0


def _attacked(query: Query, jobs: int | None, setting: Setting) -> AttackResult:
    """Return the answer, or on Ctrl-C that it is open."""
    from bnnverify.queries.planning.plan import choose
    from bnnverify.queries.verbs.attack import attack as answer
    from bnnverify.results.answers import AttackResult
    from bnnverify.results.finding import Finding

    started = time.monotonic()
    try:
        return answer(query, engine=setting.engine, jobs=jobs, budget=setting.budget())
    except KeyboardInterrupt:
        engine, predicted = choose(query, setting.engine, counting=False, jobs=jobs).engine, query.network(query.region.center)
        seconds, stopped = time.monotonic() - started, Finding(None, reason="interrupted")
        return AttackResult(engine, str(query.event), stopped, predicted, query.region.to_json(), seconds)
