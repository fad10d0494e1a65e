"""A convolution's rows stay sparse on the way into the encoders: the same results as dense rows, in little memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pytest

from bnnverify import Ball, Block, Constrained, HammingBall, Head, Network
from bnnverify.encoders.diagrams.frontier import Frontier
from bnnverify.encoders.enumeration.first_layer import FirstLayer
from bnnverify.encoders.presolve.presolve import presolve
from bnnverify.model.combine import pair
from bnnverify.model.matrix import Dense, Sparse
from bnnverify.problem.constraints import at_most, cost_at_most

Made = TypeVar("Made")

INPUTS, NEURONS, WINDOW = 2048, 4096, 9  # written out: 64 MiB
MIB = 2**20


def windows(seed: int, n: int, m: int, window: int) -> Block:
    """Return m neurons that see a window of n inputs each, at random places."""
    random = np.random.default_rng(seed)
    positions = random.integers(0, n - window + 1, (m, 1)) + np.arange(window)
    values = random.choice([-2, -1, 1, 3], m * window)
    rows = Sparse(np.arange(0, m * window + 1, window), positions.ravel(), values, n)
    return Block(rows, random.integers(-1, 3, m))


def network(seed: int) -> Network:
    random = np.random.default_rng(seed)
    return Network((windows(seed, INPUTS, NEURONS, WINDOW),), Head(random.choice([-1, 1], (2, NEURONS)), [0, 1]))


def within(most: int, make: Callable[[], Made]) -> Made:
    """Return what make makes, after seeing that it needs at most so many bytes on the way."""
    tracemalloc.start()
    try:
        made = make()
        assert tracemalloc.get_traced_memory()[1] <= most
    finally:
        tracemalloc.stop()
    return made


def test_a_pair_of_wide_networks_fits() -> None:
    a, b = network(0), network(1)
    both = within(16 * MIB, lambda: pair(a, b))
    assert isinstance(both.blocks[0].matrix, Sparse)
    bits = np.random.default_rng(2).integers(0, 2, (20, INPUTS))
    assert both(bits).tolist() == (2 * a(bits) + b(bits)).tolist()


def test_the_first_layer_of_a_wide_network_fits() -> None:
    block = network(0).blocks[0]
    table = within(16 * MIB, lambda: FirstLayer(block, 1, 1, mixed=False))
    runs = next(table.layout.runs(10))
    choice = within(MIB, lambda: table.choice(runs.prefixes))
    suffix = int(runs.starts[0]) + 3
    fires = table.rows[choice[:, 0], suffix // 64] >> np.uint64(suffix % 64) & np.uint64(1)
    assert np.array_equal(fires, block(table.flips(runs.prefixes[0], suffix)[None])[0])


def test_the_frontier_of_a_wide_network_fits() -> None:
    block = network(0).blocks[0]
    within(16 * MIB, lambda: Frontier(block, HammingBall(np.zeros(INPUTS), 1)))
    narrow = Frontier(windows(0, 256, NEURONS, WINDOW), HammingBall(np.zeros(256), 1), memory=16 * MIB)
    assert within(24 * MIB, lambda: sum(int(codes.ways.sum()) for codes in narrow.codes())) == 257


def test_presolve_of_a_wide_network_fits() -> None:
    few = Ball(np.zeros(INPUTS, dtype=np.uint8), np.arange(INPUTS) < 64, 0, 3)
    solved = within(16 * MIB, lambda: presolve(network(0), few))
    assert solved.live[0] < 300


@pytest.mark.parametrize("seed", range(12))
def test_sparse_and_dense_rows_give_the_same_first_layer_and_frontier(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(3, 9))
    few = windows(seed, n, int(random.integers(1, 9)), int(random.integers(1, 4)))
    every = Block(Dense(few.weights), few.bounds)
    outer = int(random.integers(0, n + 1))
    inner = int(random.integers(0, outer + 1))
    tables = [FirstLayer(block, inner, outer, mixed=bool(seed % 2)) for block in (few, every)]
    assert tables[0].layout == tables[1].layout
    assert np.array_equal(tables[0].rows, tables[1].rows)
    for runs in tables[0].layout.runs(5):
        assert np.array_equal(tables[0].choice(runs.prefixes), tables[1].choice(runs.prefixes))
    ball = HammingBall(np.zeros(n), outer).shell(inner, outer)
    for one, other in zip(Frontier(few, ball, examples=True).codes(), Frontier(every, ball, examples=True).codes(), strict=True):
        assert np.array_equal(one.bits, other.bits)
        assert np.array_equal(one.distances, other.distances)
        assert np.array_equal(one.ways, other.ways)
        assert np.array_equal(one.examples, other.examples)


@pytest.mark.parametrize("seed", range(12))
def test_constraints_bound_sparse_and_dense_rows_alike(seed: int) -> None:
    random = np.random.default_rng(seed)
    few = (windows(seed, 9, 6, 2), windows(seed + 1, 6, 4, 3))
    head = Head(random.integers(-2, 3, (3, 4)), [0, 1, 0])
    every = tuple(Block(block.weights, block.bounds) for block in few)
    center = random.integers(0, 2, 9).astype(np.uint8)
    rows = [*cost_at_most(4, random.integers(1, 4, 9), center), *at_most(1, [0, 1, 2])]
    region = Constrained(HammingBall(center, 5), rows)
    ours, theirs = (presolve(Network(blocks, head), region).network for blocks in (few, every))
    assert ours.sha256 == theirs.sha256


def test_a_limit_on_the_costs_of_a_wide_network_fits() -> None:
    center = np.zeros(INPUTS, dtype=np.uint8)
    region = Constrained(HammingBall(center, 3), cost_at_most(3, np.arange(INPUTS) % 3 + 1, center))
    limited = within(24 * MIB, lambda: presolve(network(0), region))
    assert isinstance(limited.network.blocks[0].matrix, Sparse)
