"""How near an input changes the answer: distance, in flips or in pixel values, or by the share of inputs that do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bnnverify.cli.nouns import Setting, positions, yes_or_no
from bnnverify.cli.options import FILE, NATURAL, gathered, setting_options, within_option
from bnnverify.cli.progress import Tell, pulse, shown

if TYPE_CHECKING:
    from bnnverify.network import Bits, Network
    from bnnverify.queries.engine import Progress
    from bnnverify.result import Distance
    from bnnverify.safe_radius import SafeRadius


def _share(_: click.Context, __: click.Parameter, value: str | None) -> Fraction | None:
    try:
        share = None if value is None else Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter(f"expected a share like 1/1000 or 0.001, got {value!r}") from None
    if share is not None and not 0 <= share < 1:
        raise click.BadParameter(f"expected a share of at least 0 and below 1, got {value}")
    return share


@dataclass(frozen=True)
class Aim:
    """What is near enough and by what measure, as words of the command line."""

    largest: int | None
    within: str | None
    event: str
    norm: str | None
    tolerated: Fraction | None


AIM = (
    click.option("--max", "largest", type=NATURAL, metavar="R", help="Give up beyond R flips, or beyond the cost R."),
    within_option,
    click.option("--event", default="leaves", show_default=True, help="leaves, leaves:C or becomes:C[,C..]."),
    click.option(
        "--norm", type=click.Choice(["0", "1", "2", "inf"]), help="Measure changes of pixels, not of bits; 2 gives the square."
    ),
    click.option(
        "--tolerance",
        "tolerated",
        metavar="SHARE",
        callback=_share,
        help="Largest radius with at most this share (like 1/1000) of adversarial inputs.",
    ),
)


@click.command()
@click.argument("model", type=FILE)
@click.argument("source", metavar="INPUT")
@gathered("aim", Aim, AIM)
@setting_options
def distance(model: Path, source: str, aim: Aim, setting: Setting) -> int:
    """Find the fewest flips that change the answer.

    The exact number of bits of INPUT, or with --norm the smallest change of its pixels, with an input so far away. With
    --tolerance the largest radius at which few enough inputs change the answer.

    \b
    Example: bnnverify distance model.npz digits:17 --max 6
    """
    from bnnverify.formats import load
    from bnnverify.report.document import document
    from bnnverify.report.sentences import safe_radius_sentences
    from bnnverify.report.terminal import distance_table, lines
    from bnnverify.samples import read_input

    network = load(model)
    center = read_input(source, network, data_dir=setting.data_dir)
    if aim.tolerated is not None:
        safe = _tolerated(network, center, aim, setting)
        shown(document(safe, network) if setting.as_json else lines(safe_radius_sentences(safe)))
        return 0 if safe.exact else 1
    result = _measured(network, center, source, aim, setting)
    shown(document(result, network) if setting.as_json else distance_table(result, network))
    return 0 if result.exact else 1


def _asked(answer: Callable[..., Any], network: Network, center: Bits, aim: Aim, setting: Setting) -> Callable[..., Any]:
    event = yes_or_no(aim.event, network, center)
    where = {"event": event, "free": positions(aim.within, network), "largest": aim.largest}
    return partial(answer, network, center, **where, engine=setting.engine, budget=setting.budget())


def _measured(network: Network, center: Bits, source: str, aim: Aim, setting: Setting) -> Distance:
    """Return the distance, or on Ctrl-C the interval known by then."""
    from bnnverify.cost import pixel_cost
    from bnnverify.queries.distance import distance as answer
    from bnnverify.result import Distance
    from bnnverify.samples import read_pixels

    cost = aim.norm and pixel_cost(network.coding, read_pixels(source, network, data_dir=setting.data_dir), aim.norm)
    ask = _asked(answer, network, center, aim, setting)
    event = str(yes_or_no(aim.event, network, center))
    most = (cost.total if cost else len(center)) if aim.largest is None else aim.largest
    known = Distance(setting.engine, event, 0, None, most, network(center), None, 0.0, norm=aim.norm or "0")
    started = time.monotonic()
    with pulse("searching", quiet=setting.as_json) as tell:

        def heard(now: Distance) -> None:
            nonlocal known
            known = now
            tell(f"at least {now.low}" if now.high is None else f"{now.low} to {now.high}")

        try:
            result: Distance = ask(cost=cost, report=heard)
        except KeyboardInterrupt:
            result = replace(known, seconds=time.monotonic() - started, reason="interrupted")
    return result


def _tolerated(network: Network, center: Bits, aim: Aim, setting: Setting) -> SafeRadius:
    """Return both safe radii, or on Ctrl-C that nothing is counted."""
    from bnnverify.queries.tolerance import tolerance
    from bnnverify.safe_radius import SafeRadius

    if aim.largest is None:
        raise click.UsageError("--tolerance counts the inputs of one ball: expected --max R, its radius")
    if aim.norm is not None:
        raise click.UsageError("--tolerance counts flips of bits: expected no --norm beside it")
    ask = _asked(tolerance, network, center, aim, setting)
    event, started = str(yes_or_no(aim.event, network, center)), time.monotonic()
    with pulse("counting", quiet=setting.as_json) as tell:
        try:
            result: SafeRadius = ask(share=aim.tolerated, report=_told(tell))
        except KeyboardInterrupt:
            seconds = time.monotonic() - started
            label, share = network(center), aim.tolerated or Fraction(0)
            result = SafeRadius(setting.engine, event, label, share, (), aim.largest, seconds, "interrupted")
    return result


def _told(tell: Tell) -> Callable[[Progress], None]:
    return lambda progress: tell(f"{progress.done} of {progress.total} inputs")
