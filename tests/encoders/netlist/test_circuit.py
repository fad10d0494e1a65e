"""The netlist computes what the network does, and finds equal gates."""

from __future__ import annotations

import numpy as np
import pytest

from bnnverify import Block, Head, Network
from bnnverify.encoders.netlist.backends.words import Program, compiled, packed, unpacked
from bnnverify.encoders.netlist.circuit import FALSE, TRUE, Circuit
from bnnverify.encoders.walk import encode, hidden
from bnnverify.model.arrays import Bits


def cube(n: int) -> Bits:
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(np.uint8)


def run(program: Program, points: Bits) -> Bits:
    return unpacked(program(packed(points.T.astype(bool), -(-len(points) // 64))), len(points))


@pytest.mark.parametrize("seed", range(30))
def test_thresholds_equal_their_definition(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 9))
    weights = random.integers(-9, 10, n)
    points = cube(n)
    sums = points @ weights
    circuit = Circuit()
    inputs = circuit.inputs(n)
    bounds = range(int(sums.min()) - 1, int(sums.max()) + 3)
    wires = [circuit.at_least(weights.tolist(), inputs, bound) for bound in bounds]
    assert np.array_equal(run(compiled(circuit, inputs, wires), points), sums[None, :] >= np.array(bounds)[:, None])


@pytest.mark.parametrize("seed", range(20))
def test_tournament_and_pairwise_winners_are_the_same_functions(seed: int) -> None:
    random = np.random.default_rng(seed)
    n, m, classes = (int(random.integers(1, k)) for k in (9, 8, 7))
    block = Block(random.integers(-2, 3, (m, n)), random.integers(-2, 3, m))
    head = Head(random.integers(-2, 3, (classes, m)), random.integers(-3, 4, classes), random.permutation(classes))
    network = Network((block,), head)
    points = cube(n)
    want = network(points) == np.arange(classes)[:, None]
    circuit = Circuit()
    inputs, pairwise = encode(circuit, network, range(classes))
    tournament = circuit.winners(head, hidden(circuit, network, inputs))
    for wires in ([pairwise[c] for c in range(classes)], tournament):
        assert np.array_equal(run(compiled(circuit, inputs, wires), points), want)


def test_constants_and_equal_gates_cost_nothing() -> None:
    circuit = Circuit()
    a, b = circuit.inputs(2)
    size = len(circuit.gates)
    assert circuit.at_least([], [], 0) == TRUE
    assert circuit.at_least([], [], 1) == FALSE
    assert circuit.all([]) == TRUE
    assert circuit.both(a, circuit.negate(a)) == FALSE
    assert circuit.differ(a, circuit.negate(a)) == TRUE
    assert circuit.majority(a, circuit.negate(a), b) == b
    assert len(circuit.gates) == size
    wire = circuit.both(a, b)
    assert circuit.both(b, a) == wire
    assert circuit.either(a ^ 1, b ^ 1) == wire ^ 1
    assert len(circuit.gates) == size + 1


def test_sums_over_the_same_bits_share_adders_whatever_the_signs() -> None:
    random = np.random.default_rng(0)
    sizes = []
    for rows in (1, 10):
        circuit = Circuit()
        inputs = circuit.inputs(48)
        for row in random.choice([-1, 1], (rows, 48)):
            circuit.at_least(row.tolist(), inputs, 0)
        sizes.append(len(circuit.gates))
    assert sizes[1] < 7 * sizes[0]


@pytest.mark.parametrize("length", [1, 7, 8, 63, 64, 65, 200])
def test_packing_and_unpacking_undo_each_other(length: int) -> None:
    bits = np.random.default_rng(length).integers(0, 2, (3, length)).astype(bool)
    words = packed(bits, -(-length // 64))
    assert np.array_equal(unpacked(words, length), bits)
    assert np.bitwise_count(words).sum() == bits.sum()
