"""The pixel-threshold .npz family written by Chainer (msakai/bnn-verification): one learned threshold per 8-bit pixel.

A pixel byte v enters as v / 255, has a batch norm of its own, then sign. Hidden blocks are linear, batch norm, sign; the
output layer is linear. Everything is float32 and eps is 2e-5, in the order of operations of Chainer's own evaluation. All
arithmetic is evaluated at every value that can occur: bytes 0..255 for a pixel, every sum for a neuron.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.formats.arrays import Arrays, arrays_in
from bnnverify.formats.signature import Format, Signature
from bnnverify.formats.trained import TRIAL_INPUTS, Floats, Layer, Output, Signs, Sums, Trial, network_of
from bnnverify.model.arrays import Integers, as_integers
from bnnverify.model.coding import InputCoding
from bnnverify.model.fold import is_plus, steps_of
from bnnverify.model.network import Network

Single = NDArray[np.float32]

SHAPE = (28, 28)
EPS = 2e-5


@dataclass(frozen=True, eq=False)
class BatchNorm:
    """Chainer's batch norm in evaluation mode, every operation in float32 and in its order."""

    gamma: Single
    beta: Single
    mean: Single
    variance: Single

    def __call__(self, values: Single) -> Single:
        spread = np.sqrt(np.reciprocal(self.variance + np.float32(EPS)))
        return np.asarray(self.gamma * ((values - self.mean) * spread) + self.beta)


def matches(signature: Signature) -> bool:
    """Return whether this is an archive with a batch norm for its input."""
    return "input_bn/gamma.npy" in signature.names or "output_lin/W.npy" in signature.names


def read(path: Path) -> Network:
    """Return the network of such a file, with its input coding. Raises BadModel."""
    arrays = arrays_in(path, BadModel)
    depth = len({name.split("/")[1] for name in arrays if re.fullmatch(r"blocks/\d+/lin/W", name)})
    layers = [_layer(arrays, f"blocks/{k}") for k in range(depth)]
    output = _output(arrays)
    norm = _norm(arrays, "input_bn", (layers[0].weights if layers else output.weights).shape[1])
    coding, falls = _coding(norm)
    if np.any(falls):
        raise BadModel(f"input_bn/gamma: expected pixels that switch on with brightness, got {int(falls.sum())} that switch off")
    return network_of(layers, output, name=path.stem, coding=coding, trial=_trial(norm, coding))


def _floats(arrays: Arrays, name: str, shape: tuple[int, ...] | None = None) -> Single:
    if name not in arrays:
        raise BadModel(f"expected the array {name}, which is missing")
    array = arrays[name]
    if array.dtype != np.float32 or (shape is not None and array.shape != shape):
        raise BadModel(f"{name}: expected float32 of shape {shape or '(out, in)'}, got {array.dtype} of shape {array.shape}")
    if not np.all(np.isfinite(array)):
        raise BadModel(f"{name}: expected finite numbers, got NaN or infinity")
    return array.astype(np.float32)


def _norm(arrays: Arrays, name: str, n: int) -> BatchNorm:
    norm = BatchNorm(*(_floats(arrays, f"{name}/{field}", (n,)) for field in ("gamma", "beta", "avg_mean", "avg_var")))
    if np.any(norm.variance < 0):
        raise BadModel(f"{name}/avg_var: expected variances of at least 0, got {norm.variance.min()}")
    return norm


def _linear(arrays: Arrays, name: str) -> tuple[Integers, Single]:
    weights = _floats(arrays, f"{name}/W")
    if weights.ndim != 2 or not np.all(np.isin(weights, (-1, 0, 1))):
        raise BadModel(f"{name}/W: expected a matrix of -1, 0 and 1, got other values or shape {weights.shape}")
    return as_integers(weights, f"{name}/W", 2), _floats(arrays, f"{name}/b", (len(weights),))


def _layer(arrays: Arrays, name: str) -> Layer:
    weights, bias = _linear(arrays, f"{name}/lin")
    norm = _norm(arrays, f"{name}/bn", len(weights))

    def activation(sums: Sums) -> Single:
        return norm(sums.astype(np.float32) + bias)

    return Layer(weights, activation)


def _output(arrays: Arrays) -> Output:
    weights, biases = _linear(arrays, "output_lin")

    def scores(sums: Sums) -> Floats:
        return np.asarray(sums.astype(np.float32) + biases)

    return Output(weights, biases, scores)


def _is_on(norm: BatchNorm, pixels: NDArray[np.integer]) -> NDArray[np.bool_]:
    return is_plus(norm(pixels.astype(np.float32) / np.float32(255)))


def _coding(norm: BatchNorm) -> tuple[InputCoding, NDArray[np.bool_]]:
    """Return the byte from which each pixel is on (0: always, 256: never), and which pixels are on below a byte instead."""
    levels = np.broadcast_to(np.arange(256)[:, None], (256, len(norm.gamma)))
    falls, thresholds = steps_of(_is_on(norm, levels), levels.shape, "pixel")
    shape = SHAPE if len(thresholds) == SHAPE[0] * SHAPE[1] else None
    return InputCoding(thresholds, shape=shape), falls


def _trial(norm: BatchNorm, coding: InputCoding) -> Trial:
    """Return random pictures, half of their pixels at the threshold or just below it, with the source's own signs."""
    random = np.random.default_rng(0)
    shape = (TRIAL_INPUTS, len(coding.thresholds))
    beside = np.clip(coding.thresholds - random.integers(0, 2, shape), 0, 255)
    pixels = np.where(random.random(shape) < 0.5, beside, random.integers(0, 256, shape))
    is_on = _is_on(norm, pixels)
    signs: Signs = np.where(is_on, 1, -1).astype(np.int8)
    return Trial(coding.bits(pixels), signs, f"{TRIAL_INPUTS} random pictures, half of their pixels next to the threshold")


FORMAT = Format("pixel-threshold .npz", matches, read)
