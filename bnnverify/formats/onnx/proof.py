"""An ONNX import proves itself: onnxruntime runs the whole graph on 10,000 inputs; all signs and the class must agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.formats.onnx.file import Array, part
from bnnverify.formats.onnx.graph import Reading
from bnnverify.formats.onnx.layers import Door, Single
from bnnverify.formats.onnx.runtime import answers
from bnnverify.formats.trained import ENOUGH, trial
from bnnverify.model.arrays import Bits
from bnnverify.model.fold import merges
from bnnverify.model.network import Network

AT_ONCE = 250
FEW = 14  # bits up to which all inputs are tried


@dataclass(frozen=True, eq=False)
class Inputs:
    """What both see. bits: (N, n) for the folded network; numbers: (N, n) for the source's own input."""

    bits: Bits
    numbers: Single


def tried(n: int, door: Door) -> Iterator[Inputs]:
    """Yield all inputs of few bits; of more, constant ones and random ones of every density, ENOUGH in all."""
    random = np.random.default_rng(0)
    if n <= FEW:
        yield _entering(trial(n).bits, door, random)
        return
    yield _entering(np.vstack([np.zeros((1, n)), np.ones((1, n))]).astype(np.uint8), door, random)
    for _ in range(ENOUGH // AT_ONCE):
        yield _entering((random.random((AT_ONCE, n)) < random.random((AT_ONCE, 1))).astype(np.uint8), door, random)


def _entering(bits: Bits, door: Door, random: np.random.Generator) -> Inputs:
    """Return bits as the source gets them; of pictures half of the pixels are next to their threshold, half at an end."""
    if door.coding is None:
        return Inputs(bits, door.levels[bits])
    thresholds, most = door.coding.thresholds, door.coding.maximum
    near = random.random(bits.shape) < 0.5
    pixels = np.where(bits == 1, np.where(near, thresholds, most), np.where(near, thresholds - 1, 0))
    pixels = np.clip(pixels, 0, most)
    return Inputs(door.coding.bits(pixels), door.levels[pixels])


def prove(reading: Reading, network: Network) -> int:
    """Return on how many inputs the network equals its source; raise BadModel where it does not."""
    graph, scores = reading.graph, reading.scores
    wanted = [*(mark.tensor for mark in reading.marks), scores.tensor, scores.chosen]
    names = list(dict.fromkeys(name for name in wanted if name))
    blank: Array = np.zeros(graph.shape, dtype=np.float32)
    model = part(graph, graph.nodes, {graph.input: blank}, names)
    count, checked = 0, tried(network.inputs, reading.door)
    batches: list[Inputs] = []

    def one_by_one() -> Iterator[dict[str, Array]]:
        for inputs in checked:
            batches.append(inputs)
            yield from ({graph.input: row.reshape(graph.shape)} for row in inputs.numbers)

    found: list[list[Array]] = []
    for answer in answers(model, one_by_one()):
        found.append([part.ravel() for part in answer])
        if len(found) == len(batches[0].bits):
            seen = {name: np.stack(rows) for name, rows in zip(names, zip(*found, strict=True), strict=True)}
            _compare(reading, network, batches.pop(0).bits, seen)
            count, found = count + len(found), []
    return count


def _compare(reading: Reading, network: Network, bits: Bits, seen: dict[str, Array]) -> None:
    hidden, done = bits, 0
    for mark in reading.marks:
        for block in network.blocks[done : mark.blocks]:
            hidden = block(hidden)
        done = mark.blocks
        _refuse_if(np.any(seen[mark.tensor] != 2.0 * hidden[:, mark.places.ravel()] - 1, axis=1), f"{mark.blocks} blocks in")
    ours, scores = np.asarray(network.tail(done)(hidden)), seen[reading.scores.tensor]
    theirs = seen[reading.scores.chosen][:, 0] if reading.scores.chosen else np.argmax(scores, axis=1)
    differ = ours != theirs
    if np.any(differ) and _may_merge(reading):  # only where the source's floats cannot tell it from their own winner
        differ &= scores[np.arange(len(ours)), ours] < scores.max(axis=1)
    _refuse_if(differ, "class")


def _may_merge(reading: Reading) -> bool:
    output = reading.output
    return merges(output.weights, output.biases, output.scores, gap=output.gap)


def _refuse_if(differ: NDArray[np.bool_], what: str) -> None:
    if np.any(differ):
        wrong = f"{differ.sum()} different answers in {len(differ)}"
        raise BadModel(f"{what}: expected the folded network to equal onnxruntime, got {wrong}")
