"""A small binarized network from a recipe."""

from __future__ import annotations

from pathlib import Path

import click

from bnnverify.cli.options import FILE, json_option, seed_option
from bnnverify.cli.progress import meter, shown


@click.command()
@click.option("--recipe", default="digits", show_default=True, help="digits, digits-deep or digits-ternary.")
@click.option("--out", type=FILE, required=True, metavar="MODEL", help="Where the whole-number network is written (.npz).")
@seed_option
@json_option
def train(recipe: str, out: Path, seed: int, as_json: bool) -> int:
    """Train a small network on digits.

    It is saved in whole numbers, proved equal to the trained one.

    \b
    Example: bnnverify train --recipe digits --out digits.npz
    """
    from bnnverify.errors import BadInput
    from bnnverify.formats import save
    from bnnverify.pictures import digits_coding
    from bnnverify.report.document import document
    from bnnverify.report.sentences import trained_sentences
    from bnnverify.report.terminal import lines
    from bnnverify.samples import digits
    from bnnverify.training import recipe_named
    from bnnverify.training import train as answer

    chosen = recipe_named(recipe)
    if not out.parent.is_dir():
        raise BadInput(f"--out: expected a file in a folder that exists, got {out}")
    with meter("training", quiet=as_json) as reach:
        trained = answer(chosen, digits(), seed=seed, coding=digits_coding(), name=recipe, report=reach)
    save(trained.network, out)
    shown(document(trained, trained.network) if as_json else lines([*trained_sentences(trained.to_json()), f"saved as {out}"]))
    return 0
