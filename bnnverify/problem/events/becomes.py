"""The class is one of some given ones."""

from __future__ import annotations

from dataclasses import dataclass

from bnnverify.errors import BadQuery
from bnnverify.model.arrays import Bits, as_integer
from bnnverify.model.network import Network
from bnnverify.problem.events.base import Setting, class_numbers, event, known_class


@dataclass(frozen=True, init=False)
class Becomes:
    """The class is one of these targets."""

    targets: tuple[int, ...]

    def __init__(self, *targets: int) -> None:
        if not targets:
            raise BadQuery("becomes: expected at least one class, got none")
        object.__setattr__(self, "targets", tuple(sorted({as_integer(target, "class") for target in targets})))

    def posed(self, network: Network, center: Bits) -> tuple[Network, frozenset[int]]:  # noqa: ARG002 - the centre plays no part
        return network, frozenset(known_class(target, network) for target in self.targets)

    def __str__(self) -> str:
        return "becomes:" + ",".join(map(str, self.targets))


def says(text: str | None, predicted: int) -> tuple[str, str]:  # noqa: ARG001 - the centre's class plays no part
    return "the answer", f"becomes {' or '.join((text or '').split(','))}"


@event("becomes", "becomes:C", "becomes:C,C,...", help="the class is C, or one of several", says=says)
def read(text: str | None, setting: Setting) -> Becomes | None:  # noqa: ARG001 - whether these classes exist, the query checks
    """Return the event; None where no class is named."""
    return None if text is None else Becomes(*class_numbers("becomes", text))
