"""Arms side by side on the same samples: trained first, or loaded."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from bnnverify.cli.arguments import Setting
from bnnverify.cli.commands.train import check_folders
from bnnverify.cli.options import FILE, gathered, setting_options
from bnnverify.cli.progress import meter, shown
from bnnverify.training.experiment import Course, parted, trained

if TYPE_CHECKING:
    from bnnverify.data.samples import Samples
    from bnnverify.queries.comparison.participants import Participant
    from bnnverify.results.comparison import Comparison

    Foresee = Callable[[tuple[str, ...], Samples], None]  # raises what would be said of the words once models are there

SOME = click.IntRange(min=1)


def _names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if value else ()


def _radii(_: click.Context, __: click.Parameter, value: str) -> tuple[int, ...]:
    words = value.split(",")
    if not all(word.strip().isdecimal() for word in words):
        raise click.BadParameter(f"expected radii like 1,2,3, got {value}")
    return tuple(map(int, words))


@dataclass(frozen=True)
class Field:
    """Who takes part: models of files, or arms that are trained, with so many seeds; and on which data."""

    models: tuple[Path, ...]
    arms: tuple[str, ...]
    seeds: int | None
    epochs: int | None
    kept: Path | None
    data: str

    def check(self) -> None:
        """Refuse words that do not go together."""
        if bool(self.models) == bool(self.arms):
            raise click.UsageError("expected either MODELs or --arms")
        given = {"--seeds": self.seeds, "--epochs": self.epochs, "--models": self.kept}
        unused = [option for option, value in given.items() if value is not None]
        if self.models and unused:
            raise click.UsageError(f"{', '.join(unused)}: expected --arms beside it, got MODELs, which are trained already")

    def participants(self, setting: Setting, folder: Path, jobs: int, foresee: Foresee) -> tuple[list[Participant], Samples]:
        """Return the models and the samples, after training what is not in folder yet and foresee has nothing to say against."""
        return self._loaded(setting) if self.models else self._trained(setting, folder, jobs, foresee)

    def _loaded(self, setting: Setting) -> tuple[list[Participant], Samples]:
        from bnnverify.data.samples import read_samples
        from bnnverify.formats import load
        from bnnverify.queries.comparison.participants import participant

        participants = [participant(load(path), path.stem) for path in self.models]
        return participants, read_samples(self.data, participants[0].network, data_dir=setting.data_dir)

    def _trained(self, setting: Setting, folder: Path, jobs: int, foresee: Foresee) -> tuple[list[Participant], Samples]:
        from bnnverify.queries.comparison.participants import participant
        from bnnverify.training import ready

        ready()
        course = Course(self.data, setting.data_dir, self.epochs, folder)
        heads = [head for head, _ in map(parted, self.arms)]
        test = course.source(heads[0]).parts.test
        foresee(self.arms, test)
        with meter("training", quiet=setting.as_json) as reach:
            networks = trained(course, self.arms, self.seeds or 1, jobs=jobs, progress=reach)
            participants = [participant(network, network.name) for network in networks]
        return participants, test


FIELD = (
    click.argument("models", metavar="[MODEL]...", nargs=-1, type=FILE),
    click.option("--arms", callback=_names, metavar="A,A,...", help="Train these: no_pen, nonlin_pen, bin_enc-D3, ..."),
    click.option("--seeds", type=SOME, metavar="N", help="With --arms: seeds 0..N-1 of each.  [default: 1]"),
    click.option("--epochs", type=SOME, metavar="N", help="With --arms: passes over the samples, in place of the recipe's."),
    click.option("--models", "kept", type=FILE, metavar="DIR", help="With --arms: keep models here.  [default: beside --store]"),
    click.option("--data", default="digits", show_default=True, help="digits, mnist, or a file; with --arms also a table."),
)


@click.command()
@gathered("field", Field, FIELD)
@click.option("--radii", callback=_radii, default="1,2,3", show_default=True, metavar="R,R,...", help="Flipped bits, at most.")
@click.option("--limit", type=SOME, metavar="N", help="Only the first N samples that no training touched.")
@click.option("--against", callback=_names, metavar="A,A", help="Arms the others are held against.  [default: no_pen,nonlin_pen]")
@click.option("--margin", type=click.FloatRange(0, 100), default=5.0, show_default=True, metavar="POINTS", help="Of equivalence.")
@click.option("--count/--no-count", "counting", default=None, help="Count adversarial inputs, or only decide; default: if cheap.")
@click.option("--jobs", type=click.IntRange(1, 1000), default=1, show_default=True, metavar="J", help="Processes side by side.")
@click.option("--store", type=FILE, metavar="FILE", help="Keep finished rows in this SQLite file, and go on from there.")
@click.option("--export", type=FILE, metavar="FILE", help="Write the rows as .csv or .parquet.")
@click.option("--report", type=FILE, metavar="FILE", help="Write everything as one HTML file.")
@setting_options
def compare(
    field: Field,
    radii: tuple[int, ...],
    limit: int | None,
    against: tuple[str, ...],
    margin: float,
    counting: bool | None,
    jobs: int,
    store: Path | None,
    export: Path | None,
    report: Path | None,
    setting: Setting,
) -> int:
    """Compare how much models withstand.

    All models are asked about the same samples, which no training touched, at the same radii, and judged in pairs: certified
    accuracy, intervals over seeds and samples, and a plain word. An arm and a seed come from a model's record; without
    one, the arm is the file's name. --timeout is per question. Ctrl-C keeps and judges the finished rows.

    \b
    Example: bnnverify compare --arms no_pen,nonlin_pen,bin_enc-D3 --seeds 2 --limit 30 --jobs 2 --report report.html
    """
    from bnnverify.queries.comparison import statistics as judge
    from bnnverify.queries.comparison.compare import compare as answer
    from bnnverify.queries.comparison.compare import foresee
    from bnnverify.queries.storage.export import exporter
    from bnnverify.queries.storage.store import is_stopped
    from bnnverify.report.comparison import page as comparison
    from bnnverify.report.terminal import compare_table
    from bnnverify.results.comparison import Terms

    judge.ready()
    field.check()
    check_folders({"--report": report, "--store": store, "--models": field.kept})
    if report:
        comparison.ready()
    written = exporter(export) if export else None
    with ExitStack() as stack:
        words = partial(foresee, radii=radii, limit=limit, against=against, engine=setting.engine, store=store)
        participants, samples = field.participants(setting, _folder(field, store, stack), jobs, words)
        reach = stack.enter_context(meter("comparing", quiet=setting.as_json))
        result = answer(
            participants,
            samples,
            radii=radii,
            limit=limit,
            against=against,
            engine=setting.engine,
            counting=counting,
            timeout=setting.timeout,
            memory=setting.memory,
            jobs=jobs,
            store=store,
            terms=Terms(margin=margin / 100),
            report=reach,
        )
    result = replace(result, commands=(typed(click.get_current_context()),))
    if written:
        written(result.rows)
    if report:
        report.write_text(comparison.page(result), "utf-8")
    shown(_document(result) if setting.as_json else compare_table(result))
    stopped = counting is not False and any(is_stopped(row, result.radii[-1]) for row in result.rows)
    return 0 if result.decided and not stopped and (not counting or all(row.adversarial.exact for row in result.rows)) else 1


def _folder(field: Field, store: Path | None, stack: ExitStack) -> Path:
    """Return where trained models are kept: as told, beside the store, or nowhere for longer than this command."""
    if field.kept is not None:
        return field.kept
    return Path(f"{store}.models") if store else Path(stack.enter_context(TemporaryDirectory(prefix="bnnverify-")))


def _document(result: Comparison) -> str:
    from bnnverify._version import __version__

    fingerprints = {f"{c.arm} seed {c.seed}": c.sha256 for c in result.contenders}
    return json.dumps({**result.to_json(), "version": __version__, "model_sha256": fingerprints})


def typed(context: click.Context) -> str:
    """Return the command as it can be typed again: what was said, not what was left at its default."""
    words = context.command_path.split()
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if context.get_parameter_source(parameter.name or "") is not ParameterSource.COMMANDLINE:
            continue
        if isinstance(parameter, click.Argument):
            words += map(str, value or ())
        elif isinstance(parameter, click.Option) and parameter.is_flag:
            words.append((parameter.opts if value else parameter.secondary_opts)[0])
        else:
            words += [parameter.opts[0], ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
    return shlex.join(words)
