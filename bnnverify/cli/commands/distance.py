"""bnnverify distance: the smallest change that changes the answer, in flips or in pixel values."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from bnnverify.cli.distance_options import DistanceOptions, distance_options
from bnnverify.cli.options import FILE
from bnnverify.cli.progress import pulse, show
from bnnverify.cli.questions import QuestionOptions, jobs_option, question_options
from bnnverify.data.samples import read_input, read_pixels, read_samples
from bnnverify.formats import load
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.problem.budget import INTERRUPTED
from bnnverify.problem.cost import Cost, pixel_cost
from bnnverify.queries.proofs.prove_distance import prove_distance
from bnnverify.queries.verbs.distance import distance
from bnnverify.queries.verbs.tolerance import tolerance
from bnnverify.report.document import document
from bnnverify.report.sentences import safe_radius_sentences
from bnnverify.report.terminal import distance_table, lines
from bnnverify.results.answers import Distance
from bnnverify.results.finding import Verdict
from bnnverify.results.progress import Progress
from bnnverify.results.proofs import Proven
from bnnverify.results.tolerance import SafeRadius


@click.command("distance")
@click.argument("model", type=FILE)
@click.argument("source", metavar="INPUT")
@distance_options
@jobs_option
@question_options
def distance_command(model: Path, source: str, search: DistanceOptions, jobs: int | None, options: QuestionOptions) -> int:
    """Find the fewest flips that change the answer.

    The exact number of bits of INPUT, or with --norm the smallest change of its pixels, with an input so far away.
    With --proof, bnnverify check DIR says whether that holds.
    With --tolerance the largest radius at which few enough inputs change the answer.

    \b
    Example: bnnverify distance model.npz digits:17 --max 6
    """
    search.check()
    network = load(model)
    center = read_input(source, network, data_dir=options.data_dir)
    question = search.question(network, center)
    cost = None
    if search.norm is not None:
        cost = pixel_cost(network.coding, read_pixels(source, network, data_dir=options.data_dir), search.norm)
    limits: dict[str, Any] = {"engine": options.engine, "budget": options.budget(), "jobs": jobs}
    if search.tolerance is not None:
        safe = _tolerance(network, center, search.tolerance, question, limits, quiet=options.as_json)
        show(document(safe, network) if options.as_json else lines(safe_radius_sentences(safe)))
        return 0 if safe.exact else 1
    result = _distance(network, center, cost, question, limits, quiet=options.as_json)
    proof = None
    if search.proof is not None:
        free = question["free"] if cost is None else cost.possible
        proof = _proof(network, source, result, {"free": free, "constraints": question["constraints"]}, search.proof, options)
    plain = {**result.to_json(), "proof": proof and proof.to_json()}
    show(document(plain, network) if options.as_json else distance_table(result, network, proof))
    return 0 if result.exact and (proof is None or proof.holds) else 1


def _distance(
    network: Network, center: Bits, cost: Cost | None, question: dict[str, Any], limits: dict[str, Any], *, quiet: bool
) -> Distance:
    """Return the distance, showing the interval that is known meanwhile."""
    with pulse("searching", quiet=quiet) as note:

        def report(now: Distance) -> None:
            note(f"at least {now.low}" if now.high is None else f"{now.low} to {now.high}")

        return distance(network, center, **question, **limits, cost=cost, progress=report)


def _tolerance(
    network: Network, center: Bits, share: Fraction, question: dict[str, Any], limits: dict[str, Any], *, quiet: bool
) -> SafeRadius:
    """Return both safe radii, showing how far the count has come."""
    with pulse("counting", quiet=quiet) as note:

        def report(now: SafeRadius, known: Progress) -> None:
            note(f"radius {now.searched}: {known.done} of {known.total} inputs")

        return tolerance(network, center, share=share, **question, **limits, progress=report)


def _proof(
    network: Network, source: str, result: Distance, region: dict[str, Any], folder: Path, options: QuestionOptions
) -> Proven:
    """Return what is proved of a distance; nothing where the search was interrupted."""
    if result.reason == INTERRUPTED:
        return Proven(str(folder), result.low - 1, Verdict.UNKNOWN, 0.0, INTERRUPTED)
    sample = read_samples(source, network, data_dir=options.data_dir)
    label = None if sample.labels is None else int(sample.labels[0])
    about: dict[str, Any] = {"folder": folder, **region, "index": sample.indices[0], "label": label}
    with pulse(f"proving at radius {result.low - 1}", quiet=options.as_json):
        return prove_distance(network, sample.bits[0], result, **about, budget=options.budget())
