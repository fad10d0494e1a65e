"""The questions about one input: count, attack, distance."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bnnverify.cli.nouns import Place, Setting, event_named, positions, yes_or_no
from bnnverify.cli.options import FILE, NATURAL, place_options, setting_options, within_option
from bnnverify.cli.progress import meter, shown

if TYPE_CHECKING:
    from bnnverify.queries.engine import Progress


@click.command()
@click.argument("model", type=FILE)
@place_options
@click.option("--event", default="classes", show_default=True, help="leaves, leaves:C, becomes:C[,C..] or classes.")
@click.option("--resume", type=FILE, metavar="FILE", help="Keep finished pieces in FILE; go on from those it has.")
@setting_options
def count(model: Path, place: Place, event: str, resume: Path | None, setting: Setting) -> int:
    """Count the inputs that change the answer.

    Exactly, per class, over all inputs around INPUT that the options name.

    \b
    Example: bnnverify count model.npz digits:17 --radius 3
    """
    from bnnverify.formats import load
    from bnnverify.queries.count import count as answer
    from bnnverify.queries.count import counted
    from bnnverify.queries.plan import choose
    from bnnverify.query import Query
    from bnnverify.report.document import document
    from bnnverify.report.terminal import count_table

    network = load(model)
    region = place.region(network, setting.data_dir)
    query = Query(network, region, event_named(event, network, region.center))
    latest: list[Progress] = []
    started = time.monotonic()

    def heard(progress: Progress) -> None:
        latest[:] = [progress]
        reach(progress.done, progress.total)

    with meter("counting", quiet=setting.as_json) as reach:
        try:
            result = answer(query, engine=setting.engine, budget=setting.budget(), resume=resume, report=heard)
        except KeyboardInterrupt:
            if not latest:
                raise
            engine = choose(query, setting.engine, counting=True).engine
            result = counted(query, engine, replace(latest[0].tally, reason="interrupted"), time.monotonic() - started)
    shown(document(result, network) if setting.as_json else count_table(result))
    return 0 if result.exact else 1


@click.command()
@click.argument("model", type=FILE)
@place_options
@click.option("--event", default="leaves", show_default=True, help="leaves, leaves:C or becomes:C[,C..].")
@setting_options
def attack(model: Path, place: Place, event: str, setting: Setting) -> int:
    """Find an input that changes the answer.

    Searched around INPUT; where there is none, that is proved.

    \b
    Example: bnnverify attack model.npz digits:17 --radius 3 --event becomes:8
    """
    from bnnverify.formats import load
    from bnnverify.queries.attack import attack as answer
    from bnnverify.query import Query
    from bnnverify.report.document import document
    from bnnverify.report.terminal import attack_table
    from bnnverify.result import Verdict

    network = load(model)
    region = place.region(network, setting.data_dir)
    query = Query(network, region, yes_or_no(event, network, region.center))
    result = answer(query, engine=setting.engine, budget=setting.budget())
    shown(document(result, network) if setting.as_json else attack_table(result, network))
    return 1 if result.finding.verdict is Verdict.UNKNOWN else 0


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
    from bnnverify.samples import read_input

    network = load(model)
    center = read_input(source, network, data_dir=setting.data_dir)
    with meter("asking distance", quiet=setting.as_json) as reach:
        result = answer(
            network,
            center,
            event=yes_or_no(event, network, center),
            free=positions(within, network),
            largest=largest,
            engine=setting.engine,
            budget=setting.budget(),
            report=reach,
        )
    shown(document(result, network) if setting.as_json else distance_table(result, network))
    return 0 if result.exact else 1
