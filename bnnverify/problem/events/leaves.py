"""The class is no longer a given one."""

from __future__ import annotations

from dataclasses import dataclass

from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.problem.events.base import Setting, class_numbers, event, known_class


@dataclass(frozen=True)
class Leaves:
    """The class is any but this label."""

    label: int

    def posed(self, network: Network, center: Bits) -> tuple[Network, frozenset[int]]:  # noqa: ARG002 - the centre's code plays no part
        return network, frozenset(range(network.classes)) - {known_class(self.label, network)}

    def __str__(self) -> str:
        return f"leaves:{self.label}"


def says(text: str | None, predicted: int) -> tuple[str, str]:
    return "the answer", f"leaves {text or predicted}"


@event("leaves", "leaves", "leaves:C", help="the class is not C, by default the class of the input", says=says)
def read(text: str | None, setting: Setting) -> Leaves | None:
    """Return the event; None where several classes are named."""
    if text is None:
        return Leaves(setting.network(setting.center))
    labels = class_numbers("leaves", text)
    return Leaves(labels[0]) if len(labels) == 1 else None
