"""Points at which two networks disagree: every engine gives the confusion matrix of plain enumeration."""

from __future__ import annotations

import json
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnverify import Budget, Everything, HammingBall, Network, Region, differ
from tests.support.drawn import constrained_regions, networks, regions
from tests.support.random_networks import latent_network
from tests.support.zoo import majority, parity, tie


def plain(a: Network, b: Network, region: Region) -> list[list[int]]:
    table = np.zeros((a.classes, b.classes), dtype=np.int64)
    for points in region.points():
        np.add.at(table, (a(points), b(points)), 1)
    return [[int(k) for k in row] for row in table]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_confusion_equals_enumeration(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 8))
    a, b, region = data.draw(networks(n)), data.draw(networks(n)), data.draw(st.one_of(regions(n), constrained_regions(n)))
    found = differ(a, b, region)
    want = plain(a, b, region)
    assert [[count.low for count in row] for row in found.counts] == want
    assert found.apart.low == sum(k for c, row in enumerate(want) for d, k in enumerate(row) if c != d)
    assert found.exact
    assert json.dumps(found.to_json())


@pytest.mark.parametrize("engine", ["bits", "bdd", "sat"])
def test_every_engine(engine: str) -> None:
    a, b = latent_network((9, 7, 4), 0, classes=3), latent_network((9, 5), 1, classes=3)
    region = HammingBall(np.ones(9, dtype=np.uint8), 2)
    found = differ(a, b, region, engine=engine)
    assert [[count.low for count in row] for row in found.counts] == plain(a, b, region)
    assert found.exact
    assert found.engine == engine


def test_known_by_reasoning() -> None:
    """Both depend on the number of ones alone: 1 is odd and no majority, 4 is even and one; elsewhere they agree."""
    ones = {k: (int(k > 2), k % 2) for k in range(6)}
    found = differ(majority(5), parity(5), Everything(5))
    assert found.apart.low == sum(comb(5, k) for k, (a, b) in ones.items() if a != b) == comb(5, 1) + comb(5, 4)
    assert differ(majority(5), majority(5), Everything(5)).apart.high == 0
    assert differ(tie(5), majority(5), Everything(5)).counts[0][1].low == 16


def test_a_large_region_without_enumeration() -> None:
    a, b = majority(61), Network(majority(61).blocks, majority(61).head)
    assert differ(a, b, Everything(61), engine="bdd").apart.high == 0


def test_a_stopped_count_is_an_interval() -> None:
    a, b, region = latent_network((30, 20, 9), 0), latent_network((30, 20, 9), 1), Everything(30)
    found = differ(a, b, region, engine="bits", budget=Budget(seconds=0.05))
    assert not found.exact
    assert found.apart.low < found.apart.high <= 2**30
    assert found.reason
    a, b = latent_network((20, 9, 4), 0), latent_network((20, 9, 4), 1)
    few = differ(a, b, HammingBall(np.zeros(20), 3), budget=Budget(seconds=0.0))
    assert not few.exact
    assert (few.apart.low, few.apart.high, few.reason) == (0, 1351, "stopped after 0 s")
