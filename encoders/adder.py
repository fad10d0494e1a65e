"""The one binary adder: circuits, clauses and diagrams add weighted bits up alike, each with a full adder of its own.

A sum is columns of bits, one for each binary place. A full adder takes the first three bits of a column, puts their sum behind
the others and their carry into the next column, until each column holds one bit (carry-save adders; in clauses: the translation
to adders of Een and Sorensson, JSAT 2006).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Bit = TypeVar("Bit")


def binary_sum(
    terms: Iterable[tuple[int, Bit]], zero: Bit, full_adder: Callable[[Bit, Bit, Bit], tuple[Bit, Bit]]
) -> Iterator[Bit]:
    """Yield the binary digits of the sum of weight * bit over terms, no weight negative, lowest digit first.

    full_adder: from three bits to their sum and their carry; of two bits, the third is zero. The last column has no carry: all
    bits together make at most the sum of the weights.
    """
    terms = list(terms)
    columns: list[list[Bit]] = [[] for _ in range(sum(weight for weight, _ in terms).bit_length())]
    for weight, bit in terms:
        for place in range(weight.bit_length()):
            if weight >> place & 1:
                columns[place].append(bit)
    for place, column in enumerate(columns):
        while len(column) > 1:
            a, b, c = column[0], column[1], column[2] if len(column) > 2 else zero
            del column[:3]
            digit, carry = full_adder(a, b, c)
            column.append(digit)
            columns[place + 1].append(carry)
        yield column[0] if column else zero


def reaches(
    digits: Iterable[Bit], bound: int, one: Bit, both: Callable[[Bit, Bit], Bit], either: Callable[[Bit, Bit], Bit]
) -> Bit:
    """Return whether a binary number, lowest digit first, is at least bound, which is above 0 and has no more digits."""
    reached = one  # by the digits so far, the lower ones
    for place, digit in enumerate(digits):
        reached = both(digit, reached) if bound >> place & 1 else either(digit, reached)
    return reached
