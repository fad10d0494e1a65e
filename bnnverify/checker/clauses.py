"""Whether a clause follows from the definitions of its variables: its negation, added up as weighted sums, must be impossible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from bnnverify.checker.linear import Linear, most

FEW = 5  # literals of a clause of which every choice of definitions is tried


def follows(clause: Sequence[int], definitions: Mapping[int, Linear], region: Linear) -> bool:
    """Return whether the clause is shown to hold at every point of the region, by one sum of definitions.

    Where it fails, all its literals are 0: the values of their variables are known, and so is whether each definition holds.
    """
    known = {abs(literal): int(literal < 0) for literal in clause}
    if any(known[abs(literal)] != int(literal < 0) for literal in clause):
        return True  # a literal and its opposite
    return any(most(statements, known) < 0 for statements in _choices(known, definitions, region))


def _choices(known: Mapping[int, int], definitions: Mapping[int, Linear], region: Linear) -> Iterator[list[Linear]]:
    """Yield statements that would hold together: first those of the variables that the largest one's definition does not use."""
    defined = {v: _side(definitions[v], known[v]) for v in sorted(known, reverse=True) if v in definitions}
    if not defined:
        return
    largest = definitions[next(iter(defined))].weights
    yield [statement for v, statement in defined.items() if v not in largest]
    yield [region, *defined.values()]
    if len(defined) <= FEW:
        for size in range(len(defined), 0, -1):
            yield from (list(chosen) for chosen in combinations(defined.values(), size))


def _side(definition: Linear, value: int) -> Linear:
    return (definition if value else definition.opposite).sharpened
