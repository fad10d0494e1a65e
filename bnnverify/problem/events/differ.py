"""Two networks give different classes."""

from __future__ import annotations

from dataclasses import dataclass

from bnnverify.errors import BadQuery
from bnnverify.model.arrays import Bits
from bnnverify.model.combine import pair
from bnnverify.model.network import Network
from bnnverify.problem.events.base import Setting, event


@dataclass(frozen=True, eq=False)
class Differ:
    """The class is not the one that another network gives the same point.

    each: whether each pair of classes is to be counted on its own; else only how many points have an unequal one.
    """

    other: Network
    each: bool = False

    def posed(self, network: Network, center: Bits) -> tuple[Network, frozenset[int]]:  # noqa: ARG002 - the centre plays no part
        """Return both networks as one, whose classes are pairs; the event happens at the unequal ones."""
        if network.inputs != self.other.inputs:
            raise BadQuery(f"differ: expected another network of {network.inputs} inputs, got one of {self.other.inputs}")
        labels, others = range(network.classes), range(self.other.classes)
        return pair(network, self.other), frozenset(c * len(others) + k for c in labels for k in others if c != k)

    def __str__(self) -> str:
        return "differ"


def says(text: str | None, predicted: int) -> tuple[str, str]:  # noqa: ARG001 - nothing follows a colon
    return "the answer", "differs from the other model's"


@event("differ", "differ", help="the other model that is named gives another class", says=says, compares=True)
def read(text: str | None, setting: Setting) -> Differ | None:
    """Return the event; None where anything follows a colon."""
    if text is None and setting.other is None:
        raise BadQuery("event differ: expected another model to compare with, got none")
    return Differ(setting.other) if text is None and setting.other is not None else None
