"""bnnverify train: a small binarized network from a recipe and data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from bnnverify import training
from bnnverify.cli.options import FILE, check_folders, data_option, grouped, json_option, seed_option
from bnnverify.cli.progress import meter, show
from bnnverify.errors import BadQuery
from bnnverify.formats import save
from bnnverify.report.document import document
from bnnverify.report.sentences import record_sentences, trained_sentences
from bnnverify.report.terminal import lines
from bnnverify.training import Recipe, Source, read_source, recipe_named
from bnnverify.training.data.split import labels_of

if TYPE_CHECKING:
    from bnnverify.training import Trained  # brings PyTorch

LARGEST = 100_000  # width or number of passes
NUMBER = click.IntRange(1, LARGEST)


def _widths(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    if value is None:
        return None
    words = value.split(",")
    if not all(word.strip().isdecimal() and 0 < int(word) <= LARGEST for word in words):
        raise click.BadParameter(f"expected widths like 64,32, got {value}")
    return tuple(map(int, words))


@dataclass(frozen=True)
class RecipeOptions:
    """A recipe by name, and the numbers that replace its own, as words of the command line."""

    recipe: str
    hidden: tuple[int, ...] | None
    latent: int | None
    epochs: int | None
    gamma_max: float | None
    weights: str | None

    def chosen(self) -> Recipe:
        """Return the recipe with these numbers in place of its own; raise where it has no use for one."""
        own: dict[str, Any] = {name: getattr(self, name) for name in ("hidden", "latent", "epochs", "gamma_max", "weights")}
        recipe = recipe_named(self.recipe)
        if self.latent is not None and recipe.head == "no_pen":
            raise BadQuery(f"--latent: expected a recipe with a latent, got {self.recipe}")
        if self.gamma_max is not None and not recipe.compressed:
            raise BadQuery(f"--gamma-max: expected a recipe that compresses its latent, got {self.recipe}")
        if self.epochs is not None:
            recipe = recipe.for_epochs(self.epochs)
        return replace(recipe, **{name: number for name, number in own.items() if number is not None})


@dataclass(frozen=True)
class SourceOptions:
    """Data by name, where it lies, and what a table's columns are, as words of the command line."""

    data: str
    data_dir: Path | None
    label: str | None
    no_header: bool

    def check(self) -> None:
        """Raise where an option needs a table and the data are none."""
        if self.data.split(":")[0] in ("digits", "mnist") and (self.label is not None or self.no_header):
            raise BadQuery(f"--label and --no-header: expected a table as --data, got {self.data}")

    def read(self, recipe: Recipe) -> Source:
        """Return the samples, split as the recipe says."""
        return read_source(self.data, recipe, data_dir=self.data_dir, label=self.label, header=not self.no_header)


recipe_options = grouped(
    "numbers",
    RecipeOptions,
    (
        click.option("--recipe", default="digits", show_default=True, help="bin_enc, lin_pen, nonlin_pen, no_pen, digits, ..."),
        click.option("--hidden", callback=_widths, metavar="N,N,...", help="Widths of the sign blocks."),
        click.option("--latent", type=NUMBER, metavar="D", help="Units of the latent."),
        click.option(
            "--epochs", type=NUMBER, metavar="N", help="Passes over the samples; a tenth of the recipe's from 10,000 on."
        ),
        click.option("--gamma-max", type=click.FloatRange(0.01, 1e9), metavar="G", help="Largest weight of the compression."),
        click.option(
            "--weights", metavar="KIND", help="sign, stochastic, biper, ternary, pruned, int2..int8, after-sign or -gpfq."
        ),
    ),
)
source_options = grouped(
    "source",
    SourceOptions,
    (
        click.option("--data", default="digits", show_default=True, help="digits, mnist, mnist:ROWSxCOLUMNS, or a CSV file."),
        data_option,
        click.option("--label", metavar="COLUMN", help="Name or number of a table's class column.  [default: the last]"),
        click.option("--no-header", is_flag=True, help="The table's first line is a row like others."),
    ),
)


@click.command("train")
@source_options
@recipe_options
@click.option("--deployment", metavar="D", help="Of bin_enc and lin_pen: D1, D2 or D3.  [default: D3]")
@click.option("--out", type=FILE, required=True, metavar="MODEL", help="Where the integer network is written (.npz).")
@click.option("--test-out", type=FILE, metavar="FILE", help="Where the test samples are written as bits (.npz): DATA of certify.")
@seed_option
@json_option
def train_command(
    source: SourceOptions,
    numbers: RecipeOptions,
    deployment: str | None,
    out: Path,
    test_out: Path | None,
    seed: int,
    as_json: bool,
) -> int:
    """Train a small network.

    The network is saved in integers, proved equal to the trained one, with the record of its training inside.

    \b
    Example: bnnverify train --data digits --recipe bin_enc --deployment D3 --out m.npz
    """
    recipe = numbers.chosen()
    source.check()
    check_folders({"--out": out, "--test-out": test_out})
    training.ready()
    samples = source.read(recipe)
    if numbers.epochs is None:
        recipe = recipe.for_many(len(samples.parts.train))
    name = numbers.recipe if source.data == "digits" else f"{numbers.recipe} {samples.parts.test.name}"
    options: dict[str, Any] = {"seed": seed, "deployment": deployment, "coding": samples.coding, "name": name}
    with meter("training", quiet=as_json) as advance:
        trained = training.train(recipe, samples.parts, **options, progress=advance)
    save(trained.network, out)
    if test_out:
        _save_test(trained, test_out)
    sentences = [*trained_sentences(trained.to_json()), *record_sentences(trained.record), f"saved as {out}"]
    show(document({**trained.to_json(), "record": trained.record}, trained.network) if as_json else lines(sentences))
    return 0


def _save_test(trained: Trained, path: Path) -> None:
    """Write the samples that no training saw; source and indices say so to `compare`."""
    unseen = trained.unseen
    with path.open("wb") as file:
        np.savez_compressed(file, x=unseen.bits, y=labels_of(unseen), source=unseen.name, indices=unseen.indices)
