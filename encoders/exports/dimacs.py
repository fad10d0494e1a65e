"""DIMACS CNF: clauses for SAT solvers and model counters."""

from __future__ import annotations

from collections.abc import Iterator

from bnnverify.encoders.clauses.cnf import Cnf
from bnnverify.encoders.exports.export import Export, built
from bnnverify.problem.query import Query


def lines(query: Query) -> Iterator[str]:
    """Yield comments, then the line that states the size, then the clauses."""
    cnf, sentences = built(query, Cnf.of, "{}")
    yield from (f"c {sentence}" for sentence in sentences)
    yield from cnf.dimacs()


EXPORT = Export("cnf", ".cnf", "clauses in the DIMACS format, for SAT solvers and model counters", lines)
