"""A limit on the cost of flips as one more neuron, so that every engine keeps it without knowing of it.

A weighted budget is a threshold like any other: sum of costs <= limit. It joins the first layer, later layers hand it on, and
in the head it decides for one more class, "too dear", that wins exactly beyond the limit. Questions about the other classes are
then questions about the points within the limit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.network import Block, Head, Network
from bnnverify.problem.cost import Cost


def with_cost_limit(network: Network, center: Bits, cost: Cost, limit: int) -> Network:
    """Return a network that gives the class of network where the flips cost at most limit, and one more class beyond.

    It is meant for points that differ from center, (n,), where cost says that flips are possible. First-layer neurons that no
    such point within the limit can move are constants in it.
    """
    if network.head is None:
        raise BadModel("toll: expected a network with a head, got a prefix without one")
    first, *later = network.blocks or (Block(np.eye(network.inputs, dtype=np.int64), np.ones(network.inputs, dtype=np.int64)),)
    first = _settled(first, center, cost, limit)
    signed = np.where(center == 1, cost.values, -cost.values)  # a flip of a 1 lowers the sum, as a flip of a 0 does
    paid = limit - int(cost.values[center == 1].sum())
    blocks = [Block(np.vstack([first.weights, signed]), np.append(first.bounds, -paid))]
    blocks += [Block(_with_one_more(block.weights, 1), np.append(block.bounds, 1)) for block in later]
    return Network(tuple(blocks), _gated(network.head))


def _with_one_more(weights: Integers, corner: int) -> Integers:
    """Return weights with one more row and column, zeros but for the corner: (m, n) to (m + 1, n + 1)."""
    wider = np.zeros((weights.shape[0] + 1, weights.shape[1] + 1), dtype=np.int64)
    wider[:-1, :-1], wider[-1, -1] = weights, corner
    return wider


def _gated(head: Head) -> Head:
    """Return the head with one more bit to read, and one more class that wins exactly where this bit is 0."""
    lowest = int((np.minimum(head.weights, 0).sum(axis=1) + head.offsets).min())
    highest = int((np.maximum(head.weights, 0).sum(axis=1) + head.offsets).max())
    weights = _with_one_more(head.weights, lowest - highest - 2)  # from one above all scores to one below
    return Head(weights, np.append(head.offsets, highest + 1), np.append(head.ranks, head.classes))


def _settled(block: Block, center: Bits, cost: Cost, limit: int) -> Block:
    """Return the block with neurons that flips within the limit cannot move as constants: no weights, bound 0 or 1."""
    start = block.weights @ center.astype(np.int64)
    moves = block.weights * (1 - 2 * center.astype(np.int64))
    one = start >= block.bounds
    up, down = _furthest(moves, cost, limit), _furthest(-moves, cost, limit)
    fixed = np.where(one, start - down >= block.bounds, start + up < block.bounds)
    weights = np.where(fixed[:, None], 0, block.weights)
    return Block(weights, np.where(fixed, np.where(one, 0, 1), block.bounds))


def _furthest(moves: Integers, cost: Cost, limit: int) -> Integers:
    """Return a bound for how far flips within the limit raise each sum, (m, n) to (m,): reached where all weights are alike.

    As many flips as the cheapest that raise it allow, each counted as one of the largest raises among the affordable.
    """
    free: NDArray[np.bool_] = cost.possible & (cost.values <= limit)
    values, raises = cost.values[free], np.maximum(moves[:, free], 0)
    spent = np.cumsum(np.sort(np.where(raises > 0, values, 0), axis=1), axis=1)
    idle = (raises == 0).sum(axis=1)  # flips that raise nothing are sorted first, as costing nothing
    many = (spent <= limit).sum(axis=1) - idle
    reached = np.zeros((len(moves), raises.shape[1] + 1), dtype=np.int64)
    np.cumsum(np.sort(raises, axis=1)[:, ::-1], axis=1, out=reached[:, 1:])
    furthest: Integers = reached[np.arange(len(moves)), many]
    return furthest
