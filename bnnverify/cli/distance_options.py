"""The options of `distance`: up to where it searches, what happens there, and how changes are measured."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from bnnverify.cli.options import FILE, NATURAL, constraint_option, event_option, grouped, within_option
from bnnverify.cli.questions import constraints_in, free_positions
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.problem.events.leaves import Leaves
from bnnverify.problem.events.words import decided_event
from bnnverify.queries.proofs.folder import unused


@dataclass(frozen=True)
class DistanceOptions:
    """What is searched for, as words of the command line; proof: the folder that a proof is written into."""

    largest: int | None
    within: str | None
    constraint: Path | None
    event: str
    norm: str | None
    tolerance: Fraction | None
    proof: Path | None

    def check(self) -> None:
        """Raise where options do not go together."""
        if self.tolerance is not None and self.norm is not None:
            raise click.UsageError("--tolerance counts flips of bits: expected no --norm beside it")
        if self.proof is not None and self.tolerance is not None:
            raise click.UsageError("--proof is of a distance: expected no --tolerance, which counts, beside it")
        if self.proof is not None and self.norm not in (None, "0"):
            raise click.UsageError(f"--proof is of a number of flips: expected no --norm but 0 beside it, got {self.norm}")

    def question(self, network: Network, center: Bits) -> dict[str, Any]:
        """Return event, free positions, largest distance and constraints, as the verbs take them.

        Raises where no proof could be written.
        """
        event = decided_event(self.event, network, center)
        if self.proof is not None:
            if event != Leaves(network(center)):
                raise click.UsageError(f"--proof is of leaving class {network(center)}: expected the event leaves, got {event}")
            unused(self.proof)
        region = {"free": free_positions(self.within, network), "constraints": constraints_in(self.constraint, network)}
        return {"event": event, "largest": self.largest, **region}


def _share(_: click.Context, __: click.Parameter, value: str | None) -> Fraction | None:
    try:
        share = None if value is None else Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter(f"expected a share like 1/1000 or 0.001, got {value!r}") from None
    if share is not None and not 0 <= share < 1:
        raise click.BadParameter(f"expected a share of at least 0 and below 1, got {value}")
    return share


NORM = click.Choice(["0", "1", "2", "inf"])

distance_options = grouped(
    "search",
    DistanceOptions,
    (
        click.option("--max", "largest", type=NATURAL, metavar="R", help="Give up beyond R flips, or beyond the cost R."),
        within_option,
        constraint_option,
        event_option,
        click.option("--norm", type=NORM, help="Measure changes of pixels, not of bits; 2 gives the square."),
        click.option(
            "--tolerance",
            metavar="SHARE",
            callback=_share,
            help="Largest radius with at most this share (like 1/1000) of adversarial inputs.",
        ),
        click.option(
            "--proof", type=FILE, metavar="DIR", help="Write a proof here that no fewer flips are enough, and the witness."
        ),
    ),
)
