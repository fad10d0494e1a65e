"""What the region decides is decided rightly, and what it leaves open is the same question."""

from __future__ import annotations

import numpy as np
import pytest

from bnnverify import Ball, Block, HammingBall, Head, Network
from bnnverify.encoders.presolve.presolve import presolve
from tests.support.zoo import ZOO


@pytest.mark.parametrize("seed", range(60))
def test_the_rest_answers_as_the_network_does(seed: int) -> None:
    random = np.random.default_rng(seed)
    n, m, classes = (int(k) for k in random.integers(1, 8, 3))
    first = Block(random.integers(-2, 3, (m, n)), random.integers(-4, 5, m))
    second = Block(random.integers(-2, 3, (m, m)), random.integers(-4, 5, m))
    head = Head(random.integers(-2, 3, (classes, m)), random.integers(-3, 4, classes), random.permutation(classes))
    network = Network((first, second), head)
    free = random.integers(0, 2, n).astype(bool)
    outer = int(random.integers(0, free.sum() + 1))
    region = Ball(random.integers(0, 2, n), free, int(random.integers(0, outer + 1)), outer)
    solved = presolve(network, region)
    assert solved.region.size == region.size
    for flips in solved.region.points():
        points = solved.points(flips)
        assert region.contains(points).all()
        assert np.array_equal(np.array(solved.classes)[solved.network(flips)], network(points))


def test_neurons_that_cannot_move_are_gone() -> None:
    # three flips move a sum of ten ones by three: bounds 4..6 stay 1, 7 to 10 can move, 11 stays 0
    center = np.ones(10, dtype=np.uint8)
    block = Block(np.ones((8, 10)), np.arange(4, 12))
    solved = presolve(Network((block,), Head(np.array([np.ones(8), np.zeros(8)]), [0, 6])), HammingBall(center, 3))
    assert solved.neurons == (8,)
    assert solved.live == (3,)  # 8, 9, 10: with 3 flips the sum is 7, and 7 >= 7


def test_classes_that_cannot_win_are_gone() -> None:
    head = Head([[1, 1], [0, 0], [0, 0]], [0, 1, 5], [0, 1, 2])
    solved = presolve(Network((), head), HammingBall([0, 0], 1))
    assert solved.classes == (2,)
    assert solved.decided


@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_a_decided_question_has_one_class(case) -> None:  # type: ignore[no-untyped-def]
    solved = presolve(case.network, case.region)
    if solved.decided:
        assert case.counts[solved.classes[0]] == case.region.size


def test_scores_close_to_the_largest_integers_stay_a_legal_head() -> None:
    head = Head([[2**59] * 6, [-(2**59)] * 6], [0, 0])
    network = Network((Block(np.eye(6), np.ones(6)),), head)
    solved = presolve(network, HammingBall([1] * 6, 1, free=[0, 1, 2]))
    assert solved.classes == (0,)
    assert Head(np.ones((2, 1000)), [2**55, 0]).classes == 2


def test_neurons_that_nothing_reads_are_gone() -> None:
    # the head gives both classes the same for neuron 2; block 1's neurons read 0 and 2 only, so 1 is read by nobody
    first = Block(np.eye(4), np.ones(4))
    second = Block([[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], [1, 1, 1])
    head = Head([[1, 0, 3], [0, 1, 3]], [0, 0])
    network = Network((first, second), head)
    solved = presolve(network, HammingBall(np.zeros(4), 4))
    assert solved.live == (2, 2)
    for flips in solved.region.points():
        assert np.array_equal(solved.network(flips), network(solved.points(flips)))
