"""Events: what may happen at a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bnnverify.errors import BadQuery
from bnnverify.problem.region import as_integer


class Event(Protocol):
    """Something that happens at a point, decided by the class alone."""

    def classes(self, count: int) -> frozenset[int]:
        """Return which of the classes 0..count-1 make the event happen."""


def _known(label: int, count: int) -> int:
    label = as_integer(label, "class")
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
        object.__setattr__(self, "targets", tuple(sorted({as_integer(target, "class") for target in targets})))

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
