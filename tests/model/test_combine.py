"""Two networks as one: it answers what both answer, and shared neurons are there once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnverify import BadModel, Block, Head, Network
from bnnverify.model.combine import pair
from tests.support.drawn import networks
from tests.support.enumerated import every_input
from tests.support.zoo import majority, parity, tie


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_pair_answers_both(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 7))
    a, b = data.draw(networks(n)), data.draw(networks(n))
    both = pair(a, b)
    points = every_input(n)
    assert both(points).tolist() == (a(points) * b.classes + b(points)).tolist()
    assert len(both.blocks) == max(len(a.blocks), len(b.blocks))


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_shared_neurons_are_there_once(data: st.DataObject) -> None:
    a = data.draw(networks(6).filter(lambda network: bool(network.blocks)))
    twice = pair(a, a)
    for mine, joint in zip(a.blocks, twice.blocks, strict=True):
        assert joint.outputs <= mine.outputs
    points = every_input(6)
    assert twice(points).tolist() == (a(points) * (a.classes + 1)).tolist()


def test_one_new_neuron_is_one_more() -> None:
    a = parity(5)
    b = Network((Block(np.vstack([a.blocks[0].weights[:3], np.eye(1, 5)]), [1, 2, 3, 1]),), Head(np.ones((2, 4)), [0, 1]))
    assert pair(a, b).widths == (5, 6, 4)


def test_depths_are_made_equal() -> None:
    deep = Network((*majority(5).blocks, Block([[-1], [1]], [0, 1])), Head([[1, 0], [0, 2]], [0, 0]))
    points = every_input(5)
    for a, b in ((tie(5), deep), (deep, tie(5)), (majority(5), deep)):
        assert pair(a, b)(points).tolist() == (a(points) * b.classes + b(points)).tolist()
    assert pair(majority(5), deep).widths == (5, 1, 2, 4)  # the bit handed on is a neuron that the deep one has


def test_a_block_without_neurons() -> None:
    """Nothing is left to tell inputs apart: each network gives all of them its first class."""
    empty = Network((Block(np.zeros((0, 3), dtype=int), np.zeros(0, dtype=int)),), Head(np.zeros((2, 0), dtype=int), [0, 0]))
    both = pair(empty, empty)
    assert (both.classes, set(both(every_input(3)).tolist())) == (4, {0})


def test_large_scores_are_refused_or_right() -> None:
    def scaled(size: int) -> Network:
        return Network((Block(np.eye(2), [1, 1]),), Head([[size, 0], [0, size]], [0, 1]))

    points = every_input(2)
    large = scaled(2**60)
    assert pair(large, large)(points).tolist() == (3 * large(points)).tolist()
    with pytest.raises(BadModel, match=r"pair: expected scores that stay below 2\^62"):
        pair(scaled(2**61), scaled(2**61))


def test_pairs_that_do_not_fit() -> None:
    with pytest.raises(BadModel, match="equally many inputs, got 5 and 6"):
        pair(majority(5), majority(6))
    with pytest.raises(BadModel, match="with a head"):
        pair(majority(5), majority(5).prefix(1))
