"""Random networks of given widths, whose answers depend on the seed alone; planted ones say everything three times."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from bnnverify import Ball, Block, EachClass, HammingBall, Head, Network, Query, Region


def random_network(seed: int, n: int, widths: tuple[int, ...] = (6, 5), classes: int = 4) -> Network:
    """Return a network of ternary weights about n bits, with blocks of these widths."""
    random = np.random.default_rng(seed)
    blocks = []
    for width in widths:
        weights = random.choice([-1, 0, 1, 1], (width, n))
        blocks.append(Block(weights, weights.sum(1) // 2 + random.integers(0, 2, width)))
        n = width
    return Network(tuple(blocks), Head(random.choice([-1, 1], (classes, n)), [0] * classes, random.permutation(classes)))


def random_region(seed: int, n: int) -> Region:
    """Return a ball or shell around any centre, in which one position in ten is not free."""
    random = np.random.default_rng(seed)
    center, free = random.integers(0, 2, n), random.random(n) < 0.9
    inner, outer = sorted(random.integers(0, free.sum() + 1, 2).tolist())
    return Ball(center, free, inner, outer)


def hard_query() -> Query:
    """Return a question that no engine counts in seconds."""
    return Query(random_network(1, 40, widths=(30, 30, 30)), HammingBall(np.zeros(40), 8), EachClass())


def latent_network(widths: tuple[int, ...], seed: int, classes: int = 4) -> Network:
    """Return a network of random signs; widths: of its inputs and of each block, the last one that of the latent code."""
    random = np.random.default_rng(seed)
    blocks = []
    for inputs, outputs in pairwise(widths):
        weights = random.choice([-1, 1], (outputs, inputs))
        blocks.append(Block(weights, (weights.sum(axis=1) + random.integers(-2, 3, outputs)) // 2))
    return Network(tuple(blocks), Head(random.choice([-1, 1], (classes, widths[-1])), random.integers(-1, 2, classes)))


def doubled(block: Block, factor: int = 2, off: int = 0) -> Block:
    """Return the block with the opposite of each neuron after it, then factor times each: (m, n) to (3 m, n).

    off: how much more than that the last ones must reach; 0: they say the same.
    """
    rows, bounds = block.weights, block.bounds
    return Block(np.vstack([rows, -rows, factor * rows]), np.concatenate([bounds, 1 - bounds, factor * bounds + off]))


def planted(seed: int, widths: tuple[int, ...] = (8, 5, 5, 3), off: int = 0) -> Network:
    """Return a random network of three times these many neurons in each block, of which at most these many differ (off: 0).

    What reads them has weights of its own for each.
    """
    random = np.random.default_rng(seed)
    blocks: list[Block] = []
    for n, m in pairwise(widths[:-1]):
        inputs = n if not blocks else 3 * n
        weights = random.choice([-1, 1], (m, inputs))
        block = Block(weights, weights.sum(axis=1) // 2 + random.integers(-1, 2, m))
        blocks.append(doubled(block, 1 if off else 2 + seed % 3, off))
    head = Head(random.choice([-2, -1, 1, 2], (widths[-1], 3 * widths[-2])), random.integers(-3, 4, widths[-1]))
    return Network(tuple(blocks), head, name=f"planted-{seed}")
