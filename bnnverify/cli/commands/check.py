"""bnnverify check: whether the proofs in a folder hold."""

from __future__ import annotations

from pathlib import Path

import click

from bnnverify.cli.options import FILE, json_option
from bnnverify.cli.progress import meter, show
from bnnverify.formats import load
from bnnverify.queries.proofs.check import check
from bnnverify.report.document import stamped
from bnnverify.report.proof_table import check_table


@click.command("check")
@click.argument("folder", metavar="DIR", type=FILE)
@click.option("--model", type=FILE, metavar="MODEL", help="The proofs must be about this model, not only the one beside them.")
@json_option
def check_command(folder: Path, model: Path | None, as_json: bool) -> int:
    """Check the proofs that certify --proof wrote.

    Reads the model and the proofs in DIR, redoes every margin, compares the formula with the model,
    and checks the solver's trace in another solver.

    \b
    Example: bnnverify check proofs --model model.npz
    """
    with meter("checking", quiet=as_json) as advance:
        network = None if model is None else load(model)
        result = check(folder, network=network, report=lambda _, done, total: advance(done, total))
    show(stamped(result.to_json(), result.model_sha256) if as_json else check_table(result))
    return 0 if result.accepted else 1
