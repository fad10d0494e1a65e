"""Kinds of weights: the numbers they act as, the way gradients come back, and what is made of real ones afterwards."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra: train")

from bnnverify.training.networks.layers import BinarizedLinear, BinarizedNet, LatentNet  # noqa: E402
from bnnverify.training.networks.recipes import WEIGHTS  # noqa: E402
from bnnverify.training.networks.weights import KINDS, kind_named, sign  # noqa: E402
from bnnverify.training.stages.post_training import binarise, greedy_signs  # noqa: E402


def acted(name: str, values: list[float], *, training: bool = False) -> tuple[list[float], list[float]]:
    """Return the integers in place of values, and the derivative by which gradients are multiplied."""
    real = torch.tensor([values], requires_grad=True)
    integers = kind_named(name).quantized(real, training=training)
    integers.sum().backward()
    assert real.grad is not None
    return integers[0].tolist(), real.grad[0].tolist()


def test_every_kind_can_be_named() -> None:
    assert set(WEIGHTS) == set(KINDS)


def test_signs_have_a_hard_window() -> None:
    assert acted("sign", [-2.0, -1.0, -0.0, 0.0, 1.0, 2.0]) == ([-1, -1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 0])


def test_ternary_weights_are_thirds() -> None:
    assert acted("ternary", [-1.0, -0.34, -0.33, 0.0, 0.33, 0.34, 1.0]) == ([-1, -1, 0, 0, 0, 1, 1], [1] * 7)


def test_pruned_weights_keep_the_larger_half_of_a_row() -> None:
    assert acted("pruned", [0.1, -0.2, 0.3, -0.4])[0] == [0, -1, 1, -1]
    assert acted("pruned", [0.1, -0.2, 0.3, -0.4, 0.0])[0] == [0, -1, 1, -1, 0]


@pytest.mark.parametrize(("bits", "largest"), [(2, 1), (3, 3), (8, 127)])
def test_integer_weights_fill_their_bits(bits: int, largest: int) -> None:
    integers, derivative = acted(f"int{bits}", [-2.0, -1.0, 0.0, 0.4 / largest, 0.6 / largest, 1.0])
    assert integers == [-largest, -largest, 0, 0, 1, largest]
    assert derivative == [0, 1, 1, 1, 1, 1]


def test_biper_is_the_sign_of_a_sine_with_the_sines_derivative() -> None:
    values = [0.0, 0.1, 0.2, -0.1, 0.5]
    integers, derivative = acted("biper", values)
    assert integers == [1 if math.sin(20 * value) >= 0 else -1 for value in values]
    assert derivative == pytest.approx([20 * math.cos(20 * value) for value in values], abs=1e-4)


def test_stochastic_weights_are_drawn_in_training_only() -> None:
    torch.manual_seed(0)
    many = [0.5] * 4000
    drawn, _ = acted("stochastic", many, training=True)
    assert set(drawn) == {-1, 1}
    assert 0.72 < drawn.count(1) / len(drawn) < 0.78
    assert set(acted("stochastic", many)[0]) == {1}
    assert set(acted("stochastic", [1.0, -1.0] * 50, training=True)[0][::2]) == {1}


@pytest.mark.parametrize("name", [name for name in WEIGHTS if not name.startswith("after")])
def test_acting_weights_are_the_integer_ones_once_trained(name: str) -> None:
    torch.manual_seed(0)
    layer = BinarizedLinear(20, 5, weights=name).eval()
    assert (layer.integers() == layer.quantized().detach().numpy()).all()
    assert np.abs(layer.integers()).max() <= layer.kind.largest


def test_greedy_signs_by_hand() -> None:
    """Inputs of one: what is to be made up for is 0.9, then 0.9 - 0.1 = 0.8, then -0.2 - 0.2 = -0.4, then 0.6 + 0.2 = 0.8."""
    weights, ones = torch.tensor([[0.9, 0.9, -0.2, 0.2]]), torch.ones(1, 4)
    assert greedy_signs(weights, ones, ones).tolist() == [[1, 1, -1, 1]]
    assert sign(weights).tolist() == [[1, 1, -1, 1]]
    assert greedy_signs(torch.tensor([[0.4, 0.4, 0.4]]), torch.ones(1, 3), torch.ones(1, 3)).tolist() == [[1, -1, 1]]


def test_greedy_signs_follow_the_sums_better_than_signs_do() -> None:
    torch.manual_seed(0)
    inputs = sign(torch.randn(20, 300))
    weights = torch.randn(10, 300).clamp(-1, 1)
    greedy, plain = greedy_signs(weights, inputs, inputs), sign(weights)
    errors = [((weights - made) @ inputs.T).square().mean().item() for made in (greedy, plain)]
    assert errors[0] < errors[1] / 2


@pytest.mark.parametrize("by", ["after-sign", "after-gpfq"])
def test_binarised_models_have_signs_everywhere(by: str) -> None:
    torch.manual_seed(0)
    signs = sign(torch.randn(100, 9))
    for model in (BinarizedNet(9, (7, 5), 3, weights=by).eval(), LatentNet(9, (7, 5), 2, 3, weights=by).eval()):
        binarise(model, signs, by=by)
        layers = [module for module in model.modules() if isinstance(module, BinarizedLinear)]
        assert len(layers) == 2 + isinstance(model, BinarizedNet)
        assert all(set(np.unique(layer.integers())) <= {-1, 1} and layer.kind is KINDS["sign"] for layer in layers)


def test_binarising_signs_changes_nothing_but_the_scale() -> None:
    """Weights of one size are their own signs: the answers stay, since batch norm and biases follow the scale."""
    torch.manual_seed(0)
    signs = sign(torch.randn(400, 9))
    model = BinarizedNet(9, (7,), 3, weights="after-sign")
    with torch.no_grad():
        for layer in (model.layers[0].linear, model.head):
            layer.weight.copy_(0.25 * sign(layer.weight))
        model.head.bias.copy_(torch.tensor([0.125, 0.0, -0.25]))
        model.layers[0].norm.momentum = 1.0
        model.train()(signs)
        before = model.eval()(signs)
        binarise(model, signs, by="after-sign")
        assert torch.equal(model(signs), 4 * before)
