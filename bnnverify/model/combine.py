"""Two networks as one: a class for every pair of answers, so that counts of its classes compare the two."""

from __future__ import annotations

import numpy as np

from bnnverify.errors import BadModel
from bnnverify.model.arrays import LARGEST_SUM, Integers
from bnnverify.model.matrix import Dense, Matrix, fitting, identity, stacked
from bnnverify.model.network import Block, Head, Network


def pair(a: Network, b: Network) -> Network:
    """Return the network that answers c * b.classes + k exactly where a answers c and b answers k.

    Blocks stand side by side; a neuron that both have is there once, and is computed once. The shallower network
    gets blocks that pass its bits on. Scores are s_a[c] + s_b[k]: their largest is where both are largest,
    and ranks compare a's first. BadModel if the inputs differ or the scores become too large.
    """
    if a.inputs != b.inputs:
        raise BadModel(f"pair: expected two networks of equally many inputs, got {a.inputs} and {b.inputs}")
    left = right = np.arange(a.inputs)  # where each network finds its bits among the joint ones
    width, blocks = a.inputs, []
    for i in range(max(len(a.blocks), len(b.blocks))):
        ours, theirs = _over(a, i, left, width), _over(b, i, right, width)
        joint = Block(stacked([ours.matrix, theirs.matrix]), np.concatenate([ours.bounds, theirs.bounds]))
        first, place = _distinct(joint)
        blocks.append(Block(fitting(joint.matrix[first]), joint.bounds[first]))
        left, right, width = place[: ours.outputs], place[ours.outputs :], len(first)
    return Network(tuple(blocks), _head(a, b, left, right, width), a.coding, f"{a.name} and {b.name}")


def _over(network: Network, i: int, columns: Integers, width: int) -> Block:
    """Return block i over the joint bits; behind the last block, one that passes its bits on."""
    if i < len(network.blocks):
        block = network.blocks[i]
        return Block(_regrouped(block.matrix, columns, width), block.bounds)
    return Block(_regrouped(identity(len(columns)), columns, width), np.ones(len(columns), dtype=np.int64))


def _regrouped(weights: Matrix, columns: Integers, width: int) -> Matrix:
    """Return weights with column j at columns[j]; columns of one bit are added."""
    return weights.regrouped(columns, np.ones_like(columns), width)


def _distinct(block: Block) -> tuple[Integers, Integers]:
    """Return the distinct neurons, ascending, the first of those that are equal, and for each neuron its place among them."""
    place: dict[tuple[bytes, bytes, int], int] = {}
    first, which = list[int](), list[int]()
    for j, bound in enumerate(block.bounds.tolist()):
        positions, weights = block.matrix.row(j)
        key = positions.tobytes(), weights.tobytes(), bound
        if key not in place:
            place[key] = len(first)
            first.append(j)
        which.append(place[key])
    return np.array(first, dtype=np.int64), np.array(which, dtype=np.int64)


def _head(a: Network, b: Network, left: Integers, right: Integers, width: int) -> Head:
    if a.head is None or b.head is None:
        raise BadModel("pair: expected two networks with a head, got a prefix without one")
    if _largest(a.head) + _largest(b.head) >= LARGEST_SUM:
        raise BadModel("pair: expected scores that stay below 2^62 when added, got larger ones")
    heads = [_regrouped(Dense(head.weights), columns, width).dense() for head, columns in ((a.head, left), (b.head, right))]
    weights = (heads[0][:, None] + heads[1][None]).reshape(len(heads[0]) * len(heads[1]), width)
    offsets = (a.head.offsets[:, None] + b.head.offsets).ravel()
    ranks = (a.head.ranks[:, None] * b.head.classes + b.head.ranks).ravel()
    return Head(weights, offsets, ranks)


def _largest(head: Head) -> int:
    """Return the largest score there can be in absolute value, as a Python integer."""
    rows = zip(head.weights.tolist(), head.offsets.tolist(), strict=True)
    return max(int(sum(map(abs, row)) + abs(offset)) for row, offset in rows)
