"""The engines by name: each registers itself where it is written, and everything that lists engines reads this list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

from bnnverify.encoders.presolve.presolve import Open
from bnnverify.errors import BadQuery
from bnnverify.queries.engines.base import Ability, Bid, Engine

AUTO = "auto"  # in place of a name: the planner chooses

Bidding = Callable[[Open, bool, float], Bid | None]
Ranking = Callable[[Open], int | None]
Made = TypeVar("Made", bound=Callable[..., Engine])


@dataclass(frozen=True)
class Registered:
    """One engine. make: makes it, with `workers` where its ability says that it uses cores. help: half a sentence.

    bid: what it expects of an open question, to count or (False) to decide, on a machine that takes `slowness` times as long as
    the one where its constants were measured; None where it should not be chosen.
    evidence: its place among the engines whose "nowhere" others can check, the smallest is asked first; None: not for this one.
    """

    name: str
    help: str
    ability: Ability
    make: Callable[..., Engine]
    bid: Bidding
    evidence: Ranking

    def open(self, workers: int = 1) -> Engine:
        """Return a running engine; MissingExtra where it needs a package that is not installed."""
        return self.make(workers=workers) if self.ability.cores else self.make()


_REGISTERED: dict[str, Registered] = {}  # filled by the decorator alone, when the modules of this folder are imported


def never(question: Open, counting: bool, slowness: float) -> None:
    """Make no bid: the engine is for those who ask for it by name."""


def no_evidence(question: Open) -> None:
    """Take no part in proofs."""


def engine(
    name: str,
    *,
    help: str,  # noqa: A002 - the word of the command line
    ability: Ability,
    bid: Bidding = never,
    evidence: Ranking = no_evidence,
) -> Callable[[Made], Made]:
    """Return a decorator that registers an engine class, or a function that makes an engine, under this name."""

    def register(make: Made) -> Made:
        _REGISTERED[name] = Registered(name, help, ability, make, bid, evidence)
        return make

    return register


@cache
def engines() -> dict[str, Registered]:
    """Return all engines by name, in alphabetical order; every module of this folder is imported for that."""
    package = __name__.rpartition(".")[0]
    for module in iter_modules(import_module(package).__path__, f"{package}."):
        import_module(module.name)
    return dict(sorted(_REGISTERED.items()))


def named(name: str) -> Registered:
    """Return the engine of this name; BadQuery names those that there are."""
    if name not in engines():
        raise BadQuery(f"engine must be one of {', '.join(choices())}, got {name!r}")
    return engines()[name]


def choices() -> tuple[str, ...]:
    """Return what may be asked for: auto, then every engine's name."""
    return (AUTO, *engines())
