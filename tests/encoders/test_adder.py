"""One adder for all: its digits are the sum, and it makes as few full adders as there can be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bnnverify.encoders.adder import binary_sum, reaches
from bnnverify.encoders.clauses.cardinality import adder
from bnnverify.encoders.clauses.cnf import Cnf
from bnnverify.encoders.netlist.circuit import Circuit

TERMS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1)), max_size=9)


def full_adder(a: int, b: int, c: int) -> tuple[int, int]:
    return a ^ b ^ c, int(a + b + c >= 2)


@given(terms=TERMS, bound=st.integers(1, 400))
def test_digits_are_the_sum_and_reach_the_same_bounds(terms: list[tuple[int, int]], bound: int) -> None:
    total = sum(weight * bit for weight, bit in terms)
    digits = list(binary_sum(terms, 0, full_adder))
    assert sum(digit << place for place, digit in enumerate(digits)) == total
    assert len(digits) == sum(weight for weight, _ in terms).bit_length()
    if not bound >> len(digits):
        assert reaches(digits, bound, 1, int.__and__, int.__or__) == (total >= bound)


@given(count=st.integers(0, 200))
def test_one_full_adder_for_each_bit_that_the_sum_has_fewer(count: int) -> None:
    """Each adder, of two bits or three, leaves one bit fewer; in the end there are the ones of the binary form of count."""
    made: list[tuple[int, int, int]] = []

    def counting(*three: int) -> tuple[int, int]:
        made.append(three)
        return full_adder(*three)

    list(binary_sum([(1, 1)] * count, 0, counting))
    assert len(made) == count - count.bit_count()


def test_gates_and_clauses_of_one_row() -> None:
    """As many as when each encoder had an adder of its own."""
    weights, mixed = [1, -1] * 24, [3, 5, -7, 9, 2, 2, -4, 1, 6]
    for row, bound, gates, clauses in ((weights, 1, 218, 627), (mixed, 5, 48, 146)):
        circuit, cnf = Circuit(), Cnf(encoding=adder)
        inputs, literals = circuit.inputs(len(row)), cnf.inputs(len(row))
        circuit.at_least(row, inputs, bound)
        cnf.at_least(row, literals, bound)
        assert len(circuit.gates) - len(row) - 1 <= gates
        assert len(cnf.clauses) <= clauses


def test_nothing_adds_up_to_no_digits() -> None:
    assert list(binary_sum([], 0, full_adder)) == []
    assert list(binary_sum([(0, 1)], 0, full_adder)) == []
