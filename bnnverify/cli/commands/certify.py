"""bnnverify certify: all samples of a data set at one radius."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bnnverify.cli.options import FILE, JOBS, NATURAL, POSITIVE, constraint_option, counting_option, within_option
from bnnverify.cli.progress import meter, show
from bnnverify.cli.questions import (
    QuestionOptions,
    constraints_in,
    free_positions,
    narrowed,
    plan_option,
    print_plan,
    question_options,
)
from bnnverify.data.samples import read_samples
from bnnverify.formats import load
from bnnverify.problem.ball import HammingBall
from bnnverify.problem.events.leaves import Leaves
from bnnverify.problem.query import Query
from bnnverify.queries.proofs.prove import prove
from bnnverify.queries.verbs.certify import certify
from bnnverify.report.document import document
from bnnverify.report.terminal import certify_table
from bnnverify.results.certification import Certification


@click.command("certify")
@click.argument("model", type=FILE)
@click.argument("data")
@click.option("--radius", type=NATURAL, required=True, metavar="R", help="Inputs that differ in at most R bits.")
@within_option
@constraint_option
@click.option("--limit", type=POSITIVE, metavar="N", help="Only the first N samples.")
@click.option("--jobs", type=JOBS, default=1, show_default=True, metavar="J", help="Samples at the same time, sharing the cores.")
@click.option("--resume", type=FILE, metavar="FILE", help="Store finished samples here, and go on from there.")
@counting_option
@click.option("--proof", type=FILE, metavar="DIR", help="Write a proof of each verdict here; by a solver, without counts.")
@plan_option
@question_options
def certify_command(
    model: Path,
    data: str,
    radius: int,
    within: str | None,
    constraint: Path | None,
    limit: int | None,
    jobs: int,
    resume: Path | None,
    counting: bool | None,
    proof: Path | None,
    explain_plan: bool,
    options: QuestionOptions,
) -> int:
    """Decide robustness for all samples of a data set.

    For every sample of DATA: does any input within R flipped bits change the answer?
    --timeout is per sample. Ctrl-C keeps and prints the finished samples.
    With --proof, bnnverify check DIR says whether every verdict holds.

    \b
    Example: bnnverify certify model.npz digits --radius 2 --limit 100 --jobs 2
    """
    if proof is not None:
        _check_proof(proof, options.engine, counting, resume, explain_plan=explain_plan)
    network = load(model)
    samples = read_samples(data, network, data_dir=options.data_dir, limit=limit)
    free = free_positions(within, network)
    if explain_plan:
        ball = narrowed(HammingBall(samples.bits[0], radius, free=free), constraint)
        query = Query(network, ball, Leaves(network(samples.bits[0])))
        print_plan(query, options.engine, counting=bool(counting))
    with meter(f"certifying at radius {radius}", quiet=options.as_json) as advance:
        limits: dict[str, Any] = {"budget": options.budget(), "jobs": jobs}
        regions: dict[str, Any] = {"radius": radius, "free": free, "constraints": constraints_in(constraint, network)}
        regions["progress"] = lambda _, done, total: advance(done, total)
        if proof is not None:
            result = prove(network, samples, folder=proof, **regions, **limits)
        else:
            result = certify(network, samples, engine=options.engine, counting=counting, resume=resume, **regions, **limits)
    show(document(result, network) if options.as_json else certify_table(result))
    return 0 if _is_settled(result, counting=bool(counting)) else 1


def _check_proof(folder: Path, engine: str, counting: bool | None, resume: Path | None, *, explain_plan: bool) -> None:
    """Raise where the folder cannot be made, or where another option does not go together with proofs."""
    if not folder.parent.is_dir():
        raise click.UsageError(f"--proof: expected a folder in a folder that exists, got {folder}")
    if engine not in ("auto", "sat") or counting or resume is not None or explain_plan:
        raise click.UsageError("--proof goes by a solver and keeps its own rows: no --count, --resume, --explain-plan, --engine")


def _is_settled(result: Certification, *, counting: bool) -> bool:
    """Return whether every verdict is decided, and every count exact where counts were asked for."""
    return result.decided and (not counting or all(row.adversarial.exact for row in result.rows))
