"""Small random networks that take part in comparisons, and the samples they are asked about."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from bnnverify import Block, Head, Network, Samples
from bnnverify.queries.comparison.participants import Participant, participant

WIDTHS = (10, 9, 6, 4)  # 10 bits, a block of 9, a latent of 6, 4 classes


def network(seed: int, widths: tuple[int, ...] = WIDTHS, record: dict[str, Any] | None = None) -> Network:
    """Return a network of random signs, with thresholds in the middle."""
    random = np.random.default_rng(seed)
    blocks = []
    for n, m in pairwise(widths[:-1]):
        weights = random.choice([-1, 1], (m, n))
        blocks.append(Block(weights, weights.sum(axis=1) // 2 + random.integers(-1, 2, m)))
    head = Head(random.choice([-1, 1], (widths[-1], widths[-2])), random.integers(-2, 3, widths[-1]))
    return Network(tuple(blocks), head, name=f"random-{seed}", record=record or {})


def samples(count: int = 8, n: int = 10, judge: Network | None = None) -> Samples:
    """Return random inputs; their labels are what judge says (default: another random network), their indices 20, 21, ..."""
    bits = np.random.default_rng(0).integers(0, 2, (count, n), dtype=np.uint8)
    labels = (judge or network(7))(bits)
    return Samples(bits, np.asarray(labels, dtype=np.int64), tuple(range(20, 20 + count)), "random")


def field(arms: tuple[str, ...] = ("no_pen", "nonlin_pen", "bin_enc-D3"), seeds: int = 2) -> list[Participant]:
    """Return an entrant per arm and seed, as their records say."""
    places = [(arm, seed) for seed in range(seeds) for arm in arms]
    return [participant(network(100 + k, record={"arm": arm, "seed": seed}), "?") for k, (arm, seed) in enumerate(places)]
