"""Everything that finished work depends on: work of another fingerprint is never continued."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bnnverify.queries.storage.exact_json import from_text, to_text

LONGEST = 40  # characters of a name or value that a message shows
Groups = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Fingerprint:
    """Everything that finished work depends on, by name.

    names: the verb, the model's SHA-256, the radius, ...: work continues where both sides have the same names and values.
    growing: groups of names, such as the models and the samples of a comparison: each side may have members that the other has
    not, but no member has two values.
    """

    names: Mapping[str, Any]
    growing: Groups = field(default_factory=dict)

    @classmethod
    def parsed(cls, text: str) -> Fingerprint:
        """Return the fingerprint with this text; ValueError, TypeError or AttributeError for other text."""
        names, growing = from_text(text)
        return cls(dict(names), {group: dict(members) for group, members in growing.items()})

    @cached_property
    def text(self) -> str:
        """The fingerprint as one text, the same for equal ones."""
        return to_text([self.names, self.growing])

    def difference(self, found: Fingerprint) -> str:
        """Return the first difference of the found work, as a sentence; an empty one where that work may continue."""
        return next(self._differences(found), "")

    def joined(self, found: Fingerprint) -> Fingerprint:
        """Return the fingerprint with the members of both, which do not differ."""
        return Fingerprint(self.names, {name: {**found.growing[name], **members} for name, members in self.growing.items()})

    def checksum(self, key: object, value: object) -> str:
        """Return the SHA-256 of a row of this work."""
        return hashlib.sha256(ascii((self.text, key, value)).encode()).hexdigest()

    def _differences(self, found: Fingerprint) -> Iterator[str]:
        yield from _unequal(self.names, found.names)
        yield from _unequal(dict.fromkeys(self.growing), dict.fromkeys(found.growing))
        for group, members in self.growing.items():
            others = found.growing[group]
            shared = [name for name in members if name in others]
            yield from _unequal({name: members[name] for name in shared}, {name: others[name] for name in shared}, f"{group} ")


def _unequal(own: Mapping[str, Any], found: Mapping[str, Any], group: str = "") -> Iterator[str]:
    """Yield a sentence for each name that is on one side only or has two values."""
    for name in [*own, *(name for name in found if name not in own)]:
        ours, theirs = (to_text([values[name]]) if name in values else None for values in (own, found))
        if ours != theirs:
            expected, got = (_shown(group + name, values.get(name)) for values in (own, found))
            if ours is None:
                expected = f"nothing called {_short(name)}"
            elif theirs is None:
                got = f"nothing called {_short(name)}"
            yield f"expected finished work with {expected}, got a file with {got}"


def _shown(name: str, value: Any) -> str:
    return f"{_short(name)} {_short(value)}"


def _short(value: Any) -> str:
    """Return a value for a message: in ASCII, without quotes at its ends, and not long."""
    return to_text(value).strip('"')[:LONGEST]
