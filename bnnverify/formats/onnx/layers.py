"""From tensors to layers: signs of sums, maxima of signs, codings of the input, and class scores, all evaluated by the source.

ONNX defines Sign(0) = 0. Every value that a layer reads must be -1 or +1, at every sum before it; a graph with a 0 is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.formats.onnx.file import Graph
from bnnverify.formats.onnx.wires import Pool, Wires, evaluated
from bnnverify.formats.trained import Floats, Layer, Output, Sums
from bnnverify.formats.windows import OUTSIDE, check_size
from bnnverify.model.coding import InputCoding
from bnnverify.model.fold import steps_of, sums_of
from bnnverify.model.matrix import Matrix, Sparse, fitting

Single = NDArray[np.float32]

LEVELS = 256


def layers_of(graph: Graph, wires: Wires, weights: Matrix, reader: str) -> list[Layer]:
    """Return the layers whose last one gives the signs that reader reads: one, or two where a maximum is taken in between."""
    if wires.pool is not None:
        return _pooled(graph, wires, wires.pool, weights, reader)
    table = evaluated(graph, wires, sums_of(weights))
    _check_signs(table, wires, reader)
    return [_tabulated(weights, table)]


def _check_signs(table: Floats, wires: Wires, reader: str) -> None:
    if not np.all(np.abs(table) == 1):
        some = ", ".join(f"{value:g}" for value in np.unique(table)[:4])
        rule = " (Sign(0) is 0 in ONNX)" if np.any(table == 0) and np.all(np.isin(table, (-1, 0, 1))) else ""
        raise BadModel(f"{reader}: expected only -1 and +1 from {wires.source}, got values such as {some}{rule}")


def _tabulated(weights: Matrix, table: Floats) -> Layer:
    """Return the layer that answers from a table over all of its sums, in the order of sums_of."""
    largest, column, signs = weights.sizes, np.arange(len(weights)), table.astype(np.int8)

    def activation(sums: Sums) -> Floats:
        return np.asarray(signs[(sums + largest) // 2, column], dtype=np.float32)

    return Layer(weights, activation)


def _pooled(graph: Graph, wires: Wires, pool: Pool, weights: Matrix, reader: str) -> list[Layer]:
    """Return a layer of the windows' members, each as if it were the maximum, and one that joins them.

    The sign behind the maximum rises with it (then one firing member is enough) or falls with it (then all must fire).
    """
    before = evaluated(graph, pool.before, sums_of(weights))
    largest_member = pool.members.max(axis=1, keepdims=True)
    members = np.where(pool.members == OUTSIDE, largest_member, pool.members)  # a repeated member changes no maximum
    check_size(before.shape[0] * members.size, "answers about the members of windows")
    values = before[:, members]
    after = np.stack([evaluated(graph, wires, values[:, :, e]) for e in range(members.shape[1])], axis=2)
    _check_signs(after, wires, reader)
    falls = _falls(values, after, wires)
    return _joined(weights, members, after.reshape(len(after), -1), falls)


def _falls(values: Floats, after: Floats, wires: Wires) -> NDArray[np.bool_]:
    """Return which windows' answers fall as their maximum grows: (windows,)."""
    by_window = values.transpose(1, 0, 2).reshape(values.shape[1], -1)
    order = np.argsort(by_window, axis=1, kind="stable")
    turns = np.diff(np.take_along_axis(after.transpose(1, 0, 2).reshape(by_window.shape), order, axis=1), axis=1)
    rises, falls = np.any(turns > 0, axis=1), np.any(turns < 0, axis=1)
    if np.any(rises & falls):
        raise BadModel(f"{wires.source}: expected signs that only rise or only fall with the maximum before them, got both")
    return np.asarray(falls)


def _joined(weights: Matrix, members: NDArray[np.int64], after: Floats, falls: NDArray[np.bool_]) -> list[Layer]:
    """Return the layer of members, alike ones once, and the OR (or AND, where answers fall) of each window."""
    rows = members.ravel()
    keys = np.hstack([rows[:, None].view(np.uint8), np.packbits(after.T > 0, axis=1)])
    _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    pairs = np.stack([np.repeat(np.arange(len(members)), members.shape[1]), which.ravel()])
    window, member = np.unique(pairs, axis=1)
    windows = Sparse.of((len(members), len(first)), window, member, np.ones(len(window)))
    spare = windows.sizes - 1

    def activation(sums: Sums) -> Floats:
        return np.asarray(sums + np.where(falls, -spare, spare), dtype=np.float64)

    return [_tabulated(weights[rows[first]], after[:, first]), Layer(fitting(windows), activation)]


@dataclass(frozen=True, eq=False)
class InputLayer:
    """How the source's input becomes bits. levels: the input number of each byte; without a coding the input is -1 and +1."""

    coding: InputCoding | None
    levels: Single
    note: str


def input_layer_of(graph: Graph, wires: Wires, reader: str) -> InputLayer:
    """Return how pictures become the signs that reader reads: bytes as v / 255, bytes as such, or signs already."""
    if not wires.acts:
        raise BadModel(f"{reader}: expected -1 and +1 from a Sign before it, got the graph's own input: real numbers")
    byte = np.arange(LEVELS, dtype=np.float32)
    enter = {"v / 255": byte / np.float32(255), "v": byte}
    for form, levels in enter.items():
        answers = _entering(graph, wires, levels)
        if np.all(np.abs(answers) == 1):
            falls, place = steps_of(answers > 0, answers.shape, f"{wires.source}: pixel")
            if np.any(falls):
                raise BadModel(
                    f"{wires.source}: expected pixels that switch on with brightness, got {falls.sum()} that switch off"
                )
            if np.any((place > 0) & (place < LEVELS)):
                return InputLayer(
                    InputCoding(place, shape=_picture(wires.start_shape)), levels, f"A pixel byte v enters as {form}."
                )
    signs = np.array([-1, 1], dtype=np.float32)
    answers = _entering(graph, wires, signs)
    if np.all(answers == signs[:, None]):
        return InputLayer(None, signs, "The input is -1 and +1, one number per bit.")
    raise BadModel(
        f"{reader}: expected -1 and +1 from {wires.source}, stepping up for bytes v entering as v / 255 or v, or from -1 to +1, "
        f"got values such as {', '.join(f'{value:g}' for value in np.unique(answers)[:4])}"
    )


def _entering(graph: Graph, wires: Wires, levels: Single) -> Floats:
    return evaluated(graph, wires, np.broadcast_to(levels[:, None], (len(levels), wires.places.size)))


def _picture(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Return rows and columns of a grey picture, or None: a row of pixels is a picture where it is a square of them."""
    sides = [side for side in shape if side > 1]
    if len(sides) == 1:
        sides = [int(sides[0] ** 0.5)] * 2
    return (sides[0], sides[1]) if len(sides) == 2 and sides[0] * sides[1] == np.prod(shape) else None


def output_of(graph: Graph, wires: Wires, weights: Matrix, *, gap: float) -> Output:
    """Return the last layer: scores that grow with their sums, all alike or with one bias per class."""
    rows = wires.places.ravel()
    most = int(weights.sizes.max(initial=0))
    check_size((2 * most + 1) * len(rows), "scores to evaluate")
    every = np.broadcast_to(np.arange(-most, most + 1)[:, None], (2 * most + 1, len(rows)))
    table = evaluated(graph, wires, every)[:, rows]
    if not np.all(np.diff(table, axis=0) > 0):
        raise BadModel(f"{wires.source}: expected scores that grow with their sums, got others")
    alike = bool(np.all(table == table[:, :1]))
    if not alike and [step.op for step in wires.acts] not in (["Add"], ["Sub"]):
        raise BadModel(f"{wires.source}: expected scores that treat all classes alike, or one bias per class, got other ones")
    biases = np.zeros(len(rows)) if alike else table[most]

    def scores(sums: Sums) -> Floats:
        return np.asarray(table[sums + most, np.arange(len(rows))])

    return Output(weights[rows].dense(), biases, scores, gap=gap)
