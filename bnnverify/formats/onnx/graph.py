"""Reading a graph from input to classes: signs, linear layers and convolutions, maxima; anything else is refused by name.

Only chains of layers are read: a graph in which a node reads two computed tensors (a residual connection), or two layers read one
tensor, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bnnverify.errors import BadModel
from bnnverify.formats.onnx.file import LARGEST_CONSTANT, Array, Graph, Node, new_node
from bnnverify.formats.onnx.layers import InputLayer, input_layer_of, layers_of, output_of
from bnnverify.formats.onnx.rows import bias, convolution, maximum, product
from bnnverify.formats.onnx.wires import LAYOUT, Wires, run_node, wires_from
from bnnverify.formats.trained import Layer, Output
from bnnverify.formats.windows import Places

ELEMENTWISE = (
    *("Add", "Sub", "Mul", "Div", "Neg", "Clip", "Tanh", "Sign", "BatchNormalization", "Cast"),
    *("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Not", "Where"),
)
FOLDED = (*LAYOUT, *ELEMENTWISE, "Gather", "Concat", "Pow", "Sqrt")
LINEAR = {"MatMul": product, "Gemm": product, "Conv": convolution}
SOFTMAX_GAP = 2.0**-20  # scores this close to the largest may become equal to it in a softmax


@dataclass(frozen=True, eq=False)
class SignTensor:
    """A tensor of signs that the folded network computes too: element e is bit places[e] behind so many blocks."""

    tensor: str
    blocks: int
    places: Places


@dataclass(frozen=True, eq=False)
class Scores:
    """The last layer's scores. tensor: the one whose largest element is the class. chosen: that of the class itself, if any."""

    wires: Wires
    tensor: str
    gap: float = 0.0
    chosen: str = ""


@dataclass(frozen=True, eq=False)
class Reading:
    """A graph as layers over bits, with the tensors of signs on which the two can be compared."""

    graph: Graph
    input_layer: InputLayer
    layers: list[Layer]
    output: Output
    scores: Scores
    sign_tensors: list[SignTensor]


def layers_in(graph: Graph) -> Reading:
    """Return the layers of a graph. Raises BadModel, which names the node that cannot be read."""
    return _Walk(graph).reading()


class _Walk:
    """One pass over the nodes. constants: tensors with known values; computed: those that depend on the input."""

    def __init__(self, graph: Graph) -> None:
        self.constants: dict[str, Array] = dict(graph.constants)
        self.graph = replace(graph, constants=self.constants)
        self.computed: dict[str, Wires | Scores] = {}
        self.layers: list[Layer] = []
        self.sign_tensors: list[SignTensor] = []
        self.input_layer: InputLayer | None = None
        self.depth = 0

    def reading(self) -> Reading:
        start = wires_from(self.graph.input, self.graph.shape, None, depth=0, maker="the graph's input")
        self.computed[start.name] = start
        for node in self.graph.nodes:
            self._add_node(node)
        last = self.computed.get(self.graph.output)
        if last is None:
            raise BadModel(f"output {self.graph.output[:80]!r}: expected a tensor that depends on the input, got none")
        scores = last if isinstance(last, Scores) else Scores(last, last.name)
        wires = scores.wires
        if wires.weights is None or self.input_layer is None or wires.pool is not None or wires.depth != self.depth:
            raise BadModel(f"{wires.source}: expected the scores of a linear layer at the end, got other values")
        output = output_of(self.graph, wires, wires.weights, gap=scores.gap)
        return Reading(self.graph, self.input_layer, self.layers, output, scores, self.sign_tensors)

    def _add_node(self, node: Node) -> None:
        name = node.outputs[0]
        for tensor in node.inputs:
            if tensor and tensor not in self.constants and tensor not in self.computed:
                raise BadModel(f"{node}: expected the tensor {tensor[:80]!r} before it, which is missing")
        if name in self.constants or name in self.computed:
            raise BadModel(f"{node}: expected a new tensor, got a second {name[:80]!r}")
        sources = [tensor for tensor in node.inputs if tensor in self.computed]
        if not sources:
            self.constants[name] = self._constant(node)
            return
        if len(sources) > 1:
            raise BadModel(f"{node}: expected one computed tensor and constants, got {len(sources)} that meet (as in a residual)")
        wires = self.computed[sources[0]]
        if node.op == "ArgMax":
            self.computed[name] = _chosen(node, wires)
        elif isinstance(wires, Scores):
            raise BadModel(f"{node}: expected nothing but ArgMax after the softmax or the class")
        elif node.op == "Shape" and not node.attributes:
            self.constants[name] = np.array(wires.places.shape, dtype=np.int64)
        else:
            self.computed[name] = self._follow(node, wires)

    def _constant(self, node: Node) -> Array:
        if node.op == "Constant" and isinstance(value := node.attributes.get("value"), np.ndarray):
            return value
        if node.op not in FOLDED:
            raise BadModel(f"{node}: expected constants made by {', '.join(FOLDED)}, got another operation")
        arrays = [self.constants[tensor] for tensor in node.inputs if tensor]
        size = sum(array.size for array in arrays)
        if node.op == "Gather":
            size = int(np.prod([array.size for array in arrays], dtype=object))
        elif node.op not in LAYOUT and node.op != "Concat":
            size = int(np.prod(_together(node, *(array.shape for array in arrays)), dtype=object))
        if size > LARGEST_CONSTANT:
            raise BadModel(f"{node}: expected at most {LARGEST_CONSTANT} numbers, got {size}")
        return run_node(self.graph, node, {})

    def _follow(self, node: Node, wires: Wires) -> Wires | Scores:
        if node.op in LAYOUT:
            return wires.then(node, self._moved(node, wires))
        if node.op in ELEMENTWISE:
            return wires.then(node, self._same_shape(node, wires))
        if node.op in LINEAR:
            return self._layer(node, wires)
        if node.op == "MaxPool":
            return maximum(node, wires)
        if node.op in ("Softmax", "LogSoftmax"):
            _check_classes(node, wires, node.number("axis", 1 if self.graph.opset < 13 else -1))
            return Scores(wires, node.outputs[0], SOFTMAX_GAP)
        known = ", ".join((*LAYOUT, *ELEMENTWISE, *LINEAR, "MaxPool", "Softmax", "LogSoftmax", "ArgMax"))
        raise BadModel(f"{node}: expected an operation that becomes thresholds over signs ({known})")

    def _moved(self, node: Node, wires: Wires) -> Places:
        if node.inputs[0] != wires.name:
            raise BadModel(f"{node}: expected constants for the new layout, got a computed tensor")
        places = run_node(self.graph, node, {wires.name: wires.places})
        if places.size != wires.places.size or places.shape[:1] != (1,):
            raise BadModel(f"{node}: expected a layout that keeps the first axis for pictures, got shape {places.shape} for one")
        return places

    def _same_shape(self, node: Node, wires: Wires) -> Places:
        if node.op == "BatchNormalization":
            if node.inputs[0] != wires.name or node.number("training_mode", 0) or not node.number("spatial", 1):
                raise BadModel(f"{node}: expected a batch norm in evaluation mode with constant parameters per channel")
            return wires.places
        others = (self.constants[tensor].shape for tensor in node.inputs if tensor and tensor != wires.name)
        if _together(node, wires.places.shape, *others) != wires.places.shape:
            raise BadModel(f"{node}: expected constants that fit shape {wires.places.shape}, got larger ones")
        return wires.places

    def _end_layer(self, wires: Wires, node: Node) -> None:
        """Add the layers that end in these wires."""
        if wires.depth != self.depth:
            raise BadModel(f"{node}: expected the newest layer, got {wires.source}, which another layer has read: a branch")
        if wires.weights is None:
            self.input_layer = input_layer_of(self.graph, wires, str(node))
        else:
            self.layers += layers_of(self.graph, wires, wires.weights, str(node))
        self.depth += 1
        self.sign_tensors.append(SignTensor(wires.name, len(self.layers), wires.places))

    def _layer(self, node: Node, wires: Wires) -> Wires:
        """Return the sums of a linear layer over the signs of wires, its bias added as a step of its own."""
        self._end_layer(wires, node)
        rows, shape = LINEAR[node.op](node, wires, self.constants)
        added = bias(node, self.constants, shape)
        if added is None:
            return wires_from(node.outputs[0], shape, rows, depth=self.depth, maker=str(node))
        sums, name = f"{node.outputs[0]}.sums", f"{node.outputs[0]}.bias"
        self.constants[name] = added
        wires = wires_from(sums, shape, rows, depth=self.depth, maker=str(node))
        return wires.then(new_node("Add", [sums, name], node.outputs[0], name=node.name), wires.places)


def _together(node: Node, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise BadModel(f"{node}: expected shapes that fit together, got {', '.join(map(str, shapes))}") from error


def _check_classes(node: Node, wires: Wires, axis: float) -> None:
    if wires.places.ndim != 2 or axis not in (1, -1):
        raise BadModel(f"{node}: expected classes on the last axis of (1, classes), got axis {axis} of {wires.places.shape}")


def _chosen(node: Node, source: Wires | Scores) -> Scores:
    scores = source if isinstance(source, Scores) else Scores(source, source.name)
    if scores.chosen or node.number("select_last_index", 0):
        raise BadModel(f"{node}: expected one ArgMax that prefers the lowest class")
    _check_classes(node, scores.wires, node.number("axis", 0))
    return replace(scores, chosen=node.outputs[0])
