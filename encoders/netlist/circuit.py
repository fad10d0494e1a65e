"""A bit is a wire of a gate netlist: the source of the bit-parallel evaluator and of netlist exports.

A wire is a gate number times two, plus one when it is read inverted, so that inverters cost nothing and equal gates are found
whatever the polarity (and-inverter graphs with xor: Kuehlmann et al., "Robust Boolean reasoning", TCAD 2002, section III).
Sums are carry-save adder trees. A full adder is written with the exclusive ors of its inputs in front: sums over the same
bits with other signs then share those gates and differ in one and-gate only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum

from bnnverify.encoders.adder import binary_sum
from bnnverify.model.network import Head
from bnnverify.model.threshold import positive

Wire = int
FALSE, TRUE = 0, 1


class Op(IntEnum):
    """What a gate does with the plain (not inverted) values of its two operands."""

    INPUT = 0
    AND = 1
    AND_NOT = 2  # first and not second
    OR = 3
    XOR = 4


class Circuit:
    """A growing netlist, and the algebra of its wires. Gate 0 is the constant 0; no two gates are equal.

    gates: (op, a, b) by gate number; a and b are smaller gate numbers. check: called for each threshold; it may raise to end work
    that takes too long.
    """

    def __init__(self, check: Callable[[], None] = lambda: None) -> None:
        self._check = check
        self.gates: list[tuple[Op, int, int]] = [(Op.INPUT, 0, 0)]
        self._known: dict[tuple[Op, int, int], int] = {}

    def inputs(self, n: int) -> list[Wire]:
        first = len(self.gates)
        self.gates.extend((Op.INPUT, 0, 0) for _ in range(n))
        return [2 * gate for gate in range(first, first + n)]

    def negate(self, bit: Wire) -> Wire:
        return bit ^ 1

    def all(self, bits: Sequence[Wire]) -> Wire:
        level = list(bits)
        while len(level) > 1:  # a balanced tree: parts of one conjunction are found again in another
            level = [self.both(*level[i : i + 2]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
        return level[0] if level else TRUE

    def at_least(self, weights: Sequence[int], bits: Sequence[Wire], bound: int) -> Wire:
        """Return the carry out of the sum plus the complement of the bound: one adder tree, no comparator."""
        self._check()
        weights, bits, bound = positive(weights, bits, bound, self.negate)
        total = sum(weights)
        if bound <= 0 or bound > total:
            return TRUE if bound <= 0 else FALSE
        width = total.bit_length()
        number = self.total(weights, bits, 2**width - bound)
        return number[width] if len(number) > width else FALSE

    def both(self, a: Wire, b: Wire) -> Wire:
        """Return a and b."""
        if a > b:
            a, b = b, a
        if a == FALSE or a == b ^ 1:
            return FALSE
        if a in (TRUE, b):
            return b
        match a & 1, b & 1:
            case 0, 0:
                return 2 * self._gate(Op.AND, a >> 1, b >> 1)
            case 0, 1:
                return 2 * self._gate(Op.AND_NOT, a >> 1, b >> 1)
            case 1, 0:
                return 2 * self._gate(Op.AND_NOT, b >> 1, a >> 1)
            case _:
                return 2 * self._gate(Op.OR, a >> 1, b >> 1) + 1

    def either(self, a: Wire, b: Wire) -> Wire:
        """Return a or b."""
        return self.both(a ^ 1, b ^ 1) ^ 1

    def differ(self, a: Wire, b: Wire) -> Wire:
        """Return a exclusive-or b."""
        inverted, low, high = (a ^ b) & 1, *sorted((a >> 1, b >> 1))
        if low == high:
            return inverted
        return inverted ^ (2 * high if low == 0 else 2 * self._gate(Op.XOR, low, high))

    def majority(self, a: Wire, b: Wire, c: Wire) -> Wire:
        """Return whether at least two of three are 1."""
        a, b, c = sorted((a, b, c))
        if a <= TRUE:
            return self.either(b, c) if a == TRUE else self.both(b, c)
        if a >> 1 == b >> 1:
            return a if a == b else c
        if b >> 1 == c >> 1:
            return b if b == c else a
        return self.differ(a, self.both(self.differ(a, b), self.differ(a, c)))

    def choose(self, condition: Wire, yes: Wire, no: Wire) -> Wire:
        """Return yes where condition is 1, else no."""
        return self.differ(no, self.both(condition, self.differ(yes, no)))

    def total(self, weights: Sequence[int], bits: Sequence[Wire], start: int) -> list[Wire]:
        """Return start + the weighted sum as a binary number, lowest bit first; no weight is negative, start neither."""
        return list(binary_sum([*zip(weights, bits, strict=True), (start, TRUE)], FALSE, self._full_adder))

    def _full_adder(self, a: Wire, b: Wire, c: Wire) -> tuple[Wire, Wire]:
        return self.differ(self.differ(a, b), c), self.majority(a, b, c)

    def reaches(self, a: Sequence[Wire], b: Sequence[Wire]) -> Wire:
        """Return whether the binary number a >= the binary number b, lowest bits first."""
        carry = TRUE
        for i in range(max(len(a), len(b))):
            carry = self.majority(carry, a[i] if i < len(a) else FALSE, (b[i] if i < len(b) else FALSE) ^ 1)
        return carry

    def winners(self, head: Head, bits: Sequence[Wire]) -> list[Wire]:
        """Return for every class whether it is the answer: all scores once, then a knock-out tournament.

        Fewer gates than one threshold per pair of classes: the scores are sums over the same bits and share their adders.
        """
        rows = zip(head.weights.tolist(), head.offsets.tolist(), strict=True)
        parts = [positive(row, bits, -offset, self.negate) for row, offset in rows]
        least = min(-bound for _, _, bound in parts)
        totals = [self.total(weights, literals, -bound - least) for weights, literals, bound in (parts[c] for c in head.order)]
        field = [(total, {c: TRUE}) for c, total in zip(head.order.tolist(), totals, strict=True)]
        while len(field) > 1:
            pairs = [field[i : i + 2] for i in range(0, len(field), 2)]
            field = [self._match(*pair[0], *pair[1]) if len(pair) == 2 else pair[0] for pair in pairs]
        return [field[0][1][c] for c in range(head.classes)]

    def _match(
        self, left: list[Wire], lefts: dict[int, Wire], right: list[Wire], rights: dict[int, Wire]
    ) -> tuple[list[Wire], dict[int, Wire]]:
        """Return the larger number, and for each class whether it still leads; left comes first in rank and wins ties."""
        holds = self.reaches(left, right)
        width = max(len(left), len(right))
        left, right = left + [FALSE] * (width - len(left)), right + [FALSE] * (width - len(right))
        best = [self.choose(holds, yes, no) for yes, no in zip(left, right, strict=True)]
        still = {c: self.both(holds, wire) for c, wire in lefts.items()}
        return best, still | {c: self.both(holds ^ 1, wire) for c, wire in rights.items()}

    def _gate(self, op: Op, a: int, b: int) -> int:
        key = (op, a, b)
        if key not in self._known:
            self._known[key] = len(self.gates)
            self.gates.append(key)
        return self._known[key]
