"""Cheap attacks: what they find is replayed, no nearer than the exact distance, and the same for the same seed."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnverify import BadModel, BadQuery, Becomes, Block, Head, Leaves, Network, distance, local_search
from bnnverify.model.arrays import Bits
from bnnverify.queries.attacks.gradients import MarginFunction
from tests.support.drawn import latent_questions, networks
from tests.support.enumerated import every_input
from tests.support.random_networks import latent_network
from tests.support.zoo import majority, parity

METHODS = ["greedy", "gradient", "random", "beam"]


def nearest(network: Network, center: Bits, targets: frozenset[int], free: list[int], largest: int) -> int | None:
    points = every_input(len(center))
    apart = points != center
    held = ~np.delete(apart, free, axis=1).any(axis=1) & np.isin(network(points), list(targets)) & (apart.sum(axis=1) <= largest)
    return int(apart[held].sum(axis=1).min()) if held.any() else None


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=60, deadline=None)
@given(question=latent_questions(), data=st.data())
def test_a_found_distance_is_at_least_the_exact_one(
    method: str, question: tuple[Network, Bits, int, list[int]], data: st.DataObject
) -> None:
    network, center, largest, free = question
    label = data.draw(st.integers(0, network.classes - 1))
    event = data.draw(st.sampled_from([None, Leaves(label), Becomes(label)]))
    seed = data.draw(st.integers(0, 9))
    found = local_search(network, center, method=method, event=event, free=free, largest=largest, walks=3, seed=seed)
    targets = (event or Leaves(network(center))).posed(network, center)[1]
    exact = nearest(network, center, targets, free, largest)
    if found.witness is not None:
        assert network(found.witness.bits) == found.witness.label
        assert found.witness.label in targets
        assert set(found.witness.flips) <= set(free)
        assert exact is not None
        assert exact <= found.witness.distance <= largest
        assert _nothing_to_take_back(network, found.witness.bits, found.witness.flips, targets)
    assert (found.distance is None) or exact is not None
    assert json.dumps(found.to_json())


def _nothing_to_take_back(network: Network, bits: tuple[int, ...], flips: tuple[int, ...], targets: frozenset[int]) -> bool:
    points = np.tile(np.array(bits), (len(flips), 1))
    points[range(len(flips)), list(flips)] ^= 1
    return not len(flips) or not np.isin(network(points), list(targets)).any()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_margins_are_negative_exactly_where_the_event_happens(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 6))
    network, center = data.draw(networks(n)), np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    targets = data.draw(st.frozensets(st.integers(0, network.classes - 1)))
    function, flips = MarginFunction(network, center.astype(np.uint8), np.arange(n), targets), every_input(n)
    margins = function.margins(flips)
    assert (margins < 0).tolist() == np.isin(network(flips ^ center), list(targets)).tolist()
    start = flips[data.draw(st.integers(0, 2**n - 1))]
    beside = start ^ np.eye(n, dtype=np.uint8)
    assert function.neighbours(start, np.arange(n)).tolist() == function.margins(beside).tolist()


def test_gradient_of_a_head_alone_is_exact() -> None:
    network = Network((), Head([[3, -1, 2], [0, 0, 0]], [0, 0]))
    function = MarginFunction(network, np.array([1, 0, 0], dtype=np.uint8), np.arange(3), frozenset([1]))
    assert function.gradient(np.zeros(3, dtype=np.uint8), window=1.0).tolist() == [-3, -1, 2]


def test_the_gradient_passes_open_neurons_only() -> None:
    """One neuron near its bound, one far away: the inputs of the far one have no gradient."""
    block = Block([[1, 1, 0, 0], [0, 0, 1, 1]], [1, 40])
    function = MarginFunction(
        Network((block,), Head([[1, 1], [0, 0]], [0, 0])), np.zeros(4, dtype=np.uint8), np.arange(4), frozenset([1])
    )
    found = function.gradient(np.zeros(4, dtype=np.uint8), window=1.0)
    assert (found > 0).tolist() == [True, True, False, False]


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_finds_the_same(method: str) -> None:
    network, center = latent_network((40, 20, 8), 3), np.random.default_rng(0).integers(0, 2, 40)
    first, again = (replace(local_search(network, center, method=method, seed=5), seconds=0.0) for _ in range(2))
    assert first == again


def test_greedy_and_gradient_need_no_luck_for_a_majority() -> None:
    """20 of 31 ones: 5 of them have to go, and every one of them is a step down."""
    center = np.arange(31) < 20
    for method in METHODS:
        found = local_search(majority(31), center, method=method, walks=4)
        assert found.distance == 5, method
        assert found.distance == distance(majority(31), center).low


@pytest.mark.parametrize("method", METHODS)
def test_budget_radius_and_nothing_to_find(method: str) -> None:
    center = np.arange(31) < 20
    assert local_search(majority(31), center, method=method, largest=4).witness is None
    few = local_search(majority(31), center, method=method, evaluations=10)
    assert few.evaluations <= 10 + 31 + 31
    assert local_search(parity(6), np.zeros(6), method=method, largest=0).witness is None
    assert local_search(parity(6), np.zeros(6), method=method, free=[]).witness is None
    alone = Network((), Head(np.ones((1, 4)), [0]))
    assert local_search(alone, np.zeros(4), method=method).witness is None
    happened = local_search(parity(6), np.zeros(6), method=method, event=Becomes(0)).witness
    assert happened is not None
    assert happened.distance == 0


def test_questions_that_make_no_sense() -> None:
    with pytest.raises(BadQuery, match="method must be one of greedy, gradient, random, beam, got 'best'"):
        local_search(majority(5), np.zeros(5), method="best")
    with pytest.raises(BadModel, match="expected a head"):
        local_search(majority(5).prefix(1), np.zeros(5), event=Leaves(0))


def test_a_large_network_in_little_time() -> None:
    network = latent_network((784, 200, 100, 100, 100), 0, classes=10)
    center = np.random.default_rng(1).random(784) < 0.15
    started = time.monotonic()
    found = [local_search(network, center, method=method, walks=2) for method in METHODS]
    assert all(each.witness for each in found)
    assert time.monotonic() - started < 5.0
