"""Questions: a network, a region, and an event that happens at some of its points."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bnnverify.errors import BadQuery
from bnnverify.model.network import Network
from bnnverify.problem.events.base import Event
from bnnverify.problem.region import Region


@dataclass(frozen=True, eq=False)
class Query:
    """At how many points of the region does the event happen, and does it happen at any?

    The event is posed once, at the region's centre: decider is the network whose class decides, and targets are its classes at
    which the event happens. The decider has the inputs of the network, but may be another one.
    """

    network: Network
    region: Region
    event: Event
    decider: Network = field(init=False, repr=False)
    targets: frozenset[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not hasattr(self.event, "posed"):
            raise BadQuery(f"event: expected Leaves(c), Becomes(c, ...), EachClass() or another event, got {self.event!r}")
        _ = self.network.classes  # BadModel without a head: every witness has a class
        self._check(self.region)
        decider, targets = self.event.posed(self.network, self.region.center)
        object.__setattr__(self, "decider", decider)
        object.__setattr__(self, "targets", targets)

    def _check(self, region: Region) -> None:
        if region.n != self.network.inputs:
            raise BadQuery(f"region: expected {self.network.inputs} bits, got {region.n}")

    def over(self, region: Region) -> Query:
        """Return this question about another region; the event stays what it is at this region's centre."""
        self._check(region)
        question = copy(self)
        object.__setattr__(question, "region", region)
        return question

    def happens(self, points: ArrayLike) -> Any:
        """Return whether the event happens at one point (n,), as a bool, or at each of many (k, n), as an array (k,)."""
        classes = self.decider(points)
        return classes in self.targets if isinstance(classes, int) else np.isin(classes, list(self.targets))
