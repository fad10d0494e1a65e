"""A computed tensor of a graph, in terms of the sums before it: the row of each element, and the steps between."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.formats.onnx.file import Array, Graph, Node, part
from bnnverify.formats.onnx.runtime import run_model
from bnnverify.formats.trained import Floats
from bnnverify.formats.windows import Places
from bnnverify.model.matrix import Matrix

LAYOUT = ("Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Identity")  # they move elements, and change none
MOST_RUNS = 2**17  # of one layer's steps; some seconds


@dataclass(frozen=True, eq=False)
class Pool:
    """A maximum over windows. members: (windows, size) rows of the tensor before it; OUTSIDE where a window reads padding."""

    before: Wires
    members: Places


@dataclass(frozen=True, eq=False)
class Wires:
    """The tensor `name`: its element e is the result of the steps on row places[e] of the tensor `start`.

    start_shape: of start, whose rows are numbered in its own order. places: (1, ...), each row once. weights: (rows, n) over
    the ±1 bits of the layer before; None for the graph's input. depth: the number of layers before. maker: the name of
    the node that computed start.
    """

    name: str
    start: str
    start_shape: tuple[int, ...]
    places: Places
    weights: Matrix | None
    depth: int
    maker: str
    steps: tuple[Node, ...] = ()
    pool: Pool | None = None

    def then(self, node: Node, places: Places) -> Wires:
        """Return the tensor after one more node that treats each element by itself, or only moves them about."""
        return replace(self, name=node.outputs[0], places=places, steps=(*self.steps, node))

    @property
    def acts(self) -> tuple[Node, ...]:
        """Return the steps that may change a value."""
        return tuple(step for step in self.steps if step.op not in LAYOUT)

    @property
    def source(self) -> str:
        """Return the name of the node that computed these values, for sentences."""
        return str(self.acts[-1]) if self.acts else self.maker


def wires_from(
    name: str, shape: tuple[int, ...], weights: Matrix | None, *, depth: int, maker: str, pool: Pool | None = None
) -> Wires:
    """Return the tensor `name` of this shape before any step: element e is row e."""
    count = int(np.prod(shape, dtype=np.int64))
    return Wires(name, name, shape, np.arange(count).reshape(shape), weights, depth, maker, pool=pool)


def evaluated(graph: Graph, wires: Wires, values: NDArray[np.generic]) -> Floats:
    """Return the source's results for values of start, row by row: (k, rows) to (k, rows)."""
    if len(values) > MOST_RUNS:
        raise BadModel(f"{wires.source}: expected at most {MOST_RUNS} sums to evaluate, got {len(values)}")
    if not wires.steps:
        return np.asarray(values, dtype=np.float64)
    model = part(graph, wires.steps, {wires.start: np.zeros(wires.start_shape, dtype=np.float32)}, [wires.name])
    given = ({wires.start: row.reshape(wires.start_shape).astype(np.float32)} for row in values)
    found = np.empty(values.shape)
    for row, (answer,) in zip(found, run_model(model, given), strict=True):
        row[wires.places.ravel()] = answer.ravel()
    return found


def run_node(graph: Graph, node: Node, feeds: dict[str, Array]) -> Array:
    """Return the one output of a single node, computed by the source."""
    (((answer,)),) = run_model(part(graph, [node], feeds, node.outputs), [feeds])
    return np.asarray(answer)
