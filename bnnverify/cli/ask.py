"""Whether, and how near, an input changes the answer: attack and distance."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bnnverify.cli.nouns import Place, Setting, positions, yes_or_no
from bnnverify.cli.options import FILE, NATURAL, place_options, plan_option, setting_options, within_option
from bnnverify.cli.progress import Tell, explained, pulse, shown

if TYPE_CHECKING:
    from bnnverify.query import Query
    from bnnverify.result import AttackResult, Distance


@click.command()
@click.argument("model", type=FILE)
@place_options
@click.option("--event", default="leaves", show_default=True, help="leaves, leaves:C or becomes:C[,C..].")
@plan_option
@setting_options
def attack(model: Path, place: Place, event: str, explain_plan: bool, setting: Setting) -> int:
    """Find an input that changes the answer.

    Searched around INPUT; where there is none, that is proved.

    \b
    Example: bnnverify attack model.npz digits:17 --radius 3 --event becomes:8
    """
    from bnnverify.formats import load
    from bnnverify.query import Query
    from bnnverify.report.document import document
    from bnnverify.report.terminal import attack_table
    from bnnverify.result import Verdict

    network = load(model)
    region = place.region(network, setting.data_dir)
    query = Query(network, region, yes_or_no(event, network, region.center))
    if explain_plan:
        explained(query, setting.engine, counting=False)
    with pulse("searching", quiet=setting.as_json):
        result = _attacked(query, setting)
    shown(document(result, network) if setting.as_json else attack_table(result, network))
    return 1 if result.finding.verdict is Verdict.UNKNOWN else 0


def _attacked(query: Query, setting: Setting) -> AttackResult:
    """Return the answer, or on Ctrl-C that it is open."""
    from bnnverify.queries.attack import attack as answer
    from bnnverify.queries.plan import choose
    from bnnverify.result import AttackResult, Finding

    started = time.monotonic()
    try:
        return answer(query, engine=setting.engine, budget=setting.budget())
    except KeyboardInterrupt:
        engine, predicted = choose(query, setting.engine, counting=False).engine, query.network(query.region.center)
        seconds, stopped = time.monotonic() - started, Finding(None, reason="interrupted")
        return AttackResult(engine, str(query.event), stopped, predicted, query.region.to_json(), seconds)


@click.command()
@click.argument("model", type=FILE)
@click.argument("source", metavar="INPUT")
@click.option("--max", "largest", type=NATURAL, metavar="R", help="Give up beyond R flips.")
@within_option
@click.option("--event", default="leaves", show_default=True, help="leaves, leaves:C or becomes:C[,C..].")
@setting_options
def distance(model: Path, source: str, largest: int | None, within: str | None, event: str, setting: Setting) -> int:
    """Find the fewest flips that change the answer.

    The exact number of bits of INPUT, with an input so far away.

    \b
    Example: bnnverify distance model.npz digits:17 --max 6
    """
    from bnnverify.formats import load
    from bnnverify.queries.distance import distance as answer
    from bnnverify.report.document import document
    from bnnverify.report.terminal import distance_table
    from bnnverify.result import Distance
    from bnnverify.samples import read_input

    network = load(model)
    center = read_input(source, network, data_dir=setting.data_dir)
    asked = yes_or_no(event, network, center)
    where = {"event": asked, "free": positions(within, network), "largest": largest}
    ask = partial(answer, network, center, **where, engine=setting.engine, budget=setting.budget())
    nothing = Distance(setting.engine, str(asked), 0, None, len(center), network(center), None, 0.0, "interrupted")
    with pulse("searching", quiet=setting.as_json) as tell:
        result = _measured(ask, nothing, tell)
    shown(document(result, network) if setting.as_json else distance_table(result, network))
    return 0 if result.exact else 1


def _measured(ask: Callable[..., Distance], nothing: Distance, tell: Tell) -> Distance:
    """Return the answer, or on Ctrl-C the lower bound proved by then, put into what is known before asking."""
    known, started = nothing, time.monotonic()

    def heard(asking: int, searched: int) -> None:
        nonlocal known
        known = replace(nothing, low=asking, searched=searched)  # every smaller distance is proved
        tell(f"at least {asking}")

    try:
        return ask(report=heard)
    except KeyboardInterrupt:
        return replace(known, seconds=time.monotonic() - started)
