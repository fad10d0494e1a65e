"""OPB, the format of the pseudo-Boolean competitions: linear rows over 0/1 variables."""

from __future__ import annotations

from collections.abc import Iterator

from bnnverify.encoders.clauses.pseudo_boolean import Rows
from bnnverify.encoders.exports.export import Export, built
from bnnverify.problem.query import Query


def lines(query: Query) -> Iterator[str]:
    """Yield the line that states the size, which comes first in this format, then comments, then the rows."""
    rows, sentences = built(query, Rows.of, "x{}")
    size, *body = rows.opb()
    yield size
    yield from (f"* {sentence}" for sentence in sentences)
    yield from body


EXPORT = Export("opb", ".opb", "linear rows in the OPB format, for pseudo-Boolean solvers", lines)
