"""What is near enough, and by what measure: the words of `distance`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bnnverify.cli.arguments import positions, yes_or_no
from bnnverify.cli.options import FILE, NATURAL, within_option

if TYPE_CHECKING:
    from bnnverify.model.arrays import Bits
    from bnnverify.model.network import Network


def _share(_: click.Context, __: click.Parameter, value: str | None) -> Fraction | None:
    try:
        share = None if value is None else Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter(f"expected a share like 1/1000 or 0.001, got {value!r}") from None
    if share is not None and not 0 <= share < 1:
        raise click.BadParameter(f"expected a share of at least 0 and below 1, got {value}")
    return share


@dataclass(frozen=True)
class Aim:
    """What is near enough and by what measure, as words of the command line; proof: where a proof is to be left."""

    largest: int | None
    within: str | None
    event: str
    norm: str | None
    tolerated: Fraction | None
    proof: Path | None

    def asked(self, network: Network, center: Bits) -> dict[str, Any]:
        """Return event, free positions and the largest distance, as the verbs take them."""
        event = yes_or_no(self.event, network, center)
        return {"event": event, "free": positions(self.within, network), "largest": self.largest}

    def fits(self) -> None:
        """Raise where what is asked for does not go together."""
        if self.tolerated is not None and self.norm is not None:
            raise click.UsageError("--tolerance counts flips of bits: expected no --norm beside it")
        if self.proof is not None and self.tolerated is not None:
            raise click.UsageError("--proof is of a distance: expected no --tolerance, which counts, beside it")
        if self.proof is not None and self.norm not in (None, "0"):
            raise click.UsageError(f"--proof is of a number of flips: expected no --norm but 0 beside it, got {self.norm}")


AIM = (
    click.option("--max", "largest", type=NATURAL, metavar="R", help="Give up beyond R flips, or beyond the cost R."),
    within_option,
    click.option("--event", default="leaves", show_default=True, help="leaves, leaves:C or becomes:C[,C..]."),
    click.option(
        "--norm", type=click.Choice(["0", "1", "2", "inf"]), help="Measure changes of pixels, not of bits; 2 gives the square."
    ),
    click.option(
        "--tolerance",
        "tolerated",
        metavar="SHARE",
        callback=_share,
        help="Largest radius with at most this share (like 1/1000) of adversarial inputs.",
    ),
    click.option("--proof", type=FILE, metavar="DIR", help="Write a proof here that no fewer flips are enough, and the witness."),
)
