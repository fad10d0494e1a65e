"""The whole way once: train, save, certify, count, attack, measure, compare, report."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import click

from bnnverify.cli.options import FILE, json_option, seed_option
from bnnverify.cli.progress import Reach, meter, shown

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bnnverify.model.arrays import Bits
    from bnnverify.model.network import Network
    from bnnverify.report.html.study import Study
    from bnnverify.results.answers import AttackResult, CountResult, Distance
    from bnnverify.results.certification import Certification, Row
    from bnnverify.results.comparison import Comparison
    from bnnverify.training import Trained

    Tell = Callable[[RenderableType], None]

RADIUS = 4  # of the close look at one digit: 679,121 inputs
RADII = (1, 2, 3)
SAMPLES = 150
ARMS, SEEDS, COMPARED = ("no_pen", "nonlin_pen", "bin_enc-D3"), 2, 30  # samples per model


@click.command()
@click.option("--out", type=FILE, default=Path("demo-output"), show_default=True, metavar="DIR", help="For model and report.")
@seed_option
@json_option
def demo(out: Path, seed: int, as_json: bool) -> int:
    """Train, verify, compare and report.

    On 8x8 digits: a model is certified at several radii, counted and attacked; then networks without a latent, with a sign latent
    and with a binary-encoded one are trained and compared exactly, and a report is written.

    \b
    Example: bnnverify demo --out demo-output
    """
    from bnnverify import training
    from bnnverify.formats import save
    from bnnverify.queries.comparison import statistics as judge
    from bnnverify.report.comparison import page as comparison
    from bnnverify.report.document import document
    from bnnverify.report.html import study as page

    for room in (training, judge, page):
        room.ready()
    tell: Tell = _nothing if as_json else shown
    out.mkdir(parents=True, exist_ok=True)
    trained = _trained(seed, tell, quiet=as_json)
    save(trained.network, out / "digits.npz")
    study = _study(trained, tell, quiet=as_json)
    (out / "digits.html").write_text(page.page(study), "utf-8")
    compared = _compared(out, tell, quiet=as_json)
    (out / "report.html").write_text(comparison.page(compared), "utf-8")
    tell(_farewell(out, study.sample))
    if as_json:
        shown(document({**study.to_json(), "comparison": compared.to_json()}, study.network))
    return 0 if compared.decided and all(certification.decided for certification in study.certifications) else 1


def _nothing(part: RenderableType) -> None:
    """Keep quiet."""


def _trained(seed: int, tell: Tell, *, quiet: bool) -> Trained:
    from bnnverify.data.pictures import digits_coding
    from bnnverify.data.samples import digits
    from bnnverify.report.document import about
    from bnnverify.report.sentences import trained_sentences
    from bnnverify.report.terminal import about_table, heading, lines
    from bnnverify.training import recipe_named, train

    tell(heading("1. Train a binarized network on 8x8 digits, and turn it into whole numbers"))
    with meter("training", quiet=quiet) as reach:
        trained = train(recipe_named("digits"), digits(), seed=seed, coding=digits_coding(), name="digits", report=reach)
    tell(about_table(about(trained.network), trained.network.sha256))
    tell(lines(trained_sentences(trained.to_json())))
    return trained


def _study(trained: Trained, tell: Tell, *, quiet: bool) -> Study:
    """Certify digits that training never saw, then look closely at the one that is hardest to fool."""
    from bnnverify.report.html.study import Study

    certified = _certified(trained, tell, quiet=quiet)
    index = _hardest(certified[-1].rows)
    center = trained.unseen.bits[trained.unseen.indices.index(index)]
    answers = _looked(trained.network, f"digits:{index}", center, tell, quiet=quiet)
    return Study(trained.network, trained.train_accuracy, trained.test_accuracy, f"digits:{index}", *answers, certified)


def _certified(trained: Trained, tell: Tell, *, quiet: bool) -> list[Certification]:
    import numpy as np

    from bnnverify.queries.verbs.certify import certify
    from bnnverify.report.terminal import heading, radii_table
    from bnnverify.training import part

    samples = part(trained.unseen, np.arange(min(SAMPLES, len(trained.unseen))))
    tell(heading(f"2. Certify {len(samples)} digits that training never saw"))
    certified = []
    with meter("certifying", quiet=quiet) as reach:
        for i, radius in enumerate(RADII):
            report = partial(_ahead, reach, i)
            certified.append(certify(trained.network, samples, radius=radius, counting=True, report=report))
    tell(radii_table(certified))
    return certified


def _ahead(reach: Reach, before: int, _: Row, done: int, wanted: int) -> None:
    """Report progress of one radius after others."""
    reach(before * wanted + done, len(RADII) * wanted)


def _hardest(rows: Sequence[Row]) -> int:
    """Return the index of the right sample with the fewest adversarial inputs, but not none."""
    right = [row for row in rows if row.correct] or rows
    fooled = [row for row in right if row.adversarial.low] or right
    return min(fooled, key=lambda row: row.adversarial.low).index


def _looked(network: Network, name: str, center: Bits, tell: Tell, *, quiet: bool) -> tuple[CountResult, AttackResult, Distance]:
    from bnnverify.problem.event import EachClass, Leaves
    from bnnverify.problem.query import Query
    from bnnverify.problem.region import HammingBall
    from bnnverify.queries.verbs.attack import attack
    from bnnverify.queries.verbs.count import count
    from bnnverify.queries.verbs.distance import distance
    from bnnverify.report.terminal import attack_table, count_table, distance_table, heading

    ball = HammingBall(center, RADIUS)
    tell(heading(f"3. Count what up to {RADIUS} flips do to {name}, the hardest one to fool"))
    with meter("counting", quiet=quiet) as reach:
        counted = count(Query(network, ball, EachClass()), report=lambda p: reach(p.done, p.total))
    tell(count_table(counted))
    tell(heading("4. Attack it, and find out how few flips are enough"))
    attacked = attack(Query(network, ball, Leaves(network(center))))
    tell(attack_table(attacked, network))
    nearest = distance(network, center)
    tell(distance_table(nearest, network))
    return counted, attacked, nearest


def _compared(out: Path, tell: Tell, *, quiet: bool) -> Comparison:
    from dataclasses import replace

    from bnnverify.queries.comparison.compare import compare
    from bnnverify.queries.comparison.participants import participant
    from bnnverify.queries.execution.cores import cores
    from bnnverify.report.terminal import compare_table, heading
    from bnnverify.training.experiment import Course, trained

    tell(heading(f"5. Train {', '.join(ARMS)} with {SEEDS} seeds each, and compare them on {COMPARED} digits"))
    course = Course("digits", None, None, out / "models")
    with meter("training", quiet=quiet) as reach:
        networks = trained(course, ARMS, SEEDS, jobs=cores(), progress=reach)
        participants = [participant(network, network.name) for network in networks]
    with meter("comparing", quiet=quiet) as reach:
        samples = course.source(ARMS[0]).parts.test
        result = compare(participants, samples, radii=RADII, limit=COMPARED, jobs=cores(), report=reach)
    command = f"bnnverify compare --arms {','.join(ARMS)} --seeds {SEEDS} --limit {COMPARED} --jobs {cores()}"
    result = replace(result, commands=(command,))
    tell(compare_table(result))
    return result


def _farewell(out: Path, sample: str) -> RenderableType:
    from rich.console import Group

    from bnnverify.report.terminal import heading, verbatim

    model, program = out / "digits.npz", _program()
    commands = [
        f"{program} count {model} {sample} --radius 5",
        f"{program} attack {model} {sample} --radius 6 --event becomes:8",
        f"{program} certify {model} digits --radius 2 --limit 300 --jobs 2",
    ]
    pages = [f"a close look: {out / 'digits.html'}", f"report: {out / 'report.html'}"]
    return Group(heading("6. Go on, and read the reports"), verbatim(["next:", *(f"  {c}" for c in commands), *pages]))


def _program() -> str:
    """Return what to type to start this program: also right where its virtual environment is not active."""
    beside = Path(sys.executable).with_name("bnnverify")
    if which("bnnverify"):
        return "bnnverify"
    return os.path.relpath(beside) if beside.exists() else f"{sys.executable} -m bnnverify"
