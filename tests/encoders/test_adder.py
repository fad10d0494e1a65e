"""One adder for all: its digits are the sum, and it makes as few full adders as there can be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bnnverify.encoders.adder import binary_sum, reaches

TERMS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1)), max_size=9)


def full_adder(a: int, b: int, c: int) -> tuple[int, int]:
    return a ^ b ^ c, int(a + b + c >= 2)


@given(terms=TERMS, bound=st.integers(1, 400))
def test_digits_are_the_sum_and_reach_what_it_reaches(terms: list[tuple[int, int]], bound: int) -> None:
    total = sum(weight * bit for weight, bit in terms)
    digits = list(binary_sum(terms, 0, full_adder))
    assert sum(digit << place for place, digit in enumerate(digits)) == total
    assert len(digits) == sum(weight for weight, _ in terms).bit_length()
    if not bound >> len(digits):
        assert reaches(digits, bound, 1, int.__and__, int.__or__) == (total >= bound)


@given(terms=TERMS)
def test_each_full_adder_takes_one_bit_away(terms: list[tuple[int, int]]) -> None:
    made: list[tuple[int, int, int]] = []

    def counting(*three: int) -> tuple[int, int]:
        made.append(three)
        return full_adder(*three)

    digits = list(binary_sum(terms, 0, counting))
    ones = sum(weight.bit_count() for weight, _ in terms)
    assert len(made) <= ones
    assert len(digits) == sum(weight for weight, _ in terms).bit_length()


def test_nothing_adds_up_to_no_digits() -> None:
    assert list(binary_sum([], 0, full_adder)) == []
    assert list(binary_sum([(0, 1)], 0, full_adder)) == []
