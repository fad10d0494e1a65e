"""bnnverify latents: what happens to the latent code around an input."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bnnverify.cli.options import FILE, NATURAL, constraint_option, within_option
from bnnverify.cli.progress import pulse, show
from bnnverify.cli.questions import QuestionOptions, constraints_in, free_positions, narrowed, question_options
from bnnverify.data.samples import read_input, read_samples
from bnnverify.formats import load
from bnnverify.model.network import Network
from bnnverify.problem.ball import HammingBall
from bnnverify.queries.attacks.local_search import METHODS, local_search
from bnnverify.queries.verbs.differ import differ
from bnnverify.queries.verbs.latent.attribution import attribution
from bnnverify.queries.verbs.latent.codes import class_codes
from bnnverify.queries.verbs.latent.latents import latents
from bnnverify.report import latent_tables as tables
from bnnverify.report.document import document
from bnnverify.results.answers import Attempt
from bnnverify.results.codes import ClassCodes
from bnnverify.results.confusion import Confusion
from bnnverify.results.latent import Attribution, Latents


@click.command("latents")
@click.argument("model", type=FILE)
@click.argument("source", metavar="INPUT")
@click.option("--radius", type=NATURAL, metavar="R", required=True, help="Inputs that differ in at most R bits.")
@within_option
@constraint_option
@click.option(
    "--attribution", "attributed", is_flag=True, help="Also count which input flips go along with which latent changes."
)
@click.option("--classes", metavar="DATA", help="Also find the code of each class over DATA, and how far apart they are.")
@click.option(
    "--against",
    type=FILE,
    metavar="MODEL",
    help="Also count where this other model answers differently, by --engine within --memory.",
)
@question_options
def latents_command(
    model: Path,
    source: str,
    radius: int,
    within: str | None,
    constraint: Path | None,
    attributed: bool,
    classes: str | None,
    against: Path | None,
    options: QuestionOptions,
) -> int:
    """Say what happens to the latent code around INPUT.

    The code is the bits after the last block. All numbers are exact: every input within R flips is enumerated.

    \b
    Example: bnnverify latents model.npz digits:17 --radius 3
    """
    if against is None and (options.engine != "auto" or options.gib is not None):
        raise click.UsageError("--engine and --memory are for the count of --against: expected --against MODEL beside them")
    network = load(model)
    center = read_input(source, network, data_dir=options.data_dir)
    free, rows = free_positions(within, network), constraints_in(constraint, network)
    ball = narrowed(HammingBall(center, radius, free=free), constraint)
    around: dict[str, Any] = {"radius": radius, "free": free, "constraints": rows, "budget": options.budget()}
    samples = read_samples(classes, network, data_dir=options.data_dir) if classes else None
    other = load(against) if against else None
    with pulse("enumerating", quiet=options.as_json):
        answers = _Answers(
            latents(network, center, **around),
            [local_search(network, center, method=method, free=free, constraints=rows) for method in METHODS],
            attribution(network, center, **around) if attributed else None,
            class_codes(network, samples) if samples else None,
            differ(network, other, ball, engine=options.engine, budget=options.budget()) if other else None,
        )
    show(document(answers.to_json(), network) if options.as_json else answers.tables(network, str(against)))
    return 0 if answers.exact else 1


@dataclass(frozen=True, eq=False)
class _Answers:
    """The answers of one command; None where there was no question. Each question has the whole budget."""

    latents: Latents
    attempts: list[Attempt]
    attribution: Attribution | None
    classes: ClassCodes | None
    confusion: Confusion | None

    @property
    def exact(self) -> bool:
        return all(answer is None or answer.exact for answer in (self.latents, self.attribution, self.confusion))

    def to_json(self) -> dict[str, Any]:
        parts = {"attribution": self.attribution, "classes": self.classes, "against": self.confusion}
        optional = {name: None if part is None else part.to_json() for name, part in parts.items()}
        return {**self.latents.to_json(), "attacks": [attempt.to_json() for attempt in self.attempts], **optional}

    def tables(self, network: Network, other: str) -> Any:
        shells = self.latents.shells
        return tables.together(
            tables.latents_table(self.latents, network),
            tables.attempts_table(self.attempts, shells.distance),
            tables.attribution_table(self.attribution) if self.attribution else None,
            tables.class_codes_table(self.classes, shells) if self.classes else None,
            tables.confusion_table(self.confusion, other) if self.confusion else None,
        )
