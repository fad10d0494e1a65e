"""bnnverify compare: models side by side on the same samples, loaded, or trained first."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from click.core import ParameterSource

from bnnverify import training
from bnnverify._version import __version__
from bnnverify.cli.options import FILE, JOBS, POSITIVE, check_folders, counting_option, grouped
from bnnverify.cli.progress import meter, show
from bnnverify.cli.questions import QuestionOptions, question_options
from bnnverify.data.samples import Samples, read_samples
from bnnverify.formats import load
from bnnverify.queries.comparison.compare import check_arguments, compare
from bnnverify.queries.comparison.participants import Participant, participant
from bnnverify.queries.comparison.settled import is_stopped
from bnnverify.queries.storage.export import exporter
from bnnverify.report.comparison import page
from bnnverify.report.terminal import compare_table
from bnnverify.results.comparison import Comparison, Terms
from bnnverify.training.experiment import Experiment, train_arms

Check = Callable[[tuple[str, ...], Samples], None]  # raises what `compare` would raise once models are there


def _names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if value else ()


def _radii(_: click.Context, __: click.Parameter, value: str) -> tuple[int, ...]:
    words = value.split(",")
    if not all(word.strip().isdecimal() for word in words):
        raise click.BadParameter(f"expected radii like 1,2,3, got {value}")
    return tuple(map(int, words))


@dataclass(frozen=True)
class ParticipantOptions:
    """The models of files, or the arms that are trained, each with so many seeds; and the data, as words of the command line."""

    models: tuple[Path, ...]
    arms: tuple[str, ...]
    seeds: int | None
    epochs: int | None
    folder: Path | None
    data: str

    def check(self) -> None:
        """Raise where options do not go together."""
        if bool(self.models) == bool(self.arms):
            raise click.UsageError("expected either MODELs or --arms")
        given = {"--seeds": self.seeds, "--epochs": self.epochs, "--models": self.folder}
        unused = [option for option, value in given.items() if value is not None]
        if self.models and unused:
            raise click.UsageError(f"{', '.join(unused)}: expected --arms beside it, got MODELs, which are trained already")

    def load(self, data_dir: Path | None) -> tuple[list[Participant], Samples]:
        """Return the models of files, and the samples."""
        participants = [participant(load(path), path.stem) for path in self.models]
        return participants, read_samples(self.data, participants[0].network, data_dir=data_dir)

    def train(self, options: QuestionOptions, folder: Path, jobs: int, check: Check) -> tuple[list[Participant], Samples]:
        """Return the models of arms and the samples, after training what is not in folder yet; check first."""
        training.ready()
        experiment = Experiment(self.data, options.data_dir, self.epochs, folder)
        test = experiment.test_samples(self.arms)
        check(self.arms, test)
        with meter("training", quiet=options.as_json) as advance:
            networks = train_arms(experiment, self.arms, self.seeds or 1, jobs=jobs, progress=advance)
            return [participant(network, network.name) for network in networks], test


participant_options = grouped(
    "who",
    ParticipantOptions,
    (
        click.argument("models", metavar="[MODEL]...", nargs=-1, type=FILE),
        click.option("--arms", callback=_names, metavar="A,A,...", help="Train these: no_pen, nonlin_pen, bin_enc-D3, ..."),
        click.option("--seeds", type=POSITIVE, metavar="N", help="With --arms: seeds 0..N-1 of each.  [default: 1]"),
        click.option(
            "--epochs", type=POSITIVE, metavar="N", help="With --arms: passes over the samples, in place of the recipe's."
        ),
        click.option(
            "--models", "folder", type=FILE, metavar="DIR", help="With --arms: store models here.  [default: beside --store]"
        ),
        click.option("--data", default="digits", show_default=True, help="digits, mnist, or a file; with --arms also a table."),
    ),
)


@click.command("compare")
@participant_options
@click.option(
    "--radii", callback=_radii, default="1,2,3", show_default=True, metavar="R,R,...", help="Largest numbers of flipped bits."
)
@click.option("--limit", type=POSITIVE, metavar="N", help="Only the first N samples that no training touched.")
@click.option(
    "--against", callback=_names, metavar="A,A", help="Arms that the others are compared with.  [default: no_pen,nonlin_pen]"
)
@click.option(
    "--margin", type=click.FloatRange(0, 100), default=5.0, show_default=True, metavar="POINTS", help="Margin of equivalence."
)
@counting_option
@click.option("--jobs", type=JOBS, default=1, show_default=True, metavar="J", help="Processes side by side.")
@click.option("--store", type=FILE, metavar="FILE", help="Store finished rows in this SQLite file, and go on from there.")
@click.option("--export", type=FILE, metavar="FILE", help="Write the rows as .csv or .parquet.")
@click.option("--report", type=FILE, metavar="FILE", help="Write everything as one HTML file.")
@question_options
def compare_command(
    who: ParticipantOptions,
    radii: tuple[int, ...],
    limit: int | None,
    against: tuple[str, ...],
    margin: float,
    counting: bool | None,
    jobs: int,
    store: Path | None,
    export: Path | None,
    report: Path | None,
    options: QuestionOptions,
) -> int:
    """Compare how much models withstand.

    All models are measured on the same samples, which no training touched, at the same radii, and compared in pairs: certified
    accuracy, intervals over seeds and samples, and a plain word. An arm and a seed come from a model's record; without
    one, the arm is the file's name. --timeout is per question. Ctrl-C keeps and compares the finished rows.

    \b
    Example: bnnverify compare --arms no_pen,nonlin_pen,bin_enc-D3 --seeds 2 --limit 30 --jobs 2 --report report.html
    """
    who.check()
    check_folders({"--report": report, "--store": store, "--models": who.folder})
    if report:
        page.ready()
    export_rows = exporter(export) if export else None
    with ExitStack() as stack:
        if who.models:
            participants, samples = who.load(options.data_dir)
        else:
            check = partial(check_arguments, radii=radii, limit=limit, against=against, engine=options.engine, resume=store)
            participants, samples = who.train(options, _folder(who, store, stack), jobs, check)
        advance = stack.enter_context(meter("comparing", quiet=options.as_json))
        result = compare(
            participants,
            samples,
            radii=radii,
            limit=limit,
            against=against,
            engine=options.engine,
            counting=counting,
            budget=options.budget(),
            jobs=jobs,
            resume=store,
            terms=Terms(margin=margin / 100),
            progress=advance,
        )
    result = replace(result, commands=(command_line(click.get_current_context()),))
    if export_rows:
        export_rows(result.rows)
    if report:
        report.write_text(page.page(result), "utf-8")
    show(_document(result) if options.as_json else compare_table(result))
    stopped = counting is not False and any(is_stopped(row, result.radii[-1]) for row in result.rows)
    return 0 if result.decided and not stopped and (not counting or all(row.adversarial.exact for row in result.rows)) else 1


def _folder(who: ParticipantOptions, store: Path | None, stack: ExitStack) -> Path:
    """Return where trained models are kept: in --models, else beside the store, else in a folder that this command removes."""
    if who.folder is not None:
        return who.folder
    return Path(f"{store}.models") if store else Path(stack.enter_context(TemporaryDirectory(prefix="bnnverify-")))


def _document(result: Comparison) -> str:
    fingerprints = {f"{c.arm} seed {c.seed}": c.sha256 for c in result.models}
    return json.dumps({**result.to_json(), "version": __version__, "model_sha256": fingerprints})


def command_line(context: click.Context) -> str:
    """Return the command as it can be typed again: the words that were given, without defaults."""
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
