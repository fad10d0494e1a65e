"""Pixel-threshold files equal their formula on pixels, and reproduce what was published about them."""

import csv
import re

import numpy as np
import pytest

from bnnverify.data.samples import read_samples
from bnnverify.errors import BadModel
from bnnverify.formats import load
from bnnverify.model.fold import steps_of
from tests.support.requirements import DATA, needs_data

PIXEL = DATA / "msakai-bnn"
FIELDS = ("gamma", "beta", "avg_mean", "avg_var")


def pixel_arrays(seed=0, n=6):
    random = np.random.default_rng(seed)

    def norm(name, m, mean, var):
        values = (random.random(m) + 0.1, random.normal(0, 0.5, m), mean, var)
        return {f"{name}/{field}": value.astype(np.float32) for field, value in zip(FIELDS, values, strict=True)}

    arrays = norm("input_bn", n, random.random(n), np.append(random.random(n - 1) / 10, 6e-45))
    for k, (before, after) in enumerate([(n, 5), (5, 4)]):
        arrays |= norm(f"blocks/{k}/bn", after, random.normal(0, 1, after), random.random(after) * 9)
        arrays[f"blocks/{k}/bn/gamma"][0] *= -1
        arrays[f"blocks/{k}/lin/W"] = random.choice([-1, 1], (after, before)).astype(np.float32)
        arrays[f"blocks/{k}/lin/b"] = random.normal(0, 0.1, after).astype(np.float32)
    arrays["output_lin/W"] = random.choice([-1, 1], (3, 4)).astype(np.float32)
    arrays["output_lin/b"] = random.normal(0, 0.5, 3).astype(np.float32)
    return arrays


def pixel_class(arrays, pixels):
    """The published formula in float64, pixel bytes in, without asking the importer anything."""

    def norm(values, name):
        gamma, beta, mean, var = (arrays[f"{name}/{field}"].astype(float) for field in FIELDS)
        return np.where(gamma * (values - mean) / np.sqrt(var + 2e-5) + beta >= 0, 1.0, -1.0)

    x = norm(pixels / 255, "input_bn")
    for k in range(len([name for name in arrays if name.endswith("/lin/W")])):
        x = norm(x @ arrays[f"blocks/{k}/lin/W"].T + arrays[f"blocks/{k}/lin/b"], f"blocks/{k}/bn")
    return np.argmax(x @ arrays["output_lin/W"].T + arrays["output_lin/b"].astype(float), axis=1)


@pytest.mark.parametrize("seed", range(4))
def test_pixel_file_equals_the_formula(tmp_path, seed):
    arrays = pixel_arrays(seed)
    np.savez(tmp_path / "net.npz", **arrays)
    network = load(tmp_path / "net.npz")
    pixels = np.random.default_rng(9).integers(0, 256, (3000, 6))
    np.testing.assert_array_equal(network(network.coding.bits(pixels)), pixel_class(arrays, pixels))
    assert (network.coding.shape, network.coding.maximum) == (None, 255)


def test_pixels_that_are_always_or_never_on(tmp_path):
    arrays = pixel_arrays()
    arrays["input_bn/beta"][:2] = [100, -100]
    np.savez(tmp_path / "net.npz", **arrays)
    coding = load(tmp_path / "net.npz").coding
    assert (coding.thresholds[:2].tolist(), coding.flippable[:2].tolist()) == ([0, 256], [False, False])


def test_a_threshold_that_is_one_too_high_is_refused(tmp_path, monkeypatch):
    np.savez(tmp_path / "net.npz", **pixel_arrays())

    def late(answers, shape, name):
        falls, place = steps_of(answers, shape, name)
        return falls, place + 1

    monkeypatch.setattr("bnnverify.formats.pixel_npz.steps_of", late)
    with pytest.raises(BadModel, match="block 0: expected the folded network to equal its source"):
        load(tmp_path / "net.npz")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"input_bn/gamma": None}, "expected the array input_bn/gamma, which is missing"),
        ({"blocks/1/bn/beta": None}, "expected the array blocks/1/bn/beta"),
        ({"output_lin/W": None}, "expected the array output_lin/W"),
        ({"blocks/0/lin/b": np.full(5, np.nan, np.float32)}, "expected finite numbers"),
        ({"blocks/0/lin/W": np.full((5, 6), 0.5, np.float32)}, "expected a matrix of -1, 0 and 1"),
        ({"blocks/0/lin/W": np.ones((5, 7), np.float32)}, "expected float32 of shape (7,)"),
        ({"blocks/1/lin/W": np.ones((4, 6), np.float32)}, "layer 1: expected 5 inputs"),
        ({"blocks/0/bn/avg_var": np.full(5, -1, np.float32)}, "expected variances of at least 0"),
        ({"input_bn/gamma": np.full(6, -50, np.float32)}, "that switch off"),
        ({"input_bn/gamma": np.full(6, 1.0)}, "expected float32"),
    ],
)
def test_bad_pixel_files(tmp_path, change, sentence):
    arrays = {**pixel_arrays(), **change}
    np.savez(tmp_path / "net.npz", **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(BadModel, match=re.escape(sentence)):
        load(tmp_path / "net.npz")


@needs_data
def test_pixel_network_on_mnist():
    network = load(PIXEL / "mnist.npz")
    assert network.widths == (784, 200, 100, 100, 100, 10)
    assert (~network.coding.flippable).sum() == 101
    assert (~load(PIXEL / "mnist_rot_reordered.npz").coding.flippable).sum() == 12
    samples = read_samples("mnist", network, data_dir=DATA)
    assert (network(samples.bits) == samples.labels).mean() == pytest.approx(0.9587, abs=1e-12)


def published():
    with (PIXEL / "published_optima.csv").open() as file:
        return list(csv.DictReader(file))


@needs_data
@pytest.mark.parametrize("name", ["mnist", "mnist_rot"])
def test_published_perturbations(name):
    """Each published optimum: flipping its pixels gives its class, at its cost."""
    image = pytest.importorskip("PIL.Image")
    network = load(PIXEL / {"mnist": "mnist.npz", "mnist_rot": "mnist_rot_reordered.npz"}[name])
    lines = [line for line in published() if line["dataset"] == name and line["flipped_pixels_of_published_solution"]]
    assert len(lines) == 3
    for line in lines:
        with image.open(PIXEL / f"bnn_{name}_{line['index']}_label{line['label']}.png") as picture:
            pixels = np.asarray(picture).ravel().astype(int)
        bits = network.coding.bits(pixels)
        assert network(bits) == int(line["label"])
        places = [int(place) for place in line["flipped_pixels_of_published_solution"].split()]
        thresholds = network.coding.thresholds
        costs = [int(thresholds[i] - pixels[i] if pixels[i] < thresholds[i] else pixels[i] - thresholds[i] + 1) for i in places]
        cost = {"0": len(costs), "1": sum(costs), "2": sum(c * c for c in costs), "inf": max(costs)}[line["norm"]]
        bits[places] ^= 1
        assert (cost, network(bits)) == (int(line["optimum"]), int(line["adversarial_class_of_published_solution"]))
        assert network.coding.flippable[places].all()
