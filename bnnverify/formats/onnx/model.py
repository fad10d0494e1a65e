"""ONNX and QONNX graphs of sign networks: linear layers, 2-D convolutions and maxima between signs, then class scores.

onnxruntime evaluates every layer at every sum, so its rounding is ours; the result is compared with its run of the graph.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bnnverify.formats.onnx.file import read_graph
from bnnverify.formats.onnx.graph import Reading, layers_in
from bnnverify.formats.onnx.validation import input_batches, validate
from bnnverify.formats.signature import Format, Signature
from bnnverify.formats.trained import Trial, network_of
from bnnverify.model.network import Network

IR_VERSION, NEWEST_IR = 0x08, 32  # a protocol buffer whose first field is the version of the intermediate representation


def matches(signature: Signature) -> bool:
    """Return whether this begins as ONNX files do."""
    return len(signature.start) > 1 and signature.start[0] == IR_VERSION and 0 < signature.start[1] < NEWEST_IR


def read(path: Path) -> Network:
    """Return the network of a graph, proven against onnxruntime. Raises BadModel; MissingExtra without onnx and onnxruntime."""
    reading = layers_in(read_graph(path))
    first = reading.layers[0].weights if reading.layers else reading.output.weights
    some = next(input_batches(first.shape[1], reading.input_layer)).bits
    trial = Trial(some, (2 * some.astype("int8") - 1).astype("int8"), "some inputs")
    network = network_of(reading.layers, reading.output, name=path.stem, coding=reading.input_layer.coding, trial=trial)
    count = validate(reading, network)
    return replace(network, notes=(*_notes(reading, count), network.notes[-1]))


def _notes(reading: Reading, count: int) -> tuple[str, ...]:
    quantized = reading.graph.quantized
    return (
        f"Equal to onnxruntime's run of the graph on {count} inputs: the signs that every layer reads, and the class.",
        "Sign(0) is 0 in ONNX: no layer ever reads one, at any sum it can come from; among equal scores the lowest class wins.",
        *([f"{quantized} BipolarQuant nodes ran as Less and Where: +scale from 0 on."] if quantized else []),
        reading.input_layer.note,
    )


FORMAT = Format("ONNX graph (.onnx)", matches, read)
