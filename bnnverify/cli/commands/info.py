"""bnnverify info: what a model file holds."""

from __future__ import annotations

from pathlib import Path

import click

from bnnverify.cli.options import FILE, json_option
from bnnverify.cli.progress import show
from bnnverify.formats import load
from bnnverify.report.document import about, document
from bnnverify.report.terminal import about_table


@click.command("info")
@click.argument("model", type=FILE)
@json_option
def info_command(model: Path, as_json: bool) -> int:
    """Say what a model file holds.

    Prints sizes, weights and fingerprint, and how the import was checked.

    \b
    Example: bnnverify info model.npz
    """
    network = load(model)
    show(document(about(network), network) if as_json else about_table(about(network), network.sha256))
    return 0
