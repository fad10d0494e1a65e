"""Questions: a network, a region, and an event that happens at some of its points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bnnverify.errors import BadQuery, WitnessRejected
from bnnverify.network import Bits, Network
from bnnverify.region import Region, whole_number
from bnnverify.result import Witness


class Event(Protocol):
    """Something that happens at a point, decided by the class alone."""

    def classes(self, count: int) -> frozenset[int]:
        """Return which of the classes 0..count-1 make the event happen."""


def _known(label: int, count: int) -> int:
    label = whole_number(label, "class")
    if not 0 <= label < count:
        raise BadQuery(f"class must be between 0 and {count - 1}, got {label}")
    return label


@dataclass(frozen=True)
class Leaves:
    """The answer is no longer this label."""

    label: int

    def classes(self, count: int) -> frozenset[int]:
        return frozenset(range(count)) - {_known(self.label, count)}

    def __str__(self) -> str:
        return f"leaves:{self.label}"


@dataclass(frozen=True, init=False)
class Becomes:
    """The answer is one of these classes."""

    targets: tuple[int, ...]

    def __init__(self, *targets: int) -> None:
        if not targets:
            raise BadQuery("becomes: expected at least one class, got none")
        object.__setattr__(self, "targets", tuple(sorted({whole_number(target, "class") for target in targets})))

    def classes(self, count: int) -> frozenset[int]:
        return frozenset(_known(target, count) for target in self.targets)

    def __str__(self) -> str:
        return "becomes:" + ",".join(map(str, self.targets))


@dataclass(frozen=True)
class EachClass:
    """Every class is counted on its own; as a yes/no question it always happens."""

    def classes(self, count: int) -> frozenset[int]:
        return frozenset(range(count))

    def __str__(self) -> str:
        return "classes"


@dataclass(frozen=True, eq=False)
class Query:
    """What is asked: at how many points of the region does the event happen, and does it at all?"""

    network: Network
    region: Region
    event: Event

    def __post_init__(self) -> None:
        if not hasattr(self.event, "classes"):
            raise BadQuery(f"event: expected Leaves(c), Becomes(c, ...) or EachClass(), got {self.event!r}")
        if self.region.n != self.network.inputs:
            raise BadQuery(f"region: expected {self.network.inputs} bits, got {self.region.n}")
        self.event.classes(self.network.classes)

    @property
    def targets(self) -> frozenset[int]:
        """Return the classes that make the event happen."""
        return self.event.classes(self.network.classes)


def confirmed(query: Query, point: Bits) -> Witness:
    """Return point as a witness, or raise if the network itself disagrees with whoever named it."""
    label = query.network(point)
    if point not in query.region or label not in query.targets:
        raise WitnessRejected(
            f"expected a point of the region where {query.event} holds, "
            f"got class {label} at distance {query.region.distance(point)}"
        )
    flips = tuple(np.flatnonzero(point != query.region.center).tolist())
    return Witness(tuple(int(b) for b in point), flips, label)
