"""Two networks as one: a class for every pair of answers, so that whoever can count can compare them."""

from __future__ import annotations

import numpy as np

from bnnverify.errors import BadModel
from bnnverify.model.arrays import LARGEST_SUM, Integers
from bnnverify.model.network import Block, Head, Network


def pair(a: Network, b: Network) -> Network:
    """Return the network that answers c * b.classes + k exactly where a answers c and b answers k.

    Blocks stand side by side; a neuron that both have is there once, so that what the two share is computed once. The
    shallower network gets blocks that hand its bits on. Scores are s_a[c] + s_b[k]: their largest is where both are largest,
    and ranks compare a's first. BadModel if the inputs differ or the scores become too large.
    """
    if a.inputs != b.inputs:
        raise BadModel(f"pair: expected two networks of equally many inputs, got {a.inputs} and {b.inputs}")
    left = right = np.arange(a.inputs)  # where each network finds its bits among the joint ones
    width, blocks = a.inputs, []
    for i in range(max(len(a.blocks), len(b.blocks))):
        rows = np.concatenate([_rows(a, i, left, width), _rows(b, i, right, width)])
        different, place = _different(rows)
        blocks.append(Block(different[:, :-1], different[:, -1]))
        cut = len(rows) - (b.blocks[i].outputs if i < len(b.blocks) else len(right))
        left, right, width = place[:cut], place[cut:], len(different)
    return Network(tuple(blocks), _head(a, b, left, right, width), a.coding, f"{a.name} and {b.name}")


def _rows(network: Network, i: int, where: Integers, width: int) -> Integers:
    """Return block i over the joint bits, bounds in the last column; behind the last block, its bits are handed on."""
    if i < len(network.blocks):
        weights, bounds = network.blocks[i].weights, network.blocks[i].bounds
    else:
        weights, bounds = np.eye(len(where), dtype=np.int64), np.ones(len(where), dtype=np.int64)
    return np.column_stack([_spread(weights, where, width), bounds])


def _spread(weights: Integers, where: Integers, width: int) -> Integers:
    """Return weights with column j at where[j]; columns that meet, since their bits are equal, are added."""
    spread = np.zeros((len(weights), width), dtype=np.int64)
    np.add.at(spread.T, where, weights.T)
    return spread


def _different(rows: Integers) -> tuple[Integers, Integers]:
    """Return the different rows in the order in which they first come, and for each row which of them it is."""
    _, first, place = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.argsort(order)
    return rows[first[order]], rank[place.ravel()]


def _head(a: Network, b: Network, left: Integers, right: Integers, width: int) -> Head:
    if a.head is None or b.head is None:
        raise BadModel("pair: expected two networks with a head, got a prefix without one")
    if _largest(a.head) + _largest(b.head) >= LARGEST_SUM:
        raise BadModel("pair: expected scores that stay below 2^62 when added, got larger ones")
    heads = (_spread(a.head.weights, left, width), _spread(b.head.weights, right, width))
    weights = (heads[0][:, None] + heads[1][None]).reshape(len(heads[0]) * len(heads[1]), width)
    offsets = (a.head.offsets[:, None] + b.head.offsets).ravel()
    ranks = (a.head.ranks[:, None] * b.head.classes + b.head.ranks).ravel()
    return Head(weights, offsets, ranks)


def _largest(head: Head) -> int:
    """Return the largest score there can be in absolute value, as a Python integer."""
    rows = zip(head.weights.tolist(), head.offsets.tolist(), strict=True)
    return max(int(sum(map(abs, row)) + abs(offset)) for row, offset in rows)
