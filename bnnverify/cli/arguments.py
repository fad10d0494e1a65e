"""From words of the command line to nouns: what is asked about, and how the work is limited."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bnnverify.model.arrays import Bits
    from bnnverify.model.network import Network
    from bnnverify.problem.budget import Budget
    from bnnverify.problem.event import Event
    from bnnverify.problem.region import Region

GIB = 2**30


@dataclass(frozen=True)
class Setting:
    """How a question is worked on and answered: engine, seconds, GiB, JSON or not, and where data sets lie."""

    engine: str
    timeout: float | None
    gib: float | None
    as_json: bool
    data_dir: Path | None

    @property
    def memory(self) -> int | None:
        """Return the limit in bytes."""
        return None if self.gib is None else max(1, int(self.gib * GIB))

    def budget(self) -> Budget:
        """Return the limits, the clock starting now."""
        from bnnverify.problem.budget import Budget

        return Budget(self.timeout, self.memory)


@dataclass(frozen=True)
class Place:
    """Where is asked: an input and how far around it, as words of the command line."""

    source: str | None
    radius: int | None
    free: str | None
    everything: bool
    within: str | None

    def region(self, network: Network, data_dir: Path | None) -> Region:
        """Return the region that the words mean."""
        from bnnverify.data.samples import read_input, read_positions
        from bnnverify.problem import region

        if [self.radius is not None, self.free is not None, self.everything].count(True) != 1:
            raise click.UsageError("expected exactly one of --radius, --free and --everything")
        if self.within is not None and self.radius is None:
            raise click.UsageError("--within narrows --radius; to free positions entirely, use --free")
        if self.source is None:
            if not self.everything:
                raise click.UsageError("expected an INPUT; only --everything goes without one")
            return region.Everything(network.inputs)
        center = read_input(self.source, network, data_dir=data_dir)
        if self.everything:
            return region.HammingBall(center, network.inputs)
        if self.free is not None:
            return region.Subcube(center, read_positions(self.free, network.inputs))
        return region.HammingBall(center, self.radius or 0, free=positions(self.within, network))


def positions(source: str | None, network: Network) -> Any:
    """Return the free positions that a comma list or file names, None for all."""
    from bnnverify.data.samples import read_positions

    return None if source is None else read_positions(source, network.inputs)


def yes_or_no(text: str, network: Network, center: Bits) -> Event:
    """Return the event that text means, except classes, which only counts can answer."""
    from bnnverify.errors import BadQuery

    if text == "classes":
        raise BadQuery("event: expected leaves, leaves:C or becomes:C,..., got classes, which is for counting")
    return event_named(text, network, center)


def event_named(text: str, network: Network, center: Bits) -> Event:
    """Return the event that text means: leaves, leaves:C, becomes:C,C or classes."""
    from bnnverify.errors import BadQuery
    from bnnverify.problem.event import Becomes, EachClass, Leaves

    kind, colon, rest = text.partition(":")
    labels = rest.split(",") if colon else []
    if not all(label.strip().isdecimal() for label in labels):
        raise BadQuery(f"event: expected class numbers after {kind}:, got {rest!r}")
    classes = [int(label) for label in labels]
    match kind, classes:
        case "leaves", []:
            return Leaves(network(center))
        case "leaves", [label]:
            return Leaves(label)
        case "becomes", [_, *_]:
            return Becomes(*classes)
        case "classes", []:
            return EachClass()
    raise BadQuery(f"event: expected leaves, leaves:C, becomes:C, becomes:C,C,... or classes, got {text!r}")
