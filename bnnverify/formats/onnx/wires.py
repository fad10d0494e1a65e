"""A computed tensor of a graph, seen from the sums it comes from: which row each element is, and what was done to it since."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.formats.onnx.file import Array, Graph, Node, part
from bnnverify.formats.onnx.runtime import answers
from bnnverify.formats.trained import Floats
from bnnverify.formats.windows import Places
from bnnverify.model.matrix import Matrix

LAYOUT = ("Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Identity")  # they move elements, and change none
MOST_RUNS = 2**17  # of one layer's steps; some seconds


@dataclass(frozen=True, eq=False)
class Pool:
    """A maximum over windows. members: (windows, size) rows of what came before it; OUTSIDE where a window sees padding."""

    before: Wires
    members: Places


@dataclass(frozen=True, eq=False)
class Wires:
    """The tensor `name`: its element e is what the steps make of row places[e] of the tensor `start`.

    home: shape of start, whose rows are numbered in its own order. places: (1, ...), each row once. weights: (rows, n) over
    the ±1 bits of the layer before; None for the graph's input. depth: how many layers came before. maker: what gave start.
    """

    name: str
    start: str
    home: tuple[int, ...]
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
    def said(self) -> str:
        """Return what gave these values, for sentences."""
        return str(self.acts[-1]) if self.acts else self.maker


def wires_from(
    name: str, shape: tuple[int, ...], weights: Matrix | None, *, depth: int, maker: str, pool: Pool | None = None
) -> Wires:
    """Return the tensor `name` of this shape before any step: element e is row e."""
    count = int(np.prod(shape, dtype=np.int64))
    return Wires(name, name, shape, np.arange(count).reshape(shape), weights, depth, maker, pool=pool)


def asked(graph: Graph, wires: Wires, values: NDArray[np.generic]) -> Floats:
    """Return what the source makes of values of start, row by row: (k, rows) to (k, rows)."""
    if len(values) > MOST_RUNS:
        raise BadModel(f"{wires.said}: expected at most {MOST_RUNS} sums to ask for, got {len(values)}")
    if not wires.steps:
        return np.asarray(values, dtype=np.float64)
    model = part(graph, wires.steps, {wires.start: np.zeros(wires.home, dtype=np.float32)}, [wires.name])
    given = ({wires.start: row.reshape(wires.home).astype(np.float32)} for row in values)
    found = np.empty(values.shape)
    for row, (answer,) in zip(found, answers(model, given), strict=True):
        row[wires.places.ravel()] = answer.ravel()
    return found


def computed(graph: Graph, node: Node, feeds: dict[str, Array]) -> Array:
    """Return the one output of a single node, as the source computes it."""
    (((answer,)),) = answers(part(graph, [node], feeds, node.outputs), [feeds])
    return np.asarray(answer)
