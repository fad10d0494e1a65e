"""Weighted thresholds as clauses: three encodings, and a choice between them, behind one shape of function.

`(clauses, terms, bound) -> literal`: the literal is 1 exactly when the sum of the terms reaches the bound. Every auxiliary
variable is defined in both directions: each setting of the inputs extends to exactly one model, so counts over the inputs are
right. terms are (weight, literal) pairs as `normal` leaves them: weights positive, every variable once, no constants; and
0 < bound <= the sum of the weights.

    totalizer   a tree of unary sums, built only where its parent needs them. Bailleux and Boufkhad, CP 2003; with weights: Joshi,
                Martins and Manquinho, CP 2015 (generalized totalizer)
    diagram     a decision diagram over how much of the bound is missing. Een and Sorensson, JSAT 2006 (translation to BDDs)
    adder       full adders to a binary number, then one comparison. Een and Sorensson, JSAT 2006 (translation to adders)

`by_width` is the default: a totalizer unless its sums are too many. Measured in docs/cnf.md.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import accumulate, combinations, product
from math import prod
from typing import Protocol

from bnnverify.encoders.adder import binary_sum, reaches
from bnnverify.model.threshold import normal_weights, positive

Clause = Sequence[int]
Terms = tuple[tuple[int, int], ...]

TRUE = 1  # variable 1 is the constant; its negation is false
FALSE = -TRUE
WIDEST = 1024  # different sums that a totalizer may be given


class Clauses(Protocol):
    """Where encodings write: gates are defined once and found again by their key."""

    def gate(self, key: Hashable, clauses: Callable[[int], Iterable[Clause]]) -> int:
        """Return the literal of this key; clauses(literal) defines it the first time."""

    def all(self, bits: Sequence[int]) -> int:
        """Return a literal that is 1 exactly when all bits are."""

    def any(self, bits: Sequence[int]) -> int:
        """Return a literal that is 1 exactly when some bit is."""

    def at_most(self, literals: Sequence[int], most: int) -> None:
        """Require that at most so many of these literals are 1; a literal that is listed twice counts twice."""


Encoding = Callable[[Clauses, Terms, int], int]


def gathered(terms: Iterable[tuple[int, int]], bound: int) -> tuple[Terms, int]:
    """Return the same threshold with positive weights, every variable once, ascending, and no constants."""
    weights: dict[int, int] = {}
    for weight, literal in terms:
        if literal < 0:
            bound -= weight
        weights[abs(literal)] = weights.get(abs(literal), 0) + (weight if literal > 0 else -weight)
    bound -= weights.pop(TRUE, 0)
    variables = sorted(weights)
    sizes, literals, bound = positive((weights[v] for v in variables), variables, bound, int.__neg__)
    return tuple(zip(sizes, literals, strict=True)), bound


def normal(terms: Terms, bound: int) -> tuple[Terms, int, bool]:
    """Return the threshold in normal form, or its negation, with the smallest bound: terms, bound, negated.

    Of a threshold and its mirror image (not enough zeros) the one with the smaller bound is returned, so that both are found
    under the same key.
    """
    if not 0 < bound <= sum(w for w, _ in terms):  # a constant
        return terms, bound, False
    weights, bound = normal_weights([w for w, _ in terms], bound)
    mirror, starts_negated = sum(weights) - bound + 1, terms[0][1] < 0
    if (bound, starts_negated) <= (mirror, not starts_negated):
        return tuple((w, v) for w, (_, v) in zip(weights, terms, strict=True)), bound, False
    return tuple((w, -v) for w, (_, v) in zip(weights, terms, strict=True)), mirror, True


def totalizer(clauses: Clauses, terms: Terms, bound: int) -> int:
    """Return the literal of terms >= bound, from a tree of unary sums."""
    return _Sum(clauses, terms, bound).reaches(bound)


class _Sum:
    """A node of the totalizer: uses of its two parts only the sums that it needs itself. sums: those that terms can take."""

    def __init__(self, clauses: Clauses, terms: Terms, largest: int) -> None:
        self._clauses, self._terms = clauses, terms
        self._known: dict[int, int] = {}
        sums = {0}
        for weight, times in Counter(w for w, _ in terms).items():
            sums = {min(s + weight * k, largest) for s in sums for k in range(times + 1)}
        self.sums = sorted(sums)  # none above largest is needed
        middle = len(terms) // 2
        self._parts = tuple(_Sum(clauses, part, largest) for part in (terms[:middle], terms[middle:])) if middle else ()

    def reaches(self, bound: int) -> int:
        """Return the literal that is 1 exactly when this sum is at least bound."""
        i = bisect_left(self.sums, bound)
        if i == 0:
            return TRUE
        if i == len(self.sums):
            return FALSE
        if not self._parts:
            return self._terms[0][1]
        bound = self.sums[i]
        if bound not in self._known:
            self._known[bound] = self._clauses.gate(("sum", self._terms, bound), lambda out: self._define(bound, out))
        return self._known[bound]

    def _define(self, bound: int, out: int) -> Iterator[Clause]:
        left, right = self._parts
        first = max(0, bisect_left(left.sums, bound - right.sums[-1]) - 1)  # below, the right part cannot make up for it
        for part in left.sums[first : bisect_left(left.sums, bound) + 1]:
            rest = right.reaches(bound - part)
            yield -left.reaches(part), -rest, out
            yield left.reaches(part + 1), rest, -out


def diagram(clauses: Clauses, terms: Terms, bound: int) -> int:
    """Return the literal of terms >= bound, from a decision diagram: large weights are tested first."""
    ordered = sorted(terms, reverse=True, key=lambda term: term[0])
    rests = [*accumulate((w for w, _ in reversed(ordered)), initial=0)][::-1]
    missing = [{bound}]
    for (weight, _), rest in zip(ordered, rests[1:], strict=True):
        missing.append({less for need in missing[-1] for less in (need, need - weight) if 0 < less <= rest})
    below: dict[int, int] = {}

    def reached(need: int, rest: int) -> int:
        return TRUE if need <= 0 else FALSE if need > rest else below[need]

    for i in reversed(range(len(ordered))):
        weight, literal = ordered[i]
        rest = rests[i + 1]
        below = {need: _branch(clauses, literal, reached(need - weight, rest), reached(need, rest)) for need in missing[i]}
    return reached(bound, rests[0])


def _branch(clauses: Clauses, test: int, then: int, other: int) -> int:
    """Return the literal of "other, or test and then", where other implies then."""
    if then == other or other == TRUE:
        return other
    if then == TRUE:
        return clauses.any([test, other])
    if other == FALSE:
        return clauses.all([test, then])
    return clauses.gate(
        ("branch", test, then, other), lambda out: [(-other, out), (-test, -then, out), (then, -out), (test, other, -out)]
    )


def adder(clauses: Clauses, terms: Terms, bound: int) -> int:
    """Return the literal of terms >= bound, from a binary sum."""
    digits = binary_sum(terms, FALSE, lambda *three: (_parity(clauses, *three), _majority(clauses, *three)))
    return reaches(digits, bound, TRUE, lambda a, b: clauses.all([a, b]), lambda a, b: clauses.any([a, b]))


def _parity(clauses: Clauses, *bits: int) -> int:
    def define(out: int) -> Iterator[Clause]:
        for signs in product((1, -1), repeat=len(bits)):
            value = signs.count(-1) % 2  # a clause excludes the setting in which every literal of it is 0
            yield *(s * bit for s, bit in zip(signs, bits, strict=True)), out if value else -out

    return clauses.gate(("parity", *bits), define)


def _majority(clauses: Clauses, *bits: int) -> int:
    def define(out: int) -> Iterator[Clause]:
        for one, two in combinations(bits, 2):
            yield from ((-one, -two, out), (one, two, -out))

    return clauses.gate(("majority", *bits), define)


def by_width(clauses: Clauses, terms: Terms, bound: int) -> int:
    """Return the literal of terms >= bound: from a totalizer, or where its sums could be too many, from an adder."""
    sums = prod(times + 1 for times in Counter(w for w, _ in terms).values())
    return (totalizer if min(sums, bound) <= WIDEST else adder)(clauses, terms, bound)


ENCODINGS: dict[str, Encoding] = {"by-width": by_width, "totalizer": totalizer, "diagram": diagram, "adder": adder}
