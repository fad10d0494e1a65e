"""bnnverify demo: train, save, certify, count, attack, measure, compare and report, once."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import click
import numpy as np
from rich.console import RenderableType

from bnnverify import training
from bnnverify.cli.options import FILE, json_option, seed_option
from bnnverify.cli.progress import Advance, meter, show
from bnnverify.data.pictures import digits_coding
from bnnverify.data.samples import digits
from bnnverify.formats import save
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.problem.ball import HammingBall
from bnnverify.problem.events.each_class import EachClass
from bnnverify.problem.events.leaves import Leaves
from bnnverify.problem.query import Query
from bnnverify.queries.comparison.compare import compare
from bnnverify.queries.comparison.participants import participant
from bnnverify.queries.execution.cores import cores
from bnnverify.queries.verbs.attack import attack
from bnnverify.queries.verbs.certify import certify
from bnnverify.queries.verbs.count import count
from bnnverify.queries.verbs.distance import distance
from bnnverify.report.comparison import page as comparison_page
from bnnverify.report.document import about, document
from bnnverify.report.html import study as study_page
from bnnverify.report.html.study import Study
from bnnverify.report.sentences import trained_sentences
from bnnverify.report.terminal import (
    about_table,
    attack_table,
    compare_table,
    count_table,
    distance_table,
    heading,
    lines,
    radii_table,
    verbatim,
)
from bnnverify.results.answers import AttackResult, CountResult, Distance
from bnnverify.results.certification import Certification, Row
from bnnverify.results.comparison import Comparison
from bnnverify.training import part, recipe_named
from bnnverify.training.experiment import Experiment, train_arms

if TYPE_CHECKING:
    from bnnverify.training import Trained  # brings PyTorch

RADIUS = 4  # of the close look at one digit: 679,121 inputs
RADII = (1, 2, 3)
SAMPLES = 150
ARMS, SEEDS, COMPARED = ("no_pen", "nonlin_pen", "bin_enc-D3"), 2, 30  # samples per model


@click.command("demo")
@click.option(
    "--out", type=FILE, default=Path("demo-output"), show_default=True, metavar="DIR", help="Folder of models and reports."
)
@seed_option
@json_option
def demo_command(out: Path, seed: int, as_json: bool) -> int:
    """Train, verify, compare and report.

    On 8x8 digits: a model is certified at several radii, counted and attacked; then networks without a latent, with a sign latent
    and with a binary-encoded one are trained and compared exactly, and a report is written.

    \b
    Example: bnnverify demo --out demo-output
    """
    for optional in (training, study_page):
        optional.ready()
    out.mkdir(parents=True, exist_ok=True)
    demo = _Demo(out, seed, as_json)
    study, comparison = demo.study(), demo.compare()
    demo.show(heading("6. Go on, and read the reports"))
    demo.show(verbatim(_next(out, study.sample)))
    if as_json:
        show(document({**study.to_json(), "comparison": comparison.to_json()}, study.network))
    return 0 if comparison.decided and all(certification.decided for certification in study.certifications) else 1


@dataclass(frozen=True)
class _Demo:
    """The steps of the demo. Each prints its part, unless quiet, and leaves its files in out."""

    out: Path
    seed: int
    quiet: bool

    def show(self, part: RenderableType) -> None:
        if not self.quiet:
            show(part)

    def study(self) -> Study:
        """Certify digits that training never saw, then look closely at the one that is hardest to fool."""
        trained = self._train()
        certified = self._certify(trained)
        index = _hardest(certified[-1].rows)
        center = trained.unseen.bits[trained.unseen.indices.index(index)]
        answers = self._ask(trained.network, f"digits:{index}", center)
        study = Study(trained.network, trained.train_accuracy, trained.test_accuracy, f"digits:{index}", *answers, certified)
        (self.out / "digits.html").write_text(study_page.page(study), "utf-8")
        return study

    def compare(self) -> Comparison:
        """Train networks with and without latents, and compare them on the same digits."""
        self.show(heading(f"5. Train {', '.join(ARMS)} with {SEEDS} seeds each, and compare them on {COMPARED} digits"))
        experiment = Experiment("digits", None, None, self.out / "models")
        with meter("training", quiet=self.quiet) as advance:
            networks = train_arms(experiment, ARMS, SEEDS, jobs=cores(), progress=advance)
            participants = [participant(network, network.name) for network in networks]
        with meter("comparing", quiet=self.quiet) as advance:
            samples = experiment.test_samples(ARMS)
            result = compare(participants, samples, radii=RADII, limit=COMPARED, jobs=cores(), progress=advance)
        command = f"bnnverify compare --arms {','.join(ARMS)} --seeds {SEEDS} --limit {COMPARED} --jobs {cores()}"
        result = replace(result, commands=(command,))
        self.show(compare_table(result))
        (self.out / "report.html").write_text(comparison_page.page(result), "utf-8")
        return result

    def _train(self) -> Trained:
        self.show(heading("1. Train a binarized network on 8x8 digits, and turn it into integers"))
        recipe, coding = recipe_named("digits"), digits_coding()
        with meter("training", quiet=self.quiet) as advance:
            trained = training.train(recipe, digits(), seed=self.seed, coding=coding, name="digits", progress=advance)
        self.show(about_table(about(trained.network), trained.network.sha256))
        self.show(lines(trained_sentences(trained.to_json())))
        save(trained.network, self.out / "digits.npz")
        return trained

    def _certify(self, trained: Trained) -> list[Certification]:
        samples = part(trained.unseen, np.arange(min(SAMPLES, len(trained.unseen))))
        self.show(heading(f"2. Certify {len(samples)} digits that training never saw"))
        certified = []
        with meter("certifying", quiet=self.quiet) as advance:
            for i, radius in enumerate(RADII):
                report = partial(_advance, advance, i)
                certified.append(certify(trained.network, samples, radius=radius, counting=True, progress=report))
        self.show(radii_table(certified))
        return certified

    def _ask(self, network: Network, name: str, center: Bits) -> tuple[CountResult, AttackResult, Distance]:
        """Count and attack around one digit, and measure how far the nearest adversarial input is."""
        ball = HammingBall(center, RADIUS)
        self.show(heading(f"3. Count what up to {RADIUS} flips do to {name}, the hardest one to fool"))
        with meter("counting", quiet=self.quiet) as advance:
            counted = count(Query(network, ball, EachClass()), progress=lambda p: advance(p.done, p.total))
        self.show(count_table(counted))
        self.show(heading("4. Attack it, and find out how few flips are enough"))
        attacked = attack(Query(network, ball, Leaves(network(center))))
        self.show(attack_table(attacked, network))
        nearest = distance(network, center)
        self.show(distance_table(nearest, network))
        return counted, attacked, nearest


def _advance(advance: Advance, radii: int, _: Row, done: int, total: int) -> None:
    """Report the progress of one radius after others."""
    advance(radii * total + done, len(RADII) * total)


def _hardest(rows: Sequence[Row]) -> int:
    """Return the index of the right sample with the fewest adversarial inputs, but not none."""
    right = [row for row in rows if row.correct] or rows
    fooled = [row for row in right if row.adversarial.low] or right
    return min(fooled, key=lambda row: row.adversarial.low).index


def _next(out: Path, sample: str) -> list[str]:
    """Return what a reader may do next: commands, and where the reports are."""
    model, program = out / "digits.npz", _program()
    return [
        "next:",
        f"  {program} count {model} {sample} --radius 5",
        f"  {program} attack {model} {sample} --radius 6 --event becomes:8",
        f"  {program} certify {model} digits --radius 2 --limit 300 --jobs 2",
        f"a close look: {out / 'digits.html'}",
        f"report: {out / 'report.html'}",
    ]


def _program() -> str:
    """Return what to type to start this program: also right where its virtual environment is not active."""
    beside = Path(sys.executable).with_name("bnnverify")
    if which("bnnverify"):
        return "bnnverify"
    return os.path.relpath(beside) if beside.exists() else f"{sys.executable} -m bnnverify"
