"""What an event is: something that happens at a point, decided by the class that a network gives the point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from bnnverify.errors import BadQuery
from bnnverify.model.arrays import Bits, as_integer
from bnnverify.model.network import Network


class Event(Protocol):
    """Something that happens at some points of a region around a centre.

    One with an attribute `each` that is true asks for the count of every class of the network that decides, on its own.
    """

    def posed(self, network: Network, center: Bits) -> tuple[Network, frozenset[int]]:
        """Return the network whose class decides, and its classes at which the event happens. It has network's inputs."""

    def __str__(self) -> str:
        """Return the event's word on the command line."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What the words of an event may refer to: the network, the centre, and the other network that it is compared with."""

    network: Network
    center: Bits
    other: Network | None = None


Saying = Callable[[str | None, int], tuple[str, str]]
Reading = Callable[[str | None, Setting], Event | None]
Read = TypeVar("Read", bound=Reading)


@dataclass(frozen=True)
class Word:
    """One event on the command line. forms: how it may be written. read: makes the event.

    read gets what follows the colon (None: there is no colon) and returns None where that has no meaning. says gets the same
    and the class of the centre, and returns subject and predicate of a sentence. decides: whether it answers yes or no; False:
    it only says what is counted. compares: whether it needs another model.
    """

    name: str
    forms: tuple[str, ...]
    help: str
    says: Saying
    decides: bool
    compares: bool
    read: Reading


REGISTERED: dict[str, Word] = {}  # filled by the decorator alone, when the modules of this folder are imported


def event(
    name: str,
    *forms: str,
    help: str,  # noqa: A002 - the word of the command line
    says: Saying,
    decides: bool = True,
    compares: bool = False,
) -> Callable[[Read], Read]:
    """Return a decorator that registers the function that reads an event's words."""

    def register(read: Read) -> Read:
        REGISTERED[name] = Word(name, forms, help, says, decides, compares, read)
        return read

    return register


def known_class(label: int, network: Network) -> int:
    """Return label, or say that it is no class of the network."""
    label = as_integer(label, "class")
    if not 0 <= label < network.classes:
        raise BadQuery(f"class must be between 0 and {network.classes - 1}, got {label}")
    return label


def class_numbers(name: str, text: str) -> list[int]:
    """Return the classes that a comma list names, behind the name of an event."""
    labels = [label.strip() for label in text.split(",")]
    if not all(label.isdecimal() and len(label) <= 18 for label in labels):
        raise BadQuery(f"event: expected class numbers after {name}:, got {text[:60]!r}")
    return [int(label) for label in labels]
