"""A limit on the cost of flips as one more neuron, so that every engine keeps it without knowing of it.

A weighted budget is a threshold like any other: sum of costs <= limit. It joins the first layer, later layers copy its bit, and
in the head it decides for one more class that wins exactly beyond the limit. Questions about the other classes are then questions
about the points within the limit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.matrix import Dense, Matrix, identity, stacked
from bnnverify.model.network import Block, Head, Network
from bnnverify.problem.cost import Cost


def with_cost_limit(network: Network, center: Bits, cost: Cost, limit: int) -> Network:
    """Return a network that gives the class of network where the flips cost at most limit, and one more class beyond.

    It is meant for points that differ from center, (n,), where cost says that flips are possible. First-layer neurons that no
    such point within the limit can move are constants in it.
    """
    if network.head is None:
        raise BadModel("cost limit: expected a network with a head, got a prefix without one")
    first, *later = network.blocks or (Block(identity(network.inputs), np.ones(network.inputs, dtype=np.int64)),)
    first = _settled(first, center, cost, limit)
    signed = np.where(center == 1, cost.values, -cost.values)  # a flip of a 1 lowers the sum, as a flip of a 0 does
    paid = limit - int(cost.values[center == 1].sum())
    blocks = [Block(stacked([first.matrix, Dense(signed[None])]), np.append(first.bounds, -paid))]
    blocks += [Block(_with_one_more(block.matrix, 1), np.append(block.bounds, 1)) for block in later]
    return Network(tuple(blocks), _gated(network.head))


def _with_one_more(weights: Matrix, corner: int) -> Matrix:
    """Return weights with one more row and column, zeros but for the corner: (m, n) to (m + 1, n + 1)."""
    n = weights.shape[1]
    last = np.zeros((1, n + 1), dtype=np.int64)
    last[0, n] = corner
    return stacked([weights.regrouped(np.arange(n), np.ones(n, dtype=np.int64), n + 1), Dense(last)])


def _gated(head: Head) -> Head:
    """Return the head with one more bit to read, and one more class that wins exactly where this bit is 0."""
    lowest = int((np.minimum(head.weights, 0).sum(axis=1) + head.offsets).min())
    highest = int((np.maximum(head.weights, 0).sum(axis=1) + head.offsets).max())
    weights = _with_one_more(Dense(head.weights), lowest - highest - 2).dense()  # from one above all scores to one below
    return Head(weights, np.append(head.offsets, highest + 1), np.append(head.ranks, head.classes))


def _settled(block: Block, center: Bits, cost: Cost, limit: int) -> Block:
    """Return the block with neurons that flips within the limit cannot move as constants: no weights, bound 0 or 1."""
    start = block.matrix @ center.astype(np.int64)
    free: NDArray[np.bool_] = cost.possible & (cost.values <= limit)
    falls, rises = (block.matrix * (1 - 2 * center.astype(np.int64)))[:, free].by_sign()
    one = start >= block.bounds
    down, up = (_furthest(gains, cost.values[free], limit) for gains in (falls * -np.ones_like(start)[:, None], rises))
    fixed = np.where(one, start - down >= block.bounds, start + up < block.bounds)
    open_ = (~fixed).astype(np.int64)
    return Block(block.matrix * open_[:, None], np.where(fixed, np.where(one, 0, 1), block.bounds))


def _furthest(gains: Matrix, costs: Integers, limit: int) -> Integers:
    """Return a bound for how far flips within the limit raise each sum, (m, n) to (m,): reached where all weights are alike.

    gains: what a flip raises the sum by, not below 0. costs: what the flips cost, (n,), each within the limit. As many flips as
    the cheapest that raise it allow, each counted as one of the largest gains.
    """
    entries = gains.sparse()
    gained, paid = entries.packed(0), replace(entries, values=costs[entries.positions]).packed(0)
    idle = (paid == 0).sum(axis=1)  # places without a flip are sorted first, as costing nothing
    many = (np.cumsum(np.sort(paid, axis=1), axis=1) <= limit).sum(axis=1) - idle
    reached = np.zeros((len(gained), gained.shape[1] + 1), dtype=np.int64)
    np.cumsum(np.sort(gained, axis=1)[:, ::-1], axis=1, out=reached[:, 1:])
    furthest: Integers = reached[np.arange(len(gained)), many]
    return furthest
