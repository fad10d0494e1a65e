"""Every class is asked about on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.problem.events.base import Setting, event


@dataclass(frozen=True)
class EachClass:
    """Every class is counted on its own; as a yes/no question it always happens."""

    each: ClassVar[bool] = True

    def posed(self, network: Network, center: Bits) -> tuple[Network, frozenset[int]]:  # noqa: ARG002 - the centre plays no part
        return network, frozenset(range(network.classes))

    def __str__(self) -> str:
        return "classes"


def says(text: str | None, predicted: int) -> tuple[str, str]:  # noqa: ARG001 - nothing follows a colon
    return "the answer", f"leaves {predicted}"


@event("classes", "classes", help="the points of each class are counted", says=says, decides=False)
def read(text: str | None, setting: Setting) -> EachClass | None:  # noqa: ARG001 - the same for all networks
    """Return the event; None where anything follows a colon."""
    return EachClass() if text is None else None
