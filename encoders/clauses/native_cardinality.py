"""Thresholds that the solver counts itself: each bit is defined in both directions by two at-most constraints on literals.

A solver of the MiniCard family (Liffiton and Maglalang, SAT 2012) takes "at most k of these literals" as one constraint. It
has no way to define a literal by it, but a literal may be listed several times, and then counts as often:

    out -> at least b of n     at most n of (the n literals negated, out b times)
    -out -> at most b - 1      at most n of (the n literals, -out n - b + 1 times)

So rows of equal weights need no clauses and one variable. Rows of other weights repeat literals as well, up to LONGEST of them
together; beyond, they get clauses.
"""

from __future__ import annotations

from bnnverify.encoders.clauses.cardinality import Clauses, Terms, by_width

LONGEST = 4096  # literals of one constraint


def native(clauses: Clauses, terms: Terms, bound: int) -> int:
    """Return the literal of terms >= bound, from two at-most constraints; the solver must read these."""
    total = sum(weight for weight, _ in terms)
    if total > LONGEST:
        return by_width(clauses, terms, bound)
    literals = [literal for weight, literal in terms for _ in range(weight)]
    out = clauses.gate(("native", terms, bound), lambda _: [])
    clauses.at_most([*(-literal for literal in literals), *[out] * bound], total)
    clauses.at_most([*literals, *[-out] * (total - bound + 1)], total)
    return out
