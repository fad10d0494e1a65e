"""The constraints of a claim: weighted sums of input bits that must reach a bound, checked by arithmetic of the checker's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import Rejected
from bnnverify.model.arrays import LARGEST_SUM, Bits


@dataclass(frozen=True)
class Rule:
    """The sum of weights[i] * bit i is at least bound."""

    weights: dict[int, int]
    bound: int

    @property
    def row(self) -> list[int]:
        """Return it as JSON has it."""
        return [self.bound, *(number for position, weight in self.weights.items() for number in (weight, position))]

    def holds(self, points: Bits) -> NDArray[np.bool_]:
        """Return at which points, (N, inputs), it holds: (N,)."""
        weights = np.array(list(self.weights.values()), dtype=np.int64)
        return np.asarray(points[:, list(self.weights)].astype(np.int64) @ weights >= self.bound)


def rules_of(found: object, inputs: int, name: str) -> tuple[Rule, ...]:
    """Return the rules in this JSON, rows of bound, weight, position, weight, position, ...; Rejected where it is malformed."""
    if not isinstance(found, list) or not found:
        raise Rejected(f"{name}: expected constraints as a list of rows, or no constraints at all")
    return tuple(_rule(row, inputs, name) for row in found)


def _rule(row: object, inputs: int, name: str) -> Rule:
    if not isinstance(row, list) or len(row) % 2 == 0 or any(type(number) is not int for number in row):
        raise Rejected(f"{name}: expected a constraint as bound, weight, position, weight, position, ..., got {str(row)[:40]}")
    positions = row[2::2]
    if positions != sorted(set(positions)) or not set(positions) <= set(range(inputs)):
        raise Rejected(f"{name}: expected constraints with ascending positions between 0 and {inputs - 1}, got {positions[:20]}")
    if sum(map(abs, row[1::2])) >= LARGEST_SUM or abs(row[0]) >= LARGEST_SUM:
        raise Rejected(f"{name}: expected constraints with sums below 2^62, got larger ones")
    return Rule(dict(zip(positions, row[1::2], strict=True)), row[0])


def all_hold(rules: tuple[Rule, ...], points: Bits) -> NDArray[np.bool_]:
    """Return at which points, (N, inputs), every rule holds: (N,)."""
    inside = np.ones(len(points), dtype=np.bool_)
    for rule in rules:
        inside &= rule.holds(points)
    return inside
