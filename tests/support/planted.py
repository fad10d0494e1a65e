"""Networks in which every block says everything three times: as it is, the opposite, and in multiples."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from bnnverify import Block, Head, Network


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
