"""Small random networks that take part in comparisons, the samples of the comparison, and the comparison itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from bnnverify import Block, Head, Network, Samples
from bnnverify.queries.comparison.compare import compare
from bnnverify.queries.comparison.measurement import measure_in_worker
from bnnverify.queries.comparison.participants import Participant, participant
from bnnverify.results.comparison import Comparison, Terms
from bnnverify.results.outcome import Outcome

WIDTHS = (10, 9, 6, 4)  # 10 bits, a block of 9, a latent of 6, 4 classes
RADII = (1, 3)
TERMS = Terms(resamples=200)


def network(seed: int, widths: tuple[int, ...] = WIDTHS, record: dict[str, Any] | None = None) -> Network:
    """Return a network of random signs, with thresholds in the middle."""
    random = np.random.default_rng(seed)
    blocks = []
    for n, m in pairwise(widths[:-1]):
        weights = random.choice([-1, 1], (m, n))
        blocks.append(Block(weights, weights.sum(axis=1) // 2 + random.integers(-1, 2, m)))
    head = Head(random.choice([-1, 1], (widths[-1], widths[-2])), random.integers(-2, 3, widths[-1]))
    return Network(tuple(blocks), head, name=f"random-{seed}", record=record or {})


def samples(count: int = 8, n: int = 10, labelling: Network | None = None) -> Samples:
    """Return random inputs; labelling gives their labels (default: another random network), their indices are 20, 21, ..."""
    bits = np.random.default_rng(0).integers(0, 2, (count, n), dtype=np.uint8)
    labels = (labelling or network(7))(bits)
    return Samples(bits, np.asarray(labels, dtype=np.int64), tuple(range(20, 20 + count)), "random")


def field(arms: tuple[str, ...] = ("no_pen", "nonlin_pen", "bin_enc-D3"), seeds: int = 2) -> list[Participant]:
    """Return a participant per arm and seed, as their records say."""
    places = [(arm, seed) for seed in range(seeds) for arm in arms]
    return [participant(network(100 + k, record={"arm": arm, "seed": seed}), "?") for k, (arm, seed) in enumerate(places)]


def comparison_of(participants: list[Participant] | None = None, data: Samples | None = None, **options: object) -> Comparison:
    """Return the comparison of participants (default: field) on data (default: samples)."""
    given = {"radii": RADII, "terms": TERMS} | options
    return compare(participants or field(), data or samples(), **given)  # type: ignore[arg-type]


def timeless(rows: Iterable[Outcome]) -> list[Outcome]:
    """Return the rows without their seconds, which no two runs share."""
    return [replace(row, seconds=0.0) for row in rows]


def dying(worker, network, bits, task):  # type: ignore[no-untyped-def]
    """Return the rows of a sample as compare does; a process that is asked for sample 21 is killed."""
    if (bits == samples().bits[1]).all():
        os.kill(os.getpid(), signal.SIGKILL)
    return measure_in_worker(worker, network, bits, task)
