"""Questions: a network, a region, and an event that happens at some of its points."""

from __future__ import annotations

from dataclasses import dataclass

from bnnverify.errors import BadQuery
from bnnverify.model.network import Network
from bnnverify.problem.event import Event
from bnnverify.problem.region import Region


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
    def decider(self) -> Network:
        """Return the network whose class decides whether the event happens."""
        return self.network

    @property
    def targets(self) -> frozenset[int]:
        """Return the classes that make the event happen."""
        return self.event.classes(self.network.classes)
