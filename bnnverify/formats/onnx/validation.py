"""The validation of an ONNX import: onnxruntime runs the complete graph on 10,000 inputs; all signs and the class must agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.formats.onnx.file import Array, part
from bnnverify.formats.onnx.graph import Reading
from bnnverify.formats.onnx.layers import InputLayer, Single
from bnnverify.formats.onnx.runtime import run_model
from bnnverify.formats.trained import TRIAL_INPUTS, trial_inputs
from bnnverify.model.arrays import Bits
from bnnverify.model.fold import merges
from bnnverify.model.network import Network

AT_ONCE = 250
FEW = 14  # bits up to which all inputs are tried


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs for both sides. bits: (N, n) for the folded network; numbers: (N, n) for the source's own input."""

    bits: Bits
    numbers: Single


def input_batches(n: int, input_layer: InputLayer) -> Iterator[Inputs]:
    """Yield all inputs of few bits; of more, constant ones and random ones of every density, ENOUGH in all."""
    random = np.random.default_rng(0)
    if n <= FEW:
        yield _entering(trial_inputs(n).bits, input_layer, random)
        return
    yield _entering(np.vstack([np.zeros((1, n)), np.ones((1, n))]).astype(np.uint8), input_layer, random)
    for _ in range(TRIAL_INPUTS // AT_ONCE):
        yield _entering((random.random((AT_ONCE, n)) < random.random((AT_ONCE, 1))).astype(np.uint8), input_layer, random)


def _entering(bits: Bits, input_layer: InputLayer, random: np.random.Generator) -> Inputs:
    """Return bits with the source's input for them; half of a picture's pixels are next to their threshold, half at an end."""
    if input_layer.coding is None:
        return Inputs(bits, input_layer.levels[bits])
    thresholds, most = input_layer.coding.thresholds, input_layer.coding.maximum
    at_threshold = random.random(bits.shape) < 0.5
    pixels = np.where(bits == 1, np.where(at_threshold, thresholds, most), np.where(at_threshold, thresholds - 1, 0))
    pixels = np.clip(pixels, 0, most)
    return Inputs(input_layer.coding.bits(pixels), input_layer.levels[pixels])


def validate(reading: Reading, network: Network) -> int:
    """Return on how many inputs the network equals its source; raise BadModel where it does not."""
    graph, scores = reading.graph, reading.scores
    outputs = [*(signs.tensor for signs in reading.sign_tensors), scores.tensor, scores.chosen]
    names = list(dict.fromkeys(name for name in outputs if name))
    blank: Array = np.zeros(graph.shape, dtype=np.float32)
    model = part(graph, graph.nodes, {graph.input: blank}, names)
    count, checked = 0, input_batches(network.inputs, reading.input_layer)
    batches: list[Inputs] = []

    def one_by_one() -> Iterator[dict[str, Array]]:
        for inputs in checked:
            batches.append(inputs)
            yield from ({graph.input: row.reshape(graph.shape)} for row in inputs.numbers)

    found: list[list[Array]] = []
    for answer in run_model(model, one_by_one()):
        found.append([part.ravel() for part in answer])
        if len(found) == len(batches[0].bits):
            values = {name: np.stack(rows) for name, rows in zip(names, zip(*found, strict=True), strict=True)}
            _compare(reading, network, batches.pop(0).bits, values)
            count, found = count + len(found), []
    return count


def _compare(reading: Reading, network: Network, bits: Bits, values: dict[str, Array]) -> None:
    hidden, done = bits, 0
    for signs in reading.sign_tensors:
        for block in network.blocks[done : signs.blocks]:
            hidden = block(hidden)
        done = signs.blocks
        _refuse_if(np.any(values[signs.tensor] != 2.0 * hidden[:, signs.places.ravel()] - 1, axis=1), f"{signs.blocks} blocks in")
    ours, scores = np.asarray(network.tail(done)(hidden)), values[reading.scores.tensor]
    theirs = values[reading.scores.chosen][:, 0] if reading.scores.chosen else np.argmax(scores, axis=1)
    differ = ours != theirs
    if np.any(differ) and _may_merge(reading):  # only where the source's floats do not separate it from their own winner
        differ &= scores[np.arange(len(ours)), ours] < scores.max(axis=1)
    _refuse_if(differ, "class")


def _may_merge(reading: Reading) -> bool:
    output = reading.output
    return merges(output.weights, output.biases, output.scores, gap=output.gap)


def _refuse_if(differ: NDArray[np.bool_], name: str) -> None:
    if np.any(differ):
        wrong = f"{differ.sum()} different answers in {len(differ)}"
        raise BadModel(f"{name}: expected the folded network to equal onnxruntime, got {wrong}")
