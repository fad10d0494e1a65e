"""How many latent bits can flip before the class changes: against the table of all codes, and on wide codes by reasoning."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnverify import Block, Budget, Head, Network
from bnnverify.queries.verbs.latent.tail_margin import tail_margin
from tests.support.drawn import networks
from tests.support.enumerated import tau
from tests.support.zoo import majority


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_the_margin_equals_enumeration(data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 7))
    tail = data.draw(networks(width))
    code = np.array(data.draw(st.lists(st.integers(0, 1), min_size=width, max_size=width)), dtype=np.uint8)
    copy = Network((Block(np.eye(width), np.ones(width)), *tail.blocks), tail.head)
    assert tail_margin(tail, code) == (tau(copy, tuple(code.tolist()), 1), True)


def test_62_bits() -> None:
    """Class 1 needs 40 more of 62 ones than there are: the 40th is one too many."""
    tail = Network((), Head([[0] * 62, [1] * 62], [39, 0]))
    assert tail_margin(tail, np.zeros(62, dtype=np.uint8)) == (39, True)
    heavy = Network((), Head([[0] * 62, [2**50] * 61 + [2**55]], [2**55, 0]))
    assert tail_margin(heavy, np.zeros(62, dtype=np.uint8)) == (1, True)  # the heavy one only ties, and class 0 wins ties


def test_a_tail_with_blocks() -> None:
    """20 of 31 ones: the class changes with the fifth that goes."""
    code = (np.arange(31) < 20).astype(np.uint8)
    assert tail_margin(majority(31), code) == (4, True)
    constant = Network((Block(np.ones((1, 5)), [6]),), Head([[0], [1]], [0, 0]))
    assert tail_margin(constant, np.zeros(5, dtype=np.uint8)) == (5, True)


def test_a_stopped_margin_is_a_lower_bound() -> None:
    random = np.random.default_rng(0)
    tail = Network((Block(random.choice([-1, 1], (60, 60)), np.zeros(60)),), Head(random.choice([-1, 1], (2, 60)), [40, 0]))
    margin, exact = tail_margin(tail, np.zeros(60, dtype=np.uint8), budget=Budget(seconds=0.0))
    assert not exact
    assert margin == 0
