"""bnnverify encode: a question as a file, for solvers of other people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from bnnverify.cli.options import FILE, data_option, json_option
from bnnverify.cli.progress import show
from bnnverify.cli.questions import EventOptions, RegionOptions, event_options, region_options
from bnnverify.encoders.exports import EXPORTS, exported
from bnnverify.formats import load
from bnnverify.report.document import document

TARGET = click.Choice(list(EXPORTS)), FILE
TARGETS = "; ".join(f"{name} FILE{export.ending}: {export.help}" for name, export in EXPORTS.items())


@click.command("encode")
@click.argument("model", type=FILE)
@region_options
@event_options
@click.option("--to", "target", type=TARGET, required=True, metavar="KIND FILE", help=f"What to write, and where: {TARGETS}.")
@json_option
@data_option
def encode_command(
    model: Path, around: RegionOptions, event: EventOptions, target: tuple[str, Path], as_json: bool, data_dir: Path | None
) -> int:
    """Write a question as clauses or linear rows.

    A solution of FILE is an input that changes the answer; comments in it say what each variable means.
    There is none exactly where bnnverify attack proves that there is no such input.

    \b
    Example: bnnverify encode model.npz digits:17 --radius 3 --to opb question.opb
    """
    network = load(model)
    region = around.region(network, data_dir)
    query = event.query(network, region, counting=False)
    kind, path = target
    size = _write(path, exported(query, kind))
    written = {"file": str(path), "format": kind, "event": str(query.event), "lines": size, "region": region.to_json()}
    inputs = "inputs that were not counted" if region.known_size is None else f"{region.known_size} inputs"
    sentence = f"{path}: {size} lines of {kind}, {query.event}, {inputs}"
    show(document(written, network) if as_json else sentence)
    return 0


def _write(path: Path, lines: Iterator[str]) -> int:
    """Write the lines, and return how many there are."""
    size = 0
    with path.open("w", encoding="ascii", newline="\n") as file:
        for line in lines:
            file.write(line + "\n")
            size += 1
    return size
