"""What happens to the latent code around an input."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bnnverify.cli.arguments import Setting, positions
from bnnverify.cli.options import FILE, NATURAL, setting_options, within_option
from bnnverify.cli.progress import pulse, shown

if TYPE_CHECKING:
    from bnnverify.model.arrays import Bits
    from bnnverify.model.network import Network
    from bnnverify.results.answers import Attempt
    from bnnverify.results.codes import ClassCodes
    from bnnverify.results.confusion import Confusion
    from bnnverify.results.latent import Attribution, Latents


@click.command()
@click.argument("model", type=FILE)
@click.argument("source", metavar="INPUT")
@click.option("--radius", type=NATURAL, metavar="R", required=True, help="Inputs that differ in at most R bits.")
@within_option
@click.option("--attribution", is_flag=True, help="Also count which input flips go along with which latent changes.")
@click.option("--classes", metavar="DATA", help="Also find the code of each class over DATA, and how far apart they are.")
@click.option("--against", type=FILE, metavar="MODEL", help="Also count where this other model answers differently.")
@setting_options
def latents(
    model: Path,
    source: str,
    radius: int,
    within: str | None,
    attribution: bool,
    classes: str | None,
    against: Path | None,
    setting: Setting,
) -> int:
    """Say what happens to the latent code around INPUT.

    The code is the bits after the last block. Everything is exact, from one look at every input within R flips.

    \b
    Example: bnnverify latents model.npz digits:17 --radius 3
    """
    from bnnverify.data.samples import read_input, read_samples
    from bnnverify.formats import load
    from bnnverify.report.document import document

    network = load(model)
    center = read_input(source, network, data_dir=setting.data_dir)
    ask = _Asked(network, center, radius, positions(within, network), setting)
    with pulse("enumerating", quiet=setting.as_json):
        found = _Found(
            ask.latents(),
            ask.attempts(),
            ask.attribution() if attribution else None,
            ask.class_codes(read_samples(classes, network, data_dir=setting.data_dir)) if classes else None,
            ask.confusion(load(against)) if against else None,
        )
    shown(document(found.to_json(), network) if setting.as_json else found.tables(network, str(against)))
    return 0 if found.exact else 1


@dataclass(frozen=True, eq=False)
class _Asked:
    """The questions of one command: each has the whole budget."""

    network: Network
    center: Bits
    radius: int
    free: Any
    setting: Setting

    def latents(self) -> Latents:
        from bnnverify.queries.verbs.latent.latents import latents

        return latents(self.network, self.center, radius=self.radius, free=self.free, budget=self.setting.budget())

    def attempts(self) -> list[Attempt]:
        from bnnverify.queries.attacks.local_search import METHODS, local_search

        return [local_search(self.network, self.center, method=method, free=self.free) for method in METHODS]

    def attribution(self) -> Attribution:
        from bnnverify.queries.verbs.latent.attribution import attribution

        return attribution(self.network, self.center, radius=self.radius, free=self.free, budget=self.setting.budget())

    def class_codes(self, samples: Any) -> ClassCodes:
        from bnnverify.queries.verbs.latent.codes import class_codes

        return class_codes(self.network, samples)

    def confusion(self, other: Network) -> Confusion:
        from bnnverify.problem.region import HammingBall
        from bnnverify.queries.verbs.latent.differ import differ

        ball = HammingBall(self.center, self.radius, free=self.free)
        return differ(self.network, other, ball, engine=self.setting.engine, budget=self.setting.budget())


@dataclass(frozen=True, eq=False)
class _Found:
    """The answers of one command; None: not asked."""

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
        asked = {name: None if part is None else part.to_json() for name, part in parts.items()}
        return {**self.latents.to_json(), "attacks": [attempt.to_json() for attempt in self.attempts], **asked}

    def tables(self, network: Network, other: str) -> Any:
        from bnnverify.report import latent_tables as tables

        shells = self.latents.shells
        return tables.together(
            tables.latents_table(self.latents, network),
            tables.attempts_table(self.attempts, shells.distance),
            tables.attribution_table(self.attribution) if self.attribution else None,
            tables.class_codes_table(self.classes, shells) if self.classes else None,
            tables.confusion_table(self.confusion, other) if self.confusion else None,
        )
