"""Convolutions and maxima become sparse threshold rows, equal to onnxruntime on every input."""

import re

import numpy as np
import pytest

from bnnverify.encoders.presolve.presolve import presolve
from bnnverify.errors import BadModel
from bnnverify.formats import load, save
from bnnverify.formats.windows import OUTSIDE, Window, convolution_rows
from bnnverify.model.network import Network
from bnnverify.problem.ball import HammingBall
from tests.support.enumerated import every_input
from tests.support.onnx_graphs import Sketch, classes


def equal(sketch, path):
    network = load(sketch.save(path))
    np.testing.assert_array_equal(network(every_input(network.inputs)), classes(sketch))
    return network


def start(rows=3, columns=4, channels=1, seed=0):
    return Sketch(1, channels, rows, columns, seed=seed).then("Sign")


def dense(sketch, n, m=3):
    return sketch.then("Flatten").dense(n, m)


@pytest.mark.parametrize(
    ("attributes", "positions"),
    [
        ({}, 6),
        ({"pads": [1, 1, 1, 1]}, 20),
        ({"pads": [0, 1, 1, 0]}, 12),
        ({"strides": [1, 2]}, 4),
        ({"strides": [2, 3], "pads": [1, 0, 0, 1]}, 4),
        ({"dilations": [2, 3]}, 1),
    ],
)
def test_convolutions(tmp_path, attributes, positions):
    sketch = start().conv(5, 1, 2, 2, **attributes).norm(5).sign()
    assert equal(dense(sketch, 5 * positions), tmp_path / "net").widths == (12, 5 * positions, 3)


def test_groups_bias_and_two_convolutions(tmp_path):
    sketch = start(2, 3, 2).conv(4, 1, 2, 2, group=2)
    sketch.nodes.pop()
    sketch.last = "t0"
    sketch.then("Conv", sketch.signs(4, 1, 2, 2), np.float32([0.5, -2, 0, 4]), group=2).sign().conv(3, 4, 1, 2).norm(3).sign()
    assert equal(dense(sketch, 3), tmp_path / "net").widths == (12, 8, 3, 3)


def test_channels_last_as_tensorflow_exports_them(tmp_path):
    sketch = Sketch("N", 2, 3, 2).then("Sign").then("Transpose", perm=[0, 3, 1, 2]).conv(3, 2, 2, 2)
    sketch.then("Transpose", perm=[0, 2, 3, 1]).then("Mul", np.float32([2, -1, 0.5])).then(
        "Add", np.float32([1, 3, -2])
    ).sign().then("Reshape", np.int64([-1, 6])).dense(6, 4).then("Softmax")
    assert equal(sketch, tmp_path / "net").widths == (12, 6, 4)


SIGNS = {
    "pool, norm, sign": lambda s, p: s.then("MaxPool", **p).norm(5).sign(),
    "norm, pool, sign": lambda s, p: s.norm(5).then("MaxPool", **p).sign(),
    "norm, sign, pool": lambda s, p: s.norm(5).sign().then("MaxPool", **p),
    "norm, pool, norm, sign": lambda s, p: s.norm(5).then("MaxPool", **p).norm(5, scale=[-1, 1, 0]).sign(),
}


@pytest.mark.parametrize("order", SIGNS)
@pytest.mark.parametrize(
    ("pool", "positions"),
    [
        ({"kernel_shape": [2, 3]}, 1),
        ({"kernel_shape": [2, 2]}, 2),  # windows overlap
        ({"kernel_shape": [1, 1]}, 6),
        ({"kernel_shape": [2, 2], "strides": [2, 2], "pads": [1, 1, 1, 1]}, 4),
    ],
)
def test_maxima_in_every_place(tmp_path, order, pool, positions):
    """Scales of both signs and 0 before and after the maximum: it rises or falls with its members, or does not matter."""
    sketch = SIGNS[order](start().conv(5, 1, 2, 2), pool)
    network = equal(dense(sketch, 5 * positions), tmp_path / "net")
    assert network.widths[0] == 12
    assert network.widths[2:] == (5 * positions, 3)


def test_a_maximum_of_signs_is_an_or_with_bound_one(tmp_path):
    sketch = start(2, 2).then("Conv", np.ones((1, 1, 1, 1), np.float32)).sign().then("MaxPool", kernel_shape=[2, 2])
    sketch.then("Flatten").then("MatMul", np.float32([[1, -1]]))
    network = equal(sketch, tmp_path / "net")
    assert (network.blocks[1].weights.tolist(), network.blocks[1].bounds.tolist()) == ([[1, 1, 1, 1]], [1])


def test_falling_signs_after_a_maximum_are_an_and(tmp_path):
    sketch = start(2, 2).then("Conv", np.ones((1, 1, 1, 1), np.float32)).then("MaxPool", kernel_shape=[2, 2]).then("Neg").sign()
    sketch.then("Flatten").then("MatMul", np.float32([[1, -1]]))
    network = equal(sketch, tmp_path / "net")
    assert network.blocks[1].bounds.tolist() == [4]


def test_members_shared_by_windows_are_one_neuron(tmp_path):
    sketch = start().conv(2, 1, 2, 2).norm(2).sign().then("MaxPool", kernel_shape=[2, 2])
    assert equal(dense(sketch, 4), tmp_path / "net").widths == (12, 12, 4, 3)


REFUSED = {
    "average": (
        lambda s: s.conv(2, 1, 2, 2).sign().then("AveragePool", kernel_shape=[2, 2]),
        "AveragePool 'averagepool5': expected an",
    ),
    "global average": (
        lambda s: s.conv(2, 1, 2, 2).sign().then("GlobalAveragePool"),
        "GlobalAveragePool 'globalaveragepool5': expected",
    ),
    "same": (
        lambda s: s.conv(2, 1, 2, 2, auto_pad="SAME_UPPER"),
        "Conv 'conv1': expected windows over rows and columns with stated pads",
    ),
    "ceiling": (
        lambda s: s.conv(2, 1, 2, 2).then("MaxPool", kernel_shape=[2, 2], ceil_mode=1),
        "MaxPool 'maxpool2': expected plain",
    ),
    "one dimension": (
        lambda s: s.then("Reshape", np.int64([1, 1, 12])).then("Conv", s.signs(2, 1, 3)),
        "weights: expected 4 dimensions",
    ),
    "channels": (
        lambda s: s.conv(2, 3, 2, 2),
        "Conv 'conv1': expected 1 input channels in 1 groups, got a kernel of shape (2, 3, 2, 2)",
    ),
    "large kernel": (lambda s: s.conv(2, 1, 4, 4), "Conv 'conv1': expected a window of at most (3, 4) after padding, got (4, 4)"),
    "zero stride": (lambda s: s.conv(2, 1, 2, 2, strides=[0, 1]), "Conv 'conv1': expected a kernel, strides"),
    "three pads": (lambda s: s.conv(2, 1, 2, 2, pads=[0, 1, 1]), "Conv 'conv1': expected 4 whole numbers pads, got [0, 1, 1]"),
    "wide pads": (lambda s: s.conv(2, 1, 2, 2, pads=[10**6] * 4), "expected at most 33554432 padded inputs"),
    "many rows": (lambda s: s.conv(2, 1, 2, 2, pads=[1100] * 4), "33554432 weights of 9702012 rows, 4 each (256 MiB), got"),
    "two maxima": (
        lambda s: s.conv(2, 1, 1, 1).then("MaxPool", kernel_shape=[2, 2]).then("MaxPool", kernel_shape=[2, 2]),
        "MaxPool 'maxpool3': expected one maximum per layer",
    ),
    "a maximum of pixels": (
        lambda s: s.then("MaxPool", kernel_shape=[2, 2]),
        "MaxPool 'maxpool1': expected one maximum per layer",
    ),
    "real maxima": (
        lambda s: s.conv(2, 1, 2, 2).then("MaxPool", kernel_shape=[2, 2]).conv(1, 2, 1, 1),
        "Conv 'conv3': expected only -1 and +1 from MaxPool 'maxpool2', got values such as",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_operation_is_named_by_its_node(tmp_path, name):
    draw, sentence = REFUSED[name]
    sketch = start()
    draw(sketch)
    with pytest.raises(BadModel, match=re.escape(sentence)) as caught:
        load(sketch.save(tmp_path / "net"))
    assert "\n" not in str(caught.value)


def test_windows_by_hand():
    places = np.arange(6).reshape(1, 2, 3)
    seen = Window((2, 2), pads=(0, 0, 0, 1)).over(places)
    assert seen.tolist() == [[[[0, 1, 3, 4], [1, 2, 4, 5], [2, OUTSIDE, 5, OUTSIDE]]]]
    rows, shape = convolution_rows(np.array([[[[1, -1], [2, 3]]]]), Window((2, 2), pads=(0, 0, 0, 1)), places, 6)
    assert shape == (1, 3)
    assert rows.dense().tolist() == [[1, -1, 0, 2, 3, 0], [0, 1, -1, 0, 2, 3], [0, 0, 1, 0, 0, 2]]


def test_a_picture_as_large_as_mnist_proves_itself_on_ten_thousand_inputs(tmp_path):
    sketch = Sketch("N", 1, 12, 12).then("Mul", np.float32(2)).then("Sub", np.float32(1)).then("Sign")
    sketch.conv(4, 1, 3, 3, strides=[2, 2]).norm(4).sign().then("MaxPool", kernel_shape=[2, 2], strides=[2, 2]).then(
        "Flatten"
    ).dense(16, 10)
    network = load(sketch.save(tmp_path / "net"))
    assert isinstance(network, Network)
    assert (network.widths, network.coding.shape) == ((144, 64, 16, 10), (12, 12))
    assert "on 10002 inputs" in network.notes[0]


@pytest.mark.slow
@pytest.mark.parametrize("pool", [False, True])
def test_two_convolutions_of_usual_width_never_become_dense(tmp_path, pool):
    """The second one would have 2.3 GB of weights with its zeros, 12 MB without."""
    sketch = Sketch("N", 1, 28, 28).then("Sub", np.float32(0.5)).then("Sign")
    sketch.conv(16, 1, 3, 3, pads=[1, 1, 1, 1]).norm(16).sign().conv(32, 16, 2, 2)
    sketch = sketch.then("MaxPool", kernel_shape=[2, 2], strides=[2, 2]) if pool else sketch
    network = load(dense(sketch.norm(32).sign(), 5408 if pool else 23328, 10).save(tmp_path / "net"))
    assert network.widths == ((784, 12544, 21632, 5408, 10) if pool else (784, 12544, 23328, 10))
    assert sum(block.matrix.size for block in network.blocks) <= 144 * 784 + 64 * 23328  # rows of constant neurons are empty
    save(network, tmp_path / "saved")
    assert load(tmp_path / "saved").sha256 == network.sha256
    image = np.random.default_rng(0).integers(0, 2, 784)
    assert sum(presolve(network, HammingBall(image, 1)).live) > 1000
