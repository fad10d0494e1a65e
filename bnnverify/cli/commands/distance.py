"""How near an input changes the answer: distance, in flips or in pixel values."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bnnverify.cli.arguments import Setting
from bnnverify.cli.distance_options import AIM, Aim
from bnnverify.cli.distance_proof import INTERRUPTED, provable, proved
from bnnverify.cli.distance_tolerance import tolerated
from bnnverify.cli.options import FILE, gathered, jobs_option, setting_options
from bnnverify.cli.progress import pulse, shown

if TYPE_CHECKING:
    from bnnverify.model.arrays import Bits
    from bnnverify.model.network import Network
    from bnnverify.problem.cost import Cost
    from bnnverify.results.answers import Distance


@click.command()
@click.argument("model", type=FILE)
@click.argument("source", metavar="INPUT")
@gathered("aim", Aim, AIM)
@jobs_option
@setting_options
def distance(model: Path, source: str, aim: Aim, jobs: int | None, setting: Setting) -> int:
    """Find the fewest flips that change the answer.

    The exact number of bits of INPUT, or with --norm the smallest change of its pixels, with an input so far away.
    With --proof, bnnverify check DIR says whether that holds.
    With --tolerance the largest radius at which few enough inputs change the answer.

    \b
    Example: bnnverify distance model.npz digits:17 --max 6
    """
    from bnnverify.data.samples import read_input
    from bnnverify.formats import load
    from bnnverify.report.document import document
    from bnnverify.report.sentences import safe_radius_sentences
    from bnnverify.report.terminal import distance_table, lines

    aim.fits()
    network = load(model)
    center = read_input(source, network, data_dir=setting.data_dir)
    asked = aim.asked(network, center)
    if aim.tolerated is not None:
        safe = tolerated(network, center, aim, setting, jobs)
        shown(document(safe, network) if setting.as_json else lines(safe_radius_sentences(safe)))
        return 0 if safe.exact else 1
    if aim.proof is not None:
        provable(network, center, asked["event"], aim.proof)
    cost = _cost(network, source, aim, setting)
    result, proof = _measured(network, center, cost, aim, setting, jobs), None
    if aim.proof is not None:
        free = asked["free"] if cost is None else cost.possible
        proof = proved(network, source, result, free, aim.proof, setting)
    plain = {**result.to_json(), "proof": proof and proof.to_json()}
    shown(document(plain, network) if setting.as_json else distance_table(result, network, proof))
    return 0 if result.exact and (proof is None or proof.holds) else 1


def _cost(network: Network, source: str, aim: Aim, setting: Setting) -> Cost | None:
    """Return what flips cost the picture, None where flips are counted."""
    from bnnverify.data.samples import read_pixels
    from bnnverify.problem.cost import pixel_cost

    if aim.norm is None:
        return None
    return pixel_cost(network.coding, read_pixels(source, network, data_dir=setting.data_dir), aim.norm)


def _measured(network: Network, center: Bits, cost: Cost | None, aim: Aim, setting: Setting, jobs: int | None) -> Distance:
    """Return the distance, or on Ctrl-C the interval known by then."""
    from bnnverify.queries.verbs.distance import distance as answer
    from bnnverify.results.answers import Distance

    asked, started = aim.asked(network, center), time.monotonic()
    most = (cost.total if cost else len(center)) if aim.largest is None else aim.largest
    known = Distance(setting.engine, str(asked["event"]), 0, None, most, network(center), None, 0.0, norm=aim.norm or "0")
    with pulse("searching", quiet=setting.as_json) as tell:

        def heard(now: Distance) -> None:
            nonlocal known
            known = now
            tell(f"at least {now.low}" if now.high is None else f"{now.low} to {now.high}")

        try:
            limits: dict[str, Any] = {"engine": setting.engine, "budget": setting.budget(), "jobs": jobs}
            return answer(network, center, **asked, **limits, cost=cost, report=heard)
        except KeyboardInterrupt:
            return replace(known, seconds=time.monotonic() - started, reason=INTERRUPTED)
