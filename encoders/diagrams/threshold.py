"""The decision diagram of one threshold, in whole numbers alone, built row by row without any diagram package."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

FALSE, TRUE = 0, 1


@dataclass(frozen=True)
class ThresholdDiagram:
    """A reduced ordered diagram: node 0 is false, node 1 true, node k + 2 is steps[k] = (bit, low, high).

    A node is "high if this bit is 1, else low"; children come before their parents. root is a node number.
    """

    steps: tuple[tuple[int, int, int], ...]
    root: int


def threshold_diagram(weights: Sequence[int], bound: int, most: int) -> ThresholdDiagram | None:
    """Return the diagram of weights · bits >= bound, its bits tested in the given order; None if it has more than most nodes.

    Row i (from the last bit to the first) holds the sums still missing before bit i, cut into intervals within which
    all further bits decide alike; neighbours that decide alike are one interval, so every row is as short as it can be.
    The intervals are those of Abío, Nieuwenhuis, Oliveras, Rodríguez-Carbonell and Mayer-Eichberger, "A New Look at BDDs
    for Pseudo-Boolean Constraints", JAIR 45 (2012), section 5, here found level by level instead of by recursion.
    """
    needed = _needed(weights, bound)
    steps: list[tuple[int, int, int]] = []
    starts, nodes = [min(needed[-1][0], 0), 1], [TRUE, FALSE]  # after the last bit: nothing more is needed, or it is lost
    for i in range(len(weights) - 1, -1, -1):
        starts, nodes = _row(i, weights[i], needed[i], starts, nodes, steps)
        if len(steps) > most:
            return None
    return _reached(steps, nodes[bisect_right(starts, bound) - 1])


def _needed(weights: Sequence[int], bound: int) -> list[tuple[int, int]]:
    """Return, before each bit and after the last, the smallest and largest sum that can still be needed."""
    spans = [(bound, bound)]
    for w in weights:
        low, high = spans[-1]
        spans.append((low - max(w, 0), high - min(w, 0)))
    return spans


def _row(
    bit: int, weight: int, span: tuple[int, int], starts: list[int], nodes: list[int], steps: list[tuple[int, int, int]]
) -> tuple[list[int], list[int]]:
    """Return the intervals of the row above starts and nodes, and append its new nodes to steps."""
    first, last = span
    cuts = {first, *(s + shift for s in starts for shift in (0, weight) if first < s + shift <= last)}
    above: tuple[list[int], list[int]] = ([], [])
    known: dict[tuple[int, int], int] = {}
    for cut in sorted(cuts):
        low, high = (nodes[max(bisect_right(starts, cut - taken) - 1, 0)] for taken in (0, weight))
        node = low
        if low != high:
            node = known.setdefault((low, high), len(steps) + 2)
            if node == len(steps) + 2:
                steps.append((bit, low, high))
        if not above[1] or above[1][-1] != node:
            above[0].append(cut)
            above[1].append(node)
    return above


def _reached(steps: list[tuple[int, int, int]], root: int) -> ThresholdDiagram:
    """Return the part of the steps that root leads to, renumbered."""
    used = {root}
    for k in range(len(steps) - 1, -1, -1):
        if k + 2 in used:
            used.update(steps[k][1:])
    number = {FALSE: FALSE, TRUE: TRUE}
    used_steps: list[tuple[int, int, int]] = []
    for k, (bit, low, high) in enumerate(steps):
        if k + 2 in used:
            number[k + 2] = len(used_steps) + 2
            used_steps.append((bit, number[low], number[high]))
    return ThresholdDiagram(tuple(used_steps), number[root])
