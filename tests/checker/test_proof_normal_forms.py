"""The writer's normal form of a row leads the checker to the same form that the model's own row leads it to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bnnverify import Block, Head, Network
from bnnverify.checker.sample import checked_claim
from bnnverify.results.finding import Verdict
from tests.support.proven import proven


def lopsided(seed: int) -> Network:
    """Return a network whose second block has rows like 3a + 10b + 3c >= 9: b alone decides whether they hold."""
    random = np.random.default_rng(seed)
    first = Block(random.choice([-1, 1], (9, 24)), random.integers(-1, 3, 9))
    rows = np.zeros((7, 9), dtype=np.int64)
    for row in rows:
        row[random.permutation(9)[:3]] = random.permutation([3, 10, 3]) * random.choice([-1, 1], 3)
    second = Block(rows, np.minimum(rows, 0).sum(axis=1) + random.choice([7, 8, 9, 10], 7))
    return Network((first, second), Head(random.choice([-2, -1, 1, 2], (3, 7)), random.integers(-1, 2, 3)))


@pytest.mark.parametrize("seed", range(12))
def test_rows_that_one_neuron_decides_are_proven(seed: int, tmp_path: Path) -> None:
    network = lopsided(seed)
    row = proven(tmp_path, seed, net=network)
    assert row.verdict in (Verdict.ROBUST, Verdict.VULNERABLE)
    assert checked_claim(tmp_path / "0", network).claim.verdict == row.verdict.name
