"""A limit on costs as a neuron: the same class within it, one more class beyond, whatever engine reads it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from bnnverify import BadModel, Block, Head, Network, Query, Subcube
from bnnverify.encoders.presolve.cost_limit import with_cost_limit
from bnnverify.problem.cost import Cost
from bnnverify.problem.events.each_class import EachClass
from bnnverify.queries.verbs.count import count

HUGE = 2**40


def network(seed: int, n: int) -> Network:
    """Return a random network of 0 to 2 blocks whose rows have weights of several sizes."""
    random, blocks, width = np.random.default_rng(seed), [], n
    for outputs in ([], [6], [7, 5])[seed % 3]:
        weights = random.integers(-2, 3, (outputs, width)) * random.choice((1, 3), (outputs, width))
        blocks.append(Block(weights, random.integers(-2, 4, outputs)))
        width = outputs
    return Network(tuple(blocks), Head(random.integers(-3, 4, (3, width)), random.integers(-2, 3, 3), random.permutation(3)))


@pytest.mark.parametrize("seed", range(36))
def test_beyond_the_limit_there_is_one_more_class(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 9))
    net, center = network(seed, n), random.integers(0, 2, n).astype(np.uint8)
    cost = Cost(random.integers(1, (4, 30, HUGE)[seed % 3], n, endpoint=True), random.random(n) < 0.8)
    points = np.array(list(product((0, 1), repeat=n)), dtype=np.uint8)
    points = points[~((points != center) & ~cost.possible).any(axis=1)]
    prices = [cost.of(np.flatnonzero(point != center).tolist()) for point in points]
    for limit in {0, *prices}:
        want = [label if price <= limit else 3 for label, price in zip(net(points).tolist(), prices, strict=True)]
        limited = with_cost_limit(net, center, cost, limit)
        assert limited(points).tolist() == want
    shares = count(Query(limited, Subcube(center, cost.possible), EachClass()), engine="bits").counts
    assert [share.low for share in shares] == [want.count(c) for c in range(4)]


def test_scores_that_are_equal_everywhere_lose_only_beyond_the_limit() -> None:
    flat = Network((), Head(np.zeros((2, 3)), [4, 4]))
    limited = with_cost_limit(flat, np.zeros(3, dtype=np.uint8), Cost(np.array([1, 2, 4]), np.ones(3, dtype=np.bool_)), 3)
    assert limited(np.array([[0, 0, 0], [1, 1, 0], [0, 0, 1]])).tolist() == [0, 0, 2]


def test_neurons_that_the_limit_cannot_move_are_constants() -> None:
    both = Block(np.array([[1, 1, 1, 1], [1, 1, 1, 1], [-1, -1, -1, -1]]), np.array([2, 3, -1]))
    net = Network((both,), Head(np.eye(2, 3, dtype=np.int64), [0, 0]))
    cost = Cost(np.array([1, 2, 4, 8]), np.ones(4, dtype=np.bool_))
    first = with_cost_limit(net, np.zeros(4, dtype=np.uint8), cost, 6).blocks[0]  # two flips at most: 1 + 2, 1 + 4 or 2 + 4
    assert first.weights[:3].any(axis=1).tolist() == [True, False, True]
    assert first.bounds[1] == 1
    tight = with_cost_limit(net, np.zeros(4, dtype=np.uint8), cost, 2).blocks[0]  # one flip
    assert tight.weights[:3].any(axis=1).tolist() == [False, False, False]
    assert tight.bounds[:3].tolist() == [1, 1, 0]


def test_a_code_has_no_class_to_add_to() -> None:
    with pytest.raises(BadModel, match="expected a network with a head"):
        with_cost_limit(network(1, 3).prefix(1), np.zeros(3, dtype=np.uint8), Cost(np.ones(3), np.ones(3, dtype=np.bool_)), 1)
