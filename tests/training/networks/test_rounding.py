"""A linear latent in whole numbers: what is deployed is the rounded layers exactly, as it is and snapped."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from bnnverify.model.network import Network
from tests.support.enumerated import every_input
from tests.support.training_data import EVERY

torch = pytest.importorskip("torch", reason="needs the extra: train")

from bnnverify.training.networks.layers import LatentNet  # noqa: E402
from bnnverify.training.networks.rounding import IntegerLatent, places, rounded, two_means  # noqa: E402

SIGNS = 2.0 * EVERY - 1


def untrained(seed: int = 0, *, latent: int = 5, scale: float = 1.0) -> LatentNet:
    torch.manual_seed(seed)
    model = LatentNet(9, (), latent, 4)
    with torch.no_grad():
        model.latent.weight.mul_(scale)
        model.head.weight.div_(scale)
    return model.eval()


def exact_scores(latent: IntegerLatent, z: list[Fraction]) -> list[Fraction]:
    """Return the scores of z in units of 2^-(p + q), by fractions alone."""
    return [
        sum((int(v) * one for v, one in zip(row, z, strict=True)), Fraction(int(offset)))
        for row, offset in zip(latent.scores, latent.offsets, strict=True)
    ]


def exact_latent(latent: IntegerLatent, signs: np.ndarray) -> list[Fraction]:
    return [
        Fraction(int(bias)) + sum(int(w) * int(s) for w, s in zip(row, signs, strict=True))
        for row, bias in zip(latent.weights, latent.biases, strict=True)
    ]


@pytest.mark.parametrize("values", [[1.0, 2.0, 10.0, 11.0, 12.0], [0.0, 0.0, 0.0, 5.0], [3.0], [2.0, 2.0], [-1e9, 0.0, 1e9]])
def test_two_means_is_the_best_cut(values: list[float]) -> None:
    low, high = two_means(np.array(values[::-1]))
    if len(values) > 1:
        cuts = [(values[:i], values[i:]) for i in range(1, len(values))]
        best = min(cuts, key=lambda cut: sum(float(((np.array(part) - np.mean(part)) ** 2).sum()) for part in cut))
        assert (low, high) == (np.mean(best[0]), np.mean(best[1]))
    else:
        assert low == high == values[0]


def test_a_grid_gives_the_largest_weight_its_bits() -> None:
    values = np.array([0.7, -0.001])
    assert places(values, 16) == 16
    assert np.abs(rounded(values, 16)).max() == round(0.7 * 2**16)
    assert places(values * 2**-5, 16) == 21
    assert places(np.zeros(3), 16) == 16
    assert places(values * 2**-40, 16) == 24


@pytest.mark.parametrize("scale", [1.0, 2**-6])
@pytest.mark.parametrize("seed", range(3))
def test_the_float_latent_is_its_rounded_layers_exactly(seed: int, scale: float) -> None:
    latent = IntegerLatent.of(untrained(seed, scale=scale), 16)
    network = Network((), latent.float_head())
    for bits, signs, answer in zip(EVERY, SIGNS, network(EVERY), strict=True):
        scores = exact_scores(latent, exact_latent(latent, signs))
        assert answer == max(range(4), key=lambda c: (scores[c], -c)), bits


def test_rounding_to_16_bits_changes_little() -> None:
    model = untrained(1)
    latent = IntegerLatent.of(model, 16)
    with torch.no_grad():
        scores = model(torch.from_numpy(SIGNS).float()).numpy()
    ours = latent.scored(latent.latents(SIGNS))
    ours *= np.abs(scores).max() / np.abs(ours).max()
    assert np.abs(ours - scores).max() < 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_the_snapped_head_equals_enumeration_over_all_codes(seed: int) -> None:
    snapped = IntegerLatent.of(untrained(seed), 16).snapped(SIGNS)
    every = every_input(5)
    values = [[Fraction(int(value)) for value in np.where(code, snapped.high, snapped.low)] for code in every]
    table = [exact_scores(snapped.latent, value) for value in values]
    assert snapped.head.scores(every).tolist() == table
    assert snapped.head(every).tolist() == [max(range(4), key=lambda c: (row[c], -c)) for row in table]


@pytest.mark.parametrize("seed", range(3))
def test_a_latent_bit_is_one_from_the_midpoint_on(seed: int) -> None:
    snapped = IntegerLatent.of(untrained(seed), 16).snapped(SIGNS)
    middles = [Fraction(int(low) + int(high), 2) for low, high in zip(snapped.low, snapped.high, strict=True)]
    for signs, code in zip(SIGNS, snapped.block(EVERY), strict=True):
        latent = exact_latent(snapped.latent, signs)
        assert code.tolist() == [int(z >= middle) for z, middle in zip(latent, middles, strict=True)]


def test_exactly_the_midpoint_is_one() -> None:
    """z = s_1 + s_2 is 0, the midpoint of -2 and 2, on two of four inputs."""
    latent = IntegerLatent(np.array([[1, 1]]), np.array([0]), np.array([[1], [-1]]), np.array([0, 0]))
    snapped = latent.snapped(np.array([[-1.0, -1.0], [1.0, 1.0]]))
    assert (snapped.low.tolist(), snapped.high.tolist()) == ([-2], [2])
    assert snapped.block(every_input(2)).ravel().tolist() == [0, 1, 1, 1]


def test_a_constant_unit_decides_nothing() -> None:
    latent = IntegerLatent(np.array([[0, 0]]), np.array([7]), np.array([[1], [-1]]), np.array([0, 3]))
    snapped = latent.snapped(SIGNS[:, :2])
    assert snapped.block(every_input(2)).ravel().tolist() == [1, 1, 1, 1]
    assert snapped.head.weights.tolist() == [[0], [0]]
    assert snapped.head.offsets.tolist() == [7, -4]


def test_weights_stay_below_two_to_the_45() -> None:
    head = IntegerLatent.of(untrained(0, latent=8), 16).float_head()
    assert np.abs(head.weights).max() < 2**45
