"""Folding: the whole-number block equals the trained layer at every input, and the head equals exact fractions."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnverify.errors import BadModel
from bnnverify.model.fold import fold_block, fold_head, is_plus, merges, sums_of
from bnnverify.model.network import Network

TINY = float(np.float32(1e-45))  # the smallest positive float32, denormal


def cube(n):
    """All 2^n inputs, as bits and as ±1."""
    bits = np.array(list(product((0, 1), repeat=n)), dtype=np.uint8).reshape(2**n, n)
    return bits, 2 * bits.astype(np.int64) - 1


def same_everywhere(weights, fires):
    bits, signs = cube(np.shape(weights)[1])
    block = fold_block(weights, fires)
    np.testing.assert_array_equal(block(bits), fires(signs @ np.asarray(weights).T))
    return block


def test_sign_of_zero_is_plus_and_only_a_format_may_define_it_otherwise():
    assert is_plus([-1.0, -0.0, 0.0, 5e-324]).tolist() == [False, True, True, True]
    assert is_plus([-1.0, 0.0, 1.0], zero_is_plus=False).tolist() == [False, False, True]


def test_nan_is_refused():
    with pytest.raises(BadModel, match="got NaN"):
        is_plus([1.0, float("nan")])


def test_sums_step_by_two_within_each_row():
    assert sums_of(np.array([[1, -1, 0], [1, 1, 1], [0, 0, 0]])).T.tolist() == [[-2, 0, 2, 2], [-3, -1, 1, 3], [0, 0, 0, 0]]


def test_zero_sum_fires_by_hand():
    # s = x0 - x1 over signs; sign(0) = +1, so it fires unless x0 = -1 and x1 = +1
    block = fold_block([[1, -1]], is_plus)
    assert block(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.uint8)).ravel().tolist() == [1, 0, 1, 1]


def test_a_neuron_that_fires_downwards_is_negated():
    block = same_everywhere([[1, 1, -1]], lambda sums: sums <= -1)
    assert block.weights.tolist() == [[-1, -1, 1]]


@pytest.mark.parametrize("answer", [True, False])
def test_constant_neurons_and_rows_of_zeros(answer):
    block = same_everywhere([[1, 1], [0, 0]], lambda sums: np.full(sums.shape, answer))
    assert not block.weights.any()


def test_one_zero_row_is_still_evaluated_at_zero():
    assert same_everywhere([[0, 0, 0]], lambda sums: sums >= 0).bounds.tolist() == [0]
    assert same_everywhere([[0, 0, 0]], lambda sums: sums > 0).bounds.tolist() == [1]


def test_no_neurons_and_no_inputs():
    assert fold_block(np.zeros((0, 5)), lambda sums: sums >= 0).outputs == 0
    assert fold_block(np.zeros((2, 0)), lambda sums: sums >= 0)(np.zeros((1, 0), dtype=np.uint8)).tolist() == [[1, 1]]


def test_eighty_inputs():
    weights = np.array([[1, -1] * 40, [1] * 80])
    block = fold_block(weights, lambda sums: sums >= np.array([79, 1]))
    assert block.bounds.tolist() == [40, 41]  # all 40 agreements above 79/2; 41 of 80 ones
    random = np.random.default_rng(5).integers(0, 2, (500, 80), dtype=np.uint8)
    np.testing.assert_array_equal(block(random), (2 * random.astype(int) - 1) @ weights.T >= [79, 1])


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_step_of_any_integer_weights(data):
    m, n = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 6))
    weights = np.array(data.draw(st.lists(st.lists(st.integers(-3, 3), min_size=n, max_size=n), min_size=m, max_size=m)))
    bounds = np.array(data.draw(st.lists(st.integers(-20, 20), min_size=m, max_size=m)))
    down = np.array(data.draw(st.lists(st.booleans(), min_size=m, max_size=m)))
    same_everywhere(weights.reshape(m, n), lambda sums: np.where(down, sums <= bounds, sums >= bounds))


@pytest.mark.parametrize(
    ("fires", "sentence"),
    [
        (lambda sums: np.abs(sums) >= 2, "neuron 0: expected one step"),
        (lambda sums: sums == 1, "expected one step"),
        (lambda sums: sums * 1.0, "expected yes/no answers"),
        (lambda sums: sums[:1] > 0, "expected yes/no answers of shape"),
        (lambda sums: is_plus(np.where(sums > 0, np.nan, 1.0)), "got NaN"),
    ],
)
def test_an_activation_without_one_step_is_refused(fires, sentence):
    with pytest.raises(BadModel, match=sentence):
        fold_block([[1, 1, 1]], fires)


@pytest.mark.parametrize("weights", [[[0.5, 1]], [[np.nan, 1]], [[np.inf, 1]], [1, 1], [["a"]], [[2**40, 1]]])
def test_weights_of_too_many_sums_are_refused(weights):
    with pytest.raises(BadModel):
        fold_block(weights, lambda sums: sums >= 0)


def test_the_layer_cannot_change_its_sums():
    def greedy(sums):
        sums[:] = 7
        return np.ones(sums.shape, dtype=bool)

    assert fold_block([[1, 1]], greedy).bounds.tolist() == [0]


SCALES = [1.0, -1.0, 0.0, -0.0, 1e-38, -1e-38, TINY, -TINY, 1e30, 0.3, -0.7]
VARIANCES = [1.0, 0.0, TINY, 6e-45, 1e-38, 80.0, 1e30]


@pytest.mark.parametrize("zero_weights", [False, True])
def test_torch_batch_norm_is_reproduced_at_every_input(zero_weights):
    torch = pytest.importorskip("torch", reason="needs the optional package torch")
    random = np.random.default_rng(3)
    m = len(SCALES) * len(VARIANCES)
    gamma, var = (torch.tensor(column, dtype=torch.float32) for column in zip(*product(SCALES, VARIANCES), strict=True))
    mean, beta, bias = (torch.from_numpy(random.normal(0, s, m).astype(np.float32)) for s in (3, 0.5, 0.5))
    mean[::3], beta[::4], bias[::2] = 1.0, 0.0, 0.0  # exact zeros on purpose
    weights = random.integers(-1, 2, (m, 9)) if zero_weights else random.choice([-1, 1], (m, 9))

    def fires(sums):
        values = torch.from_numpy(sums.astype(np.float32)) + bias
        return is_plus(torch.nn.functional.batch_norm(values, mean, var, gamma, beta).numpy())

    block = same_everywhere(weights, fires)
    assert len({tuple(row) for row in block.weights.tolist()} & {tuple(row) for row in (-weights).tolist()}) > 5


def exact_winner(weights, biases, signs):
    """The lowest class among those with the largest exact score."""
    scores = [int(np.dot(row, signs)) + Fraction(bias) for row, bias in zip(weights, biases, strict=True)]
    return scores.index(max(scores))


BIASES = st.one_of(
    st.sampled_from([0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, TINY, -TINY, 1.0 + 2**-52, 5e-324, -5e-324]),
    st.floats(-8, 8, allow_nan=False),
)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_heads_equal_exact_fractions(data):
    classes, n = data.draw(st.integers(1, 5)), data.draw(st.integers(0, 5))
    rows = st.lists(st.integers(-2, 2), min_size=n, max_size=n)
    weights = np.array(data.draw(st.lists(rows, min_size=classes, max_size=classes))).reshape(classes, n)
    biases = data.draw(st.lists(BIASES, min_size=classes, max_size=classes))
    head = fold_head(weights, biases)
    bits, signs = cube(n)
    assert Network((), head)(bits).tolist() == [exact_winner(weights, biases, s) for s in signs]


def test_equal_scores_go_to_the_lowest_class_and_the_smallest_fraction_decides():
    same = [[1, 1], [1, 1], [1, 1]]
    assert Network((), fold_head(same, [0.25, 0.25, 0.25]))([1, 0]) == 0
    assert Network((), fold_head(same, [0.0, 5e-324, 0.0]))([1, 0]) == 1
    assert Network((), fold_head(same, [0.0, -5e-324, 5e-324]))([1, 0]) == 2


@pytest.mark.parametrize("biases", [[0.0], [np.nan, 0.0], [np.inf, 0.0], [1e30, 0.0], [[0.0, 1.0]], ["a", "b"]])
def test_biases_that_cannot_be_exact_are_refused(biases):
    with pytest.raises(BadModel, match="output biases"):
        fold_head([[1], [1]], biases)


def test_scores_that_float32_merges_are_noticed():
    weights, biases = [[1, 1], [1, -1]], np.array([0.0, 2.0**-40])
    assert merges(weights, biases, lambda sums: (sums + biases).astype(np.float32))
    assert not merges(weights, biases, lambda sums: sums + biases)
    assert merges(weights, biases, lambda sums: sums + biases, gap=2.0**-30)


def test_exact_ties_are_no_merge_but_an_upset_order_is():
    weights, biases = [[1, 1], [1, -1]], np.array([0.5, 0.5])
    assert not merges(weights, biases, lambda sums: (sums + biases).astype(np.float32), gap=2.0**-20)
    assert merges(weights, biases, lambda sums: sums + biases + np.array([0, 1e-9]))
    assert merges(weights, biases, lambda sums: -(sums + biases))
    assert merges(weights, biases, lambda sums: np.full(sums.shape, np.inf))
