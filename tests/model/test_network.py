"""The definition of truth: blocks, heads with ties, cuts, refusals."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from bnnverify import BadModel, BadSample, Block, Head, InputCoding, Network
from bnnverify.model.matrix import exact_products
from bnnverify.model.threshold import threshold

CUBE = np.array(list(product([0, 1], repeat=3)), dtype=np.uint8)


def small() -> Network:
    return Network((Block([[1, 1, 1], [2, -1, 0]], [2, 1]),), Head([[1, 0], [0, 1], [0, 0]], [0, 0, 1]))


def test_a_network_by_hand() -> None:
    # neuron 0: at least two ones; neuron 1: 2a - b >= 1, that is a. Scores: n0, n1, 1; ties to the lowest class.
    want = [2, 2, 2, 0, 1, 0, 0, 0]
    got = small()(CUBE)
    assert got.tolist() == [0 if x.sum() >= 2 else 1 if x[0] else 2 for x in CUBE]
    assert got.tolist() == want
    assert small()([1, 0, 0]) == 1
    assert type(small()([1, 0, 0])) is int


def test_ranks_decide_ties_and_nothing_else() -> None:
    head = Head([[1], [1], [0]], [0, 0, 1], [2, 1, 0])
    assert head(np.array([[0], [1]], dtype=np.uint8)).tolist() == [2, 2]
    assert Head([[1], [1], [0]], [0, 0, 1])(np.array([[0], [1]], dtype=np.uint8)).tolist() == [2, 0]


def test_beats_agrees_with_the_answer() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        head = Head(random.integers(-2, 3, (4, 3)), random.integers(-2, 3, 4), random.permutation(4))
        for x, label in zip(CUBE, head(CUBE), strict=True):
            for c in range(4):
                rivals = [head.beats(c, k) for k in range(4) if k != c]
                wins = all(rival.holds(x) for rival in rivals)
                assert wins == (c == label)
                leads = (head.weights[c] - head.weights) @ x.astype(np.int64)
                assert (leads >= head.lead_bounds(c)).all() == wins


def test_the_tie_rule_is_in_the_head() -> None:
    head = Head([[1], [1], [0]], [0, 5, 1], [2, 0, 1])
    assert head.order.tolist() == [1, 2, 0]
    assert head.gap(0, np.arange(3)).tolist() == [0, 1, 1]
    assert head.gap(np.array([1, 2]), np.array([0, 1])).tolist() == [0, 1]
    assert head.lead_bounds(0).tolist() == [0, 6, 2]
    assert int(head.lead_bounds(2, 1)) == 5


def test_prefix_and_tail_meet() -> None:
    random = np.random.default_rng(1)
    blocks = [Block(random.integers(-1, 2, (4, n)), random.integers(-1, 2, 4)) for n in (3, 4, 4)]
    network = Network(tuple(blocks), Head(random.integers(-1, 2, (3, 4)), [0, 0, 0]))
    for i in (1, 2, 3):
        code = network.prefix(i)(CUBE)
        assert np.array_equal(network.tail(i)(code), network(CUBE))
    assert np.array_equal(network.tail(0)(CUBE), network(CUBE))
    assert network.prefix(2).widths == (3, 4, 4)
    assert network.tail(3).widths == (4, 3)
    for cut, i in ((network.prefix, 0), (network.prefix, 4), (network.tail, -1), (network.tail, 4)):
        with pytest.raises(BadModel, match="expected a block number"):
            cut(i)


def test_the_fingerprint_depends_on_all_that_decides_answers_alone() -> None:
    network = small()
    same = Network(network.blocks, network.head, name="other", notes=("x",))
    assert same.sha256 == network.sha256
    head = network.head
    assert head is not None
    for other in (
        Network((Block([[1, 1, 1], [2, -1, 0]], [2, 0]),), head),
        Network(network.blocks, Head(head.weights, head.offsets, [1, 0, 2])),
        Network(network.blocks, head, InputCoding([1, 1, 1])),
    ):
        assert other.sha256 != network.sha256


@pytest.mark.parametrize("scale", [1, 2**22, 2**40, 2**58])
def test_products_are_exact_at_every_scale(scale: int) -> None:
    weights = np.array([[scale, -scale, 1], [scale + 1, scale - 1, -3]])
    want = [[sum(int(w) * int(x) for w, x in zip(row, point, strict=True)) for row in weights] for point in CUBE]
    assert exact_products(CUBE, weights).tolist() == want


def test_thresholds_leave_zero_weights_out() -> None:
    brick = threshold(np.array([0, -2, 0, 5]), 3)
    assert (brick.positions, brick.weights, brick.bound) == ((1, 3), (-2, 5), 3)


def test_input_coding() -> None:
    coding = InputCoding([0, 100, 255, 256], shape=(2, 2))
    assert coding.bits([[0, 99, 255, 255], [7, 100, 254, 0]]).tolist() == [[1, 0, 1, 0], [1, 1, 0, 0]]
    assert coding.flippable.tolist() == [False, True, True, False]
    with pytest.raises(BadSample, match="expected 4 pixels, got 3"):
        coding.bits([1, 2, 3])
    with pytest.raises(BadModel, match="expected 2x3 thresholds, got 4"):
        InputCoding([0, 1, 2, 3], shape=(2, 3))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Block([[1, float("nan")]], [0]), "NaN or infinity"),
        (lambda: Block([[1, 0.5]], [0]), "whole numbers, got 0.5"),
        (lambda: Block([[1, 2]], [0, 1]), "expected 1 bounds"),
        (lambda: Block([1, 2], [0]), "expected 2 dimensions"),
        (lambda: Block([["a"]], [0]), "whole numbers, got type"),
        (lambda: Block([[2**62]], [0]), "below 2\\^62"),
        (lambda: Block([[2**61, 2**61, 2**61]], [0]), "weight sums below"),
        (lambda: Head(np.zeros((0, 3)), []), "at least one class"),
        (lambda: Head([[1]], [0, 0]), "expected 1 offsets"),
        (lambda: Head([[1], [1]], [0, 0], [0, 0]), "permutation"),
        (lambda: Network(()), "at least one block or a head"),
        (lambda: Network((Block([[1, 1]], [1]),), Head([[1, 1]], [0])), "head: expected 1 inputs, got 2"),
        (lambda: Network((), Head([[1, 1]], [0]), InputCoding([1])), "expected 2 thresholds, got 1"),
    ],
)
def test_wrong_networks_are_refused_with_a_sentence(make, sentence: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadModel, match=sentence):
        make()


def test_wrong_inputs_are_refused_with_a_sentence() -> None:
    with pytest.raises(BadSample, match="expected 3 bits, got 2"):
        small()([0, 1])
    with pytest.raises(BadSample, match="expected 3 bits, got one number"):
        small()(1)
    with pytest.raises(BadSample, match="bits 0 and 1"):
        small()([0, 1, -1])
