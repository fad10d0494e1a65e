"""Training: layers act in whole numbers, gradients pass, and the trained network becomes a Network with the same answers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from bnnverify.data.pictures import digits_coding
from bnnverify.data.samples import digits
from bnnverify.errors import BadModel, BadQuery, BadSample, MissingExtra
from bnnverify.training import RECIPES, Recipe, ready, recipe_named, train
from tests.support.training_data import EVERY, few

torch = pytest.importorskip("torch", reason="needs the extra: train")

from bnnverify.training.networks.layers import BinarizedLinear, BinarizedNet  # noqa: E402
from bnnverify.training.networks.weights import sign  # noqa: E402
from bnnverify.training.stages.conversion import classes_of, integer_network  # noqa: E402

QUICK = Recipe(hidden=(8,), epochs=2)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def shaken(hidden: tuple[int, ...], weights: str, seed: int) -> BinarizedNet:
    """Return an untrained model with batch norms of either sign, zero and tiny, and bounds anywhere."""
    torch.manual_seed(seed)
    model = BinarizedNet(9, hidden, 4, weights=weights)
    for block in model.blocks:
        norm = block.norm
        scales = torch.randn(len(norm.weight))
        scales[0], scales[1] = 0.0, 1e-30
        norm.weight.data = scales
        norm.bias.data = torch.randn(len(norm.bias)) * 0.3
        norm.running_mean = torch.randint(-4, 5, norm.running_mean.shape).float()  # a step exactly on a sum, often
        norm.running_var = torch.rand(norm.running_var.shape) * 3
    model.head.bias.data = torch.randint(-64, 65, (4,)) / 32
    return model.eval()


def test_sign_of_zero_is_plus_one_and_gradients_pass_inside_one() -> None:
    values = torch.tensor([-2.0, -0.5, -0.0, 0.0, 0.5, 2.0], requires_grad=True)
    signs = sign(values)
    signs.sum().backward()
    assert signs.tolist() == [-1, -1, 1, 1, 1, 1]
    assert values.grad.tolist() == [0, 1, 1, 1, 1, 0]


def test_unknown_weights_and_recipes_are_refused() -> None:
    with pytest.raises(BadQuery, match=r"weights: expected one of sign, .*, got real"):
        BinarizedLinear(2, 2, weights="real")
    with pytest.raises(BadQuery, match=r"expected one of digits, digits-deep, .*, got nope"):
        recipe_named("nope")


@pytest.mark.parametrize("weights", ["sign", "stochastic", "biper", "ternary", "pruned", "int2", "int5"])
@pytest.mark.parametrize("hidden", [(), (7,), (7, 5)])
@pytest.mark.parametrize("seed", range(2))
def test_integer_networks_equal_their_model_on_every_input(weights: str, hidden: tuple[int, ...], seed: int) -> None:
    model = shaken(hidden, weights, seed)
    network = integer_network(model, inputs=EVERY)
    assert (network(EVERY) == classes_of(model, EVERY)).all()
    assert "on 10512 inputs" in network.notes[0]


def test_a_network_that_differs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = shaken((7,), "sign", 0)
    truth = classes_of(model, np.zeros((1, 9), dtype=np.uint8))
    monkeypatch.setattr("bnnverify.training.stages.conversion.classes_of", lambda _, bits: np.full(len(bits), (truth[0] + 1) % 4))
    with pytest.raises(BadModel, match="expected the same answers in whole numbers"):
        integer_network(model, inputs=np.zeros((1, 9), dtype=np.uint8))


def test_training_mode_is_refused() -> None:
    with pytest.raises(BadModel, match="got training mode"):
        integer_network(shaken((7,), "sign", 0).train(), inputs=np.zeros((1, 9), dtype=np.uint8))


def test_a_nan_in_batch_norm_is_refused() -> None:
    model = shaken((7,), "sign", 0)
    model.blocks[0].norm.bias.data[0] = float("nan")
    with pytest.raises(BadModel, match="NaN"):
        integer_network(model, inputs=np.zeros((1, 9), dtype=np.uint8))


def test_the_same_seed_gives_the_same_network_and_another_seed_another() -> None:
    first, again, other = (train(QUICK, few(), seed=seed).network.sha256 for seed in (1, 1, 2))
    assert first == again != other


def test_threads_and_random_numbers_of_the_caller_are_left_alone() -> None:
    torch.set_num_threads(2)
    torch.manual_seed(7)
    expected = torch.rand(3).tolist()
    torch.manual_seed(7)
    train(QUICK, few(), seed=1)
    assert torch.get_num_threads() == 2
    assert torch.rand(3).tolist() == expected


def test_progress_is_reported_once_per_pass() -> None:
    calls: list[tuple[int, int]] = []
    train(QUICK, few(), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 2), (2, 2)]


def test_a_last_batch_of_one_sample_is_no_trouble() -> None:
    assert len(train(replace(QUICK, batch=139), few()).seen) == 140


def test_samples_that_cannot_be_learnt_from_are_refused() -> None:
    with pytest.raises(BadSample, match="labels"):
        train(QUICK, replace(few(), labels=None))
    with pytest.raises(BadSample, match="both training and test, got 2"):
        train(QUICK, few(2))


def test_a_broken_torch_is_named_with_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch is gone')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torch")
    with pytest.raises(MissingExtra, match=r"cannot be imported \(libtorch is gone\): pip install 'bnnverify\[train\]'"):
        ready()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith("digits")])
def test_recipes_reach_nine_tenths_of_unseen_digits(name: str) -> None:
    trained = train(RECIPES[name], digits(), coding=digits_coding())
    assert trained.test_accuracy > Fraction(9, 10)
