"""A whole data set at one radius."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bnnverify.cli.arguments import Setting, positions
from bnnverify.cli.options import FILE, NATURAL, plan_option, setting_options, within_option
from bnnverify.cli.progress import explained, meter, shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bnnverify.model.arrays import Bits
    from bnnverify.model.network import Network
    from bnnverify.problem.query import Query
    from bnnverify.results.certification import Certification

JOBS = click.IntRange(1, 1000)


@click.command()
@click.argument("model", type=FILE)
@click.argument("data")
@click.option("--radius", type=NATURAL, required=True, metavar="R", help="Inputs that differ in at most R bits.")
@within_option
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N samples.")
@click.option("--jobs", type=JOBS, default=1, show_default=True, metavar="J", help="Samples at the same time, sharing the cores.")
@click.option("--resume", type=FILE, metavar="FILE", help="Keep finished samples here, and go on from there.")
@click.option("--count/--no-count", "counting", default=None, help="Count adversarial inputs, or only decide; default: if cheap.")
@click.option("--proof", type=FILE, metavar="DIR", help="Write a proof of each verdict here; by a solver, without counts.")
@plan_option
@setting_options
def certify(
    model: Path,
    data: str,
    radius: int,
    within: str | None,
    limit: int | None,
    jobs: int,
    resume: Path | None,
    counting: bool | None,
    proof: Path | None,
    explain_plan: bool,
    setting: Setting,
) -> int:
    """Decide robustness for a whole data set.

    For every sample of DATA: does any input within R flipped bits change the answer?
    --timeout is per sample. Ctrl-C keeps and prints the finished samples.
    With --proof, bnnverify check DIR says whether every verdict holds.

    \b
    Example: bnnverify certify model.npz digits --radius 2 --limit 100 --jobs 2
    """
    from bnnverify.data.samples import read_samples
    from bnnverify.formats import load
    from bnnverify.queries.proofs.prove import prove
    from bnnverify.queries.verbs.certify import certify as answer
    from bnnverify.report.document import document
    from bnnverify.report.terminal import certify_table

    if proof is not None and not proof.parent.is_dir():
        raise click.UsageError(f"--proof: expected a folder in a folder that exists, got {proof}")
    if proof is not None:
        _provable(setting.engine, counting, resume, explain_plan=explain_plan)
    network = load(model)
    samples = read_samples(data, network, data_dir=setting.data_dir, limit=limit)
    free = positions(within, network)
    if explain_plan:
        explained(_first(network, samples.bits[0], radius, free), setting.engine, counting=bool(counting))
    with meter(f"certifying at radius {radius}", quiet=setting.as_json) as reach:
        limits: dict[str, Any] = {"timeout": setting.timeout, "memory": setting.memory, "jobs": jobs}
        asked: dict[str, Any] = {"radius": radius, "free": free, "report": lambda _, done, wanted: reach(done, wanted)}
        if proof is not None:
            result = prove(network, samples, folder=proof, **asked, **limits)
        else:
            result = answer(network, samples, engine=setting.engine, counting=counting, resume=resume, **asked, **limits)
    shown(document(result, network) if setting.as_json else certify_table(result))
    return 0 if _settled(result, counting=bool(counting)) else 1


def _provable(engine: str, counting: bool | None, resume: Path | None, *, explain_plan: bool) -> None:
    """Raise where what else was asked for does not go together with proofs."""
    if engine not in ("auto", "sat") or counting or resume is not None or explain_plan:
        raise click.UsageError("--proof goes by a solver and keeps its own rows: no --count, --resume, --explain-plan, --engine")


def _first(network: Network, bits: Bits, radius: int, free: ArrayLike | None) -> Query:
    """Return what is asked about the first sample."""
    from bnnverify.problem.event import Leaves
    from bnnverify.problem.query import Query
    from bnnverify.problem.region import HammingBall

    return Query(network, HammingBall(bits, radius, free=free), Leaves(network(bits)))


def _settled(result: Certification, *, counting: bool) -> bool:
    """Return whether every verdict is decided, and every count exact where counts were asked for."""
    return result.decided and (not counting or all(row.adversarial.exact for row in result.rows))
