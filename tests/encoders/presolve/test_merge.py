"""Neurons that say the same, or the opposite, are one after presolve; the question stays the same, for every engine."""

from __future__ import annotations

import numpy as np
import pytest

from bnnverify import Ball, Block, EachClass, Everything, HammingBall, Head, Network, Query, Region
from bnnverify.encoders.exports import exported
from bnnverify.encoders.presolve import merge
from bnnverify.encoders.presolve.merge import Equivalence, equivalence_of, merged
from bnnverify.encoders.presolve.presolve import Presolved, bounded, presolve
from bnnverify.model.arrays import Bits
from bnnverify.model.matrix import Dense, Sparse
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines.diagrams import BddEngine
from bnnverify.queries.engines.enumeration import BitsEngine
from bnnverify.queries.engines.sat import SatEngine
from tests.support.enumerated import Direct
from tests.support.random_networks import doubled, planted


def every(n: int) -> Bits:
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(np.uint8)


def region_of(random: np.random.Generator, n: int) -> Region:
    outer = int(random.integers(2, n + 1))
    return Ball(random.integers(0, 2, n), np.ones(n, dtype=bool), int(random.integers(0, 2)), outer)


def layers(network: Network, bits: Bits) -> list[Bits]:
    """Return the bits after each block."""
    found: list[Bits] = []
    for block in network.blocks:
        found.append(block(found[-1] if found else bits))
    return found


def check(network: Network, region: Region) -> Presolved:
    """Return what presolve leaves, after seeing on every point that its answers and the representatives are right."""
    solved = presolve(network, region)
    assert solved.region.size == region.size
    for flips in solved.region.points():
        points = solved.points(flips)
        answers, own = network(points), solved.network(flips)
        assert np.array_equal(own if network.head is None else np.array(solved.classes)[own], answers)
        for names, after, before in zip(solved.represented, layers(solved.network, flips), layers(network, points), strict=True):
            for neuron, k, opposite in names:
                assert np.array_equal(after[:, k] ^ opposite, before[:, neuron])
    assert solved.live == tuple(len(neurons) for neurons in solved.open_neurons)
    for neurons, names in zip(solved.open_neurons, solved.represented, strict=True):
        assert {(neuron, k, False) for k, neuron in enumerate(neurons)} <= set(names)
        assert len({neuron for neuron, _, _ in names}) == len(names)
    return solved


@pytest.mark.parametrize("seed", range(40))
def test_planted_neurons_are_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    network, region = planted(seed), region_of(random, 8)
    apart, solved = bounded(network, region), check(network, region)
    if not solved.decided:
        assert all(solved.live[i] <= apart.live[i] for i in range(len(apart.live)))
        assert max(map(len, (map(frozenset, solved.open_neurons)))) <= 5  # of 15, three times the same five


def test_planted_neurons_were_open() -> None:
    random = np.random.default_rng(0)
    pairs = [(bounded(q, region_of(random, 8)), q) for q in map(planted, range(40))]
    fewer = [sum(apart.live) - sum(presolve(q, apart.source).live) for apart, q in pairs if not apart.decided]
    assert sum(number >= 10 for number in fewer) >= 20


@pytest.mark.parametrize("seed", range(12))
def test_engines_agree_where_neurons_merge(seed: int) -> None:
    random = np.random.default_rng(seed)
    network, region = planted(seed), region_of(random, 8)
    points = np.concatenate(list(region.points()))
    truth = np.bincount(network(points), minlength=network.classes).tolist()
    query = Query(network, region, EachClass())
    for engine in (Direct(BitsEngine), Direct(BddEngine), Direct(BddEngine, "oxidd", "region"), Direct(SatEngine)):
        tally = engine.count(query, Budget())
        assert [count.low for count in tally.counts] == [count.high for count in tally.counts] == truth, engine.name


@pytest.mark.parametrize("seed", range(20))
def test_codes_keep_their_last_block_in_its_order(seed: int) -> None:
    network = planted(seed).prefix(2)
    region = region_of(np.random.default_rng(seed), 8)
    solved = check(network, region)
    assert solved.open_neurons[1] == tuple(range(15))
    assert solved.live[0] <= 5


def test_a_merge_makes_the_next_and_at_last_a_constant() -> None:
    # neurons 0 and 1 of the first block say a, neuron 2 says b: the second says a or b, a or b, b; the third 1, b, (a or b) and b
    first = Block([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]], [1, 1, 2])
    second = Block([[1, 0, 1], [0, 1, 1], [1, -1, 1]], [1, 1, 1])
    third = Block([[1, -1, 0], [0, 0, 1], [1, 0, 1]], [0, 1, 2])  # 0 >= 0: always 1
    network = Network((first, second, third), Head([[1, 0, 2], [0, 3, 1]], [0, 0]))
    region = Everything(4)
    assert bounded(network, region).live == (3, 3, 3)
    solved = check(network, region)
    assert solved.live == (2, 2, 2)
    assert solved.represented[0] == ((0, 0, False), (1, 0, False), (2, 1, False))
    assert solved.represented[1] == ((0, 0, False), (1, 0, False), (2, 1, False))
    assert solved.represented[2] == ((1, 0, False), (2, 1, False))


def test_a_constant_that_a_merge_makes_lets_others_merge() -> None:
    # first a, not a, b; then a + (1 - a) >= 1, which is constant, so that behind it p + 1 >= 2 says p
    first = Block([[1, 1, 0, 0], [-1, -1, 0, 0], [0, 0, 1, 1]], [1, 0, 2])
    second = Block([[1, 1, 0], [1, 0, 1], [1, 0, -1]], [1, 2, 1])
    third = Block([[1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1]], [2, 1, 1, 0])
    network = Network((first, second, third), Head([[1, 2, 0, 1], [0, 0, 3, 0]], [0, 0]))
    assert bounded(network, Everything(4)).live == (3, 3, 4)
    solved = check(network, Everything(4))
    assert solved.live == (2, 2, 2)
    assert solved.represented[0] == ((0, 0, False), (1, 0, True), (2, 1, False))
    assert solved.represented[2] == ((0, 0, False), (1, 0, False), (2, 1, False), (3, 1, True))


def test_a_neuron_and_its_opposite_can_leave_one_class() -> None:
    first = Block([[1, 1, 1], [-1, -1, -1]], [2, -1])  # two ones or more; one or fewer
    network = Network((first,), Head([[2, 2], [0, 0]], [0, 1]))  # 2 against 1 wherever
    region = Everything(3)
    assert bounded(network, region).classes == (0, 1)
    assert check(network, region).decided


def test_neurons_that_nobody_reads_after_a_merge_are_gone() -> None:
    first = Block([[1, 1, 0], [-1, -1, 0], [0, 0, 1]], [1, 0, 1])
    network = Network((first,), Head([[1, 1, 3], [0, 0, 0]], [0, 2]))  # 1 + 3 x against 2
    solved = check(network, Everything(3))
    assert solved.live == (1,)
    assert solved.represented == (((2, 0, False),),)


FUNCTIONS = [
    ([[1, -1, 0], [2, -2, 0]], [1, 1], True, False),  # 2 a - 2 b >= 1 is a - b >= 1
    ([[1, -1, 0], [2, -2, 0]], [1, 3], False, False),  # 3 is out of reach: a constant represents itself
    ([[1, 1, 1], [-1, -1, -1]], [2, -1], True, True),
    ([[1, 1, 1], [-1, -1, -1]], [2, -2], False, False),  # at most two ones: at two, both are 1
    ([[1, 1, 1], [1, 1, 1]], [1, 2], False, False),
    ([[5, 1, 1], [2, 1, 1]], [2, 2], True, False),  # 5 decides alone, as 2 does
    ([[5, 1, 1], [1, 1, 1]], [2, 2], False, False),
    ([[1, 1, -9], [1, 1, -2]], [1, 1], True, False),  # c alone decides that it is 0
    ([[1, 1, -9], [-1, -1, 2]], [1, 0], True, True),
    ([[3, 3, 0], [1, 1, 0]], [4, 2], True, False),
    ([[0, 0, 0], [0, 0, 0]], [0, 1], False, False),
]


@pytest.mark.parametrize(("rows", "bounds", "same", "opposite"), FUNCTIONS)
def test_rows_known_by_hand(rows: list[list[int]], bounds: list[int], same: bool, opposite: bool) -> None:
    equivalence = equivalence_of(Block(rows, bounds))
    assert equivalence.merges == same
    assert equivalence.opposite.tolist() == [False, opposite]


@pytest.mark.parametrize("largest", [1, 2, 3])
def test_only_rows_of_the_same_function_merge_and_most_of_them_do(largest: int) -> None:
    random = np.random.default_rng(largest)
    block = Block(random.integers(-largest, largest + 1, (400, 4)), random.integers(-3, 4, 400))
    bits = block(every(4))
    open_ = bits.any(axis=0) & ~bits.all(axis=0)
    equivalence = equivalence_of(block)
    assert np.array_equal(bits[:, equivalence.representative] ^ equivalence.opposite, bits)
    assert np.array_equal(equivalence.representative[~open_], np.flatnonzero(~open_))  # constants represent themselves
    kinds = {min(column.tobytes(), (1 - column).astype(np.uint8).tobytes()) for column in bits.T[open_]}
    assert len(kinds) <= np.count_nonzero(open_[equivalence.representatives]) <= (1, 1.2, 1.4)[largest - 1] * len(kinds)


def test_widths_of_nothing() -> None:
    for m, n in ((0, 3), (1, 0), (2, 0), (2, 3)):
        assert not equivalence_of(Block(np.zeros((m, n)), np.zeros(m))).merges
    assert merged(Network((), Head(np.eye(2), [0, 0]))) is None


def test_bits_by_the_thousand() -> None:
    weights = np.random.default_rng(0).choice([-1, 1], (3, 1000))
    equivalence = equivalence_of(Block(np.vstack([weights, -weights]), [3, 4, 5, -2, -3, -5]))
    assert equivalence.representative.tolist() == [0, 1, 2, 0, 1, 5]
    assert equivalence.opposite.tolist() == [False] * 3 + [True] * 2 + [False]


def test_marks_that_happen_to_be_equal_merge_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "_hash_factors", lambda n: np.ones(n, dtype=np.int64))
    assert not equivalence_of(Block([[1, 1, 0], [0, 1, 1], [-1, 0, -1]], [1, 1, 1])).merges


def test_sparse_rows_read_and_merge_as_dense_ones() -> None:
    random = np.random.default_rng(3)
    rows = random.choice([-1, 0, 0, 1], (6, 9))
    equivalence = Equivalence(np.array([0, 0, 2, 2, 0, 5, 6, 6, 8]), np.array([0, 1, 0, 0, 0, 0, 0, 1, 0], dtype=bool))
    ours, besides = equivalence.read(Dense(rows))
    read, same = equivalence.read(Dense(rows).sparse())
    assert isinstance(read, Sparse)
    assert np.array_equal(read.dense(), ours.dense())
    assert np.array_equal(besides, same)
    twice = np.vstack([rows, -rows])
    bounds = np.array([1, 0, 1, 0, 1, 0])
    found = [equivalence_of(Block(some, np.concatenate([bounds, 1 - bounds]))) for some in (twice, Dense(twice).sparse())]
    assert np.array_equal(found[0].representative, found[1].representative)
    assert np.array_equal(found[0].opposite, found[1].opposite)
    assert len(found[0].representatives) <= 6


def test_scores_close_to_the_largest_integers_are_unchanged() -> None:
    # the offset would grow by what the opposite neuron weighs
    head = Head([[2**60, 2**60], [0, 0]], [2**61 - 2**12, 0])
    network = Network((Block([[1, 1], [-1, -1]], [2, -1]),), head)
    assert merged(network) is not None
    wide = Head([[-(2**60), 2**60], [0, 0]], [2**61 - 2**12, 0])
    assert merged(Network(network.blocks, wide)) is None
    check(Network(network.blocks, wide), Everything(2))


@pytest.mark.parametrize("to", ["cnf", "opb"])
def test_a_file_names_every_neuron_that_a_variable_stands_for(to: str) -> None:
    first = doubled(Block([[1, 1, 0], [0, 1, 1]], [2, 1]))
    network = Network((first,), Head(np.array([[2, 3, 2, 1, 1, 1], [0] * 6]), [0, 5]))
    solved = presolve(network, Everything(3))
    assert solved.live == (2,)
    named = [line for line in exported(Query(network, Everything(3), EachClass()), to) if " of block 0" in line]
    of: dict[int, int] = {}
    for line in named:
        variable, neuron = line[2:].split(": neuron ")
        of[int(neuron.split(" ")[0])] = int(variable.replace("not ", "-").replace("x", ""))
    assert of == {0: of[0], 1: of[1], 2: -of[0], 3: -of[1], 4: of[0], 5: of[1]}


def test_balls_merge_in_the_first_block_too() -> None:
    rows = np.array([[1] * 10, [-1] * 10, [1] * 10])
    network = Network((Block(rows, [2, -1, 9]),), Head([[0, 1, 0], [1, 0, 0]], [0, 0]))
    solved = check(network, HammingBall(np.zeros(10), 3))
    assert solved.live == (1,)
    assert solved.represented == (((0, 0, False), (1, 0, True)),)
