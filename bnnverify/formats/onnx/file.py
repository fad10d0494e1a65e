"""ONNX files as plain nodes and constants, and parts of them as models of their own: the only importer of the onnx package.

No node of a file is run here. A file that keeps its weights elsewhere, holds functions of its own or is damaged is refused.
QONNX's BipolarQuant (+scale from 0 on, else -scale) becomes the standard nodes Less, Neg and Where, which any runtime knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.extras import needed
from bnnverify.formats.arrays import DAMAGE, reason

Array = NDArray[Any]

PURPOSE, EXTRA = "reading ONNX files", "onnx"
LARGEST_FILE = 2**30
LARGEST_CONSTANT = 2**26  # numbers in one tensor
OPSETS = range(7, 26)  # from 7 on broadcasting is numpy's
STANDARD = ("", "ai.onnx")
QUANTIZED = ("onnx.brevitas", "qonnx.custom_op.general", "finn.custom_op.general")
ZERO = "bnnverify.zero"


@dataclass(frozen=True, eq=False)
class Node:
    """One operation. name: as in the file, or that of its first output; inputs left out have the empty name."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    proto: Any

    def __str__(self) -> str:
        return f"{self.op} {self.name[:80]!r}"

    def number(self, name: str, default: int) -> int | float:
        """Return the attribute of this name, a number."""
        value = self.attributes.get(name, default)
        if not isinstance(value, int | float):
            raise BadModel(f"{self}: expected a number {name}, got {type(value).__name__}")
        return value

    def numbers(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """Return the attribute of this name, as many whole numbers as the default has."""
        value = self.attributes.get(name, default)
        if not isinstance(value, list | tuple) or len(value) != len(default) or not all(isinstance(v, int) for v in value):
            raise BadModel(f"{self}: expected {len(default)} whole numbers {name}, got {str(value)[:80]}")
        return tuple(value)


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph with one float32 input of fixed shape (1, ...) and one output; nodes come in topological order."""

    nodes: tuple[Node, ...]
    constants: Mapping[str, Array]
    input: str
    shape: tuple[int, ...]
    output: str
    opset: int
    quantized: int  # nodes that were BipolarQuant


def _onnx() -> Any:
    with needed(PURPOSE, "onnx", extra=EXTRA):
        import onnx
        import onnx.numpy_helper
    return onnx


def read_graph(path: Path) -> Graph:
    """Return the graph of a file. Raises BadModel in one sentence; MissingExtra without the package."""
    model = _model(path)
    graph = model.graph
    if model.functions or graph.sparse_initializer:
        raise BadModel("expected a graph of plain nodes and dense weights, got functions or sparse weights of its own")
    opsets = [entry.version for entry in model.opset_import if entry.domain in STANDARD]
    if len(opsets) != 1 or opsets[0] not in OPSETS:
        raise BadModel(f"expected one ONNX opset from {OPSETS[0]} to {OPSETS[-1]}, got {opsets or 'none'}")
    constants = {_text(tensor.name): _array(tensor) for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1 or not graph.node:
        raise BadModel(f"expected nodes, one input and one output, got {len(graph.node)}, {len(inputs)} and {len(graph.output)}")
    nodes = [_node(proto) for proto in graph.node]
    plain = [step for node in nodes for step in (_bipolar(node) if node.op == "BipolarQuant" else [node])]
    quantized = sum(node.op == "BipolarQuant" for node in nodes)
    constants |= {ZERO: np.zeros((), dtype=np.float32)} if quantized else {}
    first, last = _text(inputs[0].name), _text(graph.output[0].name)
    return Graph(tuple(plain), constants, first, _shape(inputs[0]), last, opsets[0], quantized)


def _model(path: Path) -> Any:
    onnx = _onnx()
    with needed(PURPOSE, "protobuf", extra=EXTRA):
        from google.protobuf.message import DecodeError
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise BadModel(f"expected an ONNX file of at most {LARGEST_FILE >> 20} MiB, got {size >> 20} MiB")
        return onnx.load_model_from_string(path.read_bytes())
    except BadModel:
        raise
    except (DecodeError, *DAMAGE) as error:
        raise BadModel(f"expected an ONNX model, got a truncated or damaged file ({reason(error)})") from error


def _array(tensor: Any) -> Array:
    """Return the numbers of a tensor; its stated size is checked before any memory is taken."""
    onnx = _onnx()
    name, shape = tensor.name[:80], tuple(tensor.dims)
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise BadModel(f"tensor {name!r}: expected its numbers in the file itself, got a reference to another file")
    if any(d < 0 for d in shape) or prod(shape) > LARGEST_CONSTANT:
        raise BadModel(f"tensor {name!r}: expected at most {LARGEST_CONSTANT} numbers, got shape {shape}")
    try:
        array = np.asarray(onnx.numpy_helper.to_array(tensor))
    except DAMAGE as error:
        raise BadModel(f"tensor {name!r}: expected {prod(shape)} numbers, got damaged ones ({reason(error)})") from error
    if array.shape != shape or array.dtype.kind not in "fiub" or not np.all(np.isfinite(array)):
        raise BadModel(f"tensor {name!r}: expected finite numbers, got {array.dtype} of shape {array.shape}, NaN or infinity")
    return array


def _shape(value: Any) -> tuple[int, ...]:
    """Return the shape of the graph's input for one picture; its first axis counts pictures."""
    kind = value.type.tensor_type
    first, *rest = [d.dim_value for d in kind.shape.dim] or [0]
    if kind.elem_type != _onnx().TensorProto.FLOAT or first > 1 or not rest or min(rest) < 1 or prod(rest) > LARGEST_CONSTANT:
        raise BadModel(f"input {value.name[:80]!r}: expected float32 of shape (1, n, ...), got {[first or '?', *rest]}")
    return (1, *rest)


def _node(proto: Any) -> Node:
    onnx = _onnx()
    name = _text(proto.name or next(iter(proto.output), ""))
    inputs, outputs = tuple(map(_text, proto.input)), tuple(map(_text, proto.output))
    op = _text(proto.op_type)
    if not op.isidentifier():
        raise BadModel(f"node {name[:80]!r}: expected an operation's name, got {op[:80]!r}")
    label = f"{op[:80]} {name[:80]!r}"
    if proto.domain not in (QUANTIZED if op == "BipolarQuant" else STANDARD):
        raise BadModel(f"{label}: expected a standard operation or BipolarQuant, got one of the domain {proto.domain[:80]!r}")
    if len(outputs) != 1 or not outputs[0]:
        raise BadModel(f"{label}: expected one output, got {len(outputs)}")
    attributes: dict[str, Any] = {}
    for attribute in proto.attribute:
        try:
            value = onnx.helper.get_attribute_value(attribute)
        except DAMAGE as error:
            raise BadModel(f"{label}: expected readable attributes, got {reason(error)}") from error
        attributes[_text(attribute.name)] = _array(value) if isinstance(value, onnx.TensorProto) else value
    return Node(op, name, inputs, outputs, attributes, proto)


def _text(name: object) -> str:
    """Return a name of the file; protocol buffers give bytes where it is no text."""
    if not isinstance(name, str):
        raise BadModel(f"expected names in UTF-8, got {str(name)[:80]}")
    return name


def new_node(op: str, inputs: Sequence[str], output: str, *, name: str) -> Node:
    """Return a standard node without attributes. name: of the node it stands for."""
    return Node(op, name, tuple(inputs), (output,), {}, _onnx().helper.make_node(op, inputs, [output]))


def _bipolar(node: Node) -> list[Node]:
    if len(node.inputs) != 2:
        raise BadModel(f"{node}: expected values and a scale, got {len(node.inputs)} inputs")
    values, scale = node.inputs
    below, minus = f"{node.outputs[0]}.below", f"{node.outputs[0]}.minus"
    return [
        new_node("Less", [values, ZERO], below, name=node.name),
        new_node("Neg", [scale], minus, name=node.name),
        new_node("Where", [below, minus, scale], node.outputs[0], name=node.name),
    ]


def part(graph: Graph, nodes: Sequence[Node], feeds: Mapping[str, Array], outputs: Sequence[str]) -> bytes:
    """Return these nodes as a model of its own, with the graph's constants. feeds: tensors of its inputs' shapes and types."""
    onnx = _onnx()
    made_here = {name for node in nodes for name in node.outputs}
    used = {name for node in nodes for name in node.inputs} - made_here - set(feeds)
    initializers = [onnx.numpy_helper.from_array(array, name) for name, array in graph.constants.items() if name in used]
    feeds_info = [
        onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in feeds.items()
    ]
    results = [onnx.ValueInfoProto(name=name) for name in outputs]  # the runtime finds type and shape
    inner = onnx.helper.make_graph([node.proto for node in nodes], "part", feeds_info, results, initializers)
    version = onnx.helper.make_opsetid("", graph.opset)
    model = onnx.helper.make_model(inner, opset_imports=[version], ir_version=8)
    return bytes(model.SerializeToString())
