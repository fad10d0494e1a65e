"""Questions become files for other programs here: one file per target, and this registry of them.

A new target is one more file in this folder with an EXPORT; it is found by being there.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from bnnverify.encoders.exports.export import Export
from bnnverify.errors import BadQuery
from bnnverify.problem.query import Query

__all__ = ["EXPORTS", "Export", "exported"]


def _found() -> Iterator[Export]:
    for module in iter_modules(__path__):
        export = getattr(import_module(f"{__name__}.{module.name}"), "EXPORT", None)
        if isinstance(export, Export):
            yield export


EXPORTS = {export.name: export for export in _found()}


def exported(query: Query, name: str) -> Iterator[str]:
    """Return the lines of a file that has a solution exactly when query.event happens somewhere in query.region.

    name: one of EXPORTS. Each point where the event happens is exactly one solution, in its flip variables. What presolve
    decides has no variables: a constant neuron is no part of the file. Raises BadQuery for other names.
    """
    if name not in EXPORTS:
        raise BadQuery(f"format must be one of {', '.join(EXPORTS)}, got {name!r}")
    return EXPORTS[name].lines(query)
