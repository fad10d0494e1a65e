"""Which input flips go along with which latent changes, against plain enumeration."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnverify import HammingBall, Network, attribution
from bnnverify.encoders.enumeration import enumeration
from bnnverify.model.arrays import Bits
from tests.support.drawn import latent_questions
from tests.support.misbehaving import stopping
from tests.support.random_networks import latent_network
from tests.support.zoo import majority


def plain(network: Network, center: Bits, radius: int, free: list[int], cut: int) -> list[list[int]]:
    prefix = network.prefix(cut)
    counts = np.zeros((len(center), prefix.widths[-1]), dtype=np.int64)
    for points in HammingBall(center, radius, free=free).points():
        for point, code in zip(points, prefix(points), strict=True):
            counts[np.ix_(np.flatnonzero(point != center), np.flatnonzero(code != prefix(center)))] += 1
    return [[int(k) for k in row] for row in counts]


@settings(max_examples=80, deadline=None)
@given(question=latent_questions(), data=st.data())
def test_attribution_equals_enumeration(question: tuple[Network, Bits, int, list[int]], data: st.DataObject) -> None:
    network, center, radius, free = question
    cut = data.draw(st.integers(1, len(network.blocks)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enumeration, "AT_ONCE", 1)
        found = attribution(network, center, radius=radius, free=free, cut=cut)
    assert [list(row) for row in found.counts] == plain(network, center, radius, free, cut)
    assert found.exact
    assert json.dumps(found.to_json())


@pytest.mark.parametrize("widths", [(13, 17, 3), (20, 62), (33, 9, 1)])
def test_prefixes_and_suffixes(widths: tuple[int, ...]) -> None:
    network, center = latent_network(widths, 1), np.zeros(widths[0], dtype=np.uint8)
    found = attribution(network, center, radius=3)
    assert [list(row) for row in found.counts] == plain(network, center, 3, list(range(widths[0])), len(network.blocks))


def test_majority_by_reasoning() -> None:
    """From 4 ones of 7: a lost 1 changes the code, unless the other flip gains one back."""
    found = attribution(majority(7), [1, 1, 1, 1, 0, 0, 0], radius=2)
    assert found.counts == ((1 + 3,),) * 4 + ((0,),) * 3


def test_stopped_is_never_called_exact() -> None:
    found = attribution(
        latent_network((20, 9, 4), 0), np.zeros(20), radius=3, budget=stopping(6)
    )  # five looks while the netlist is made
    assert not found.exact
    assert 0 < found.seen < found.size
    assert found.reason == "stopped after 1 s"
