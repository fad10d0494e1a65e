"""The linear operations and maxima of a graph as rows over bits; refusals name the node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from bnnverify.errors import BadModel
from bnnverify.formats.onnx.file import Array, Node
from bnnverify.formats.onnx.wires import Pool, Wires, wires_from
from bnnverify.formats.windows import Window, check_size, convolution_rows
from bnnverify.model.arrays import Integers, as_integers
from bnnverify.model.matrix import Matrix, as_rows, fitting

PLAIN = (("alpha", 1), ("beta", 1), ("transA", 0))  # of a Gemm


@contextmanager
def _at(node: Node) -> Iterator[None]:
    """Begin the sentence of any BadModel inside with the node."""
    try:
        yield
    except BadModel as error:
        raise BadModel(f"{node}: {error}") from error


def product(node: Node, wires: Wires, constants: Mapping[str, Array]) -> tuple[Matrix, tuple[int, ...]]:
    """Return a weight row per output of a MatMul or Gemm over the rows of wires, and the shape of its sums."""
    weights = _weights(node, constants, 2)
    weights = weights if node.number("transB", 0) else weights.T
    if wires.places.shape != (1, weights.shape[1]) or any(node.number(key, plain) != plain for key, plain in PLAIN):
        raise BadModel(f"{node}: expected a plain product of (1, {weights.shape[1]}) with its weights, got {wires.places.shape}")
    with _at(node):
        check_size(weights.size, "weights")
    rows = np.empty_like(weights)
    rows[:, wires.places.ravel()] = weights
    return as_rows(rows, "weights"), (1, len(rows))


def convolution(node: Node, wires: Wires, constants: Mapping[str, Array]) -> tuple[Matrix, tuple[int, ...]]:
    """Return a sparse weight row per channel and position of a Conv over the rows of wires, and the shape of its sums."""
    kernel = _weights(node, constants, 4)
    window = _window(node, kernel.shape[2:], wires)
    with _at(node):
        groups = int(node.number("group", 1))
        rows, (down, across) = convolution_rows(kernel, window, wires.places[0], wires.places.size, groups=groups)
    return fitting(rows), (1, len(kernel), down, across)


def maximum(node: Node, wires: Wires) -> Wires:
    """Return the tensor after a MaxPool over the sums of a layer, or over later values of them."""
    if wires.weights is None or wires.pool is not None:
        raise BadModel(f"{node}: expected one maximum per layer, after its convolution, got {wires.source} before it")
    if node.number("ceil_mode", 0) or node.number("storage_order", 0):
        raise BadModel(f"{node}: expected plain windows, got ceil_mode or storage_order")
    window = _window(node, node.numbers("kernel_shape", (0, 0)), wires)
    with _at(node):
        inputs = window.over(wires.places[0])
    pool = Pool(wires, inputs.reshape(-1, inputs.shape[3]))
    if np.any(pool.members.max(axis=1, initial=-1) < 0):
        raise BadModel(f"{node}: expected windows that hold more than padding")
    return wires_from(node.outputs[0], (1, *inputs.shape[:3]), wires.weights, depth=wires.depth, maker=str(node), pool=pool)


def bias(node: Node, constants: Mapping[str, Array], shape: tuple[int, ...]) -> Array | None:
    """Return the node's bias per channel, shaped to be added to sums of this shape; None where it has none."""
    if len(node.inputs) < 3 or not node.inputs[2]:
        return None
    numbers = constants.get(node.inputs[2])
    if numbers is None or numbers.size not in (1, shape[1]):
        raise BadModel(f"{node}: expected a constant bias, one number per output")
    return np.broadcast_to(numbers.ravel(), shape[1]).reshape(1, -1, *(1 for _ in shape[2:]))


def _weights(node: Node, constants: Mapping[str, Array], ndim: int) -> Integers:
    if node.inputs[0] in constants or len(node.inputs) < 2 or node.inputs[1] not in constants:
        raise BadModel(f"{node}: expected a computed tensor, then constant weights")
    with _at(node):
        return as_integers(constants[node.inputs[1]], "weights", ndim)


def _window(node: Node, kernel: tuple[int, ...], wires: Wires) -> Window:
    padding = node.attributes.get("auto_pad", b"NOTSET")
    if wires.places.ndim != 4 or not isinstance(padding, bytes) or padding not in (b"NOTSET", b"VALID"):
        raise BadModel(f"{node}: expected windows over rows and columns with stated pads, got {wires.places.shape}, {padding!r}")
    (high, wide), (down, across) = kernel, node.numbers("strides", (1, 1))
    (top, left, bottom, right), (lower, further) = node.numbers("pads", (0, 0, 0, 0)), node.numbers("dilations", (1, 1))
    with _at(node):
        return Window((high, wide), (down, across), (top, left, bottom, right), (lower, further))
