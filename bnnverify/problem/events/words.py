"""Events by their words: each is written and read in a file of its own, and everything that lists events reads this list."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from bnnverify.errors import BadQuery
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.problem.events.base import REGISTERED, Event, Setting, Word


@cache
def words() -> dict[str, Word]:
    """Return all events by name, in alphabetical order; every module of this folder is imported for that."""
    package = __name__.rpartition(".")[0]
    for module in iter_modules(import_module(package).__path__, f"{package}."):
        import_module(module.name)
    return dict(sorted(REGISTERED.items()))


def event_help(*, counting: bool, comparing: bool = False) -> str:
    """Return the forms of all events about one model, with what each means.

    counting: those too that only say what is counted; comparing: those that need another model.
    """
    known = (word for word in words().values() if (comparing or not word.compares) and (counting or word.decides))
    return "; ".join(f"{' or '.join(word.forms)}: {word.help}" for word in known) + "."


def named_event(text: str, network: Network, center: Bits, other: Network | None = None) -> Event:
    """Return the event that text names; other is the network that `differ` compares with."""
    name, colon, rest = text.partition(":")
    word = words().get(name)
    found = None if word is None else word.read(rest if colon else None, Setting(network, center, other))
    if found is None:
        raise BadQuery(f"event: expected {_forms(list(words().values()))}, got {text[:60]!r}")
    return found


def decided_event(text: str, network: Network, center: Bits, other: Network | None = None) -> Event:
    """Return the event that text names, unless it only says what is counted."""
    word = words().get(text.partition(":")[0])
    if word is not None and not word.decides:
        forms = _forms([word for word in words().values() if word.decides])
        raise BadQuery(f"event: expected {forms}, got {word.name}, which is for counting")
    return named_event(text, network, center, other)


def clause(event: str, predicted: int) -> tuple[str, str]:
    """Return an event, as it writes itself, as subject and predicate of a sentence; predicted: the class of the centre."""
    name, colon, rest = event.partition(":")
    return words()[name].says(rest if colon else None, predicted)


def _forms(known: list[Word]) -> str:
    forms = [form for word in known for form in word.forms]
    return f"{', '.join(forms[:-1])} or {forms[-1]}"
