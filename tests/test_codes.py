"""Latent codes of a region, against plain enumeration."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnverify import BadQuery, Block, Budget, Everything, HammingBall, Head, Network, codes
from bnnverify.encoders import enumeration
from tests.test_engines_agree import networks, regions
from tests.zoo import majority


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_codes_equal_enumeration(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 9))
    network, region = data.draw(networks(n).filter(lambda network: bool(network.blocks))), data.draw(regions(n))
    cut = data.draw(st.integers(1, len(network.blocks)))
    want: Counter[tuple[int, ...]] = Counter()
    for points in region.points():
        want.update(map(tuple, network.prefix(cut)(points).tolist()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enumeration, "AT_ONCE", 1)
        met = codes(network, region, cut)
    assert met.counts == want
    assert met.exact
    assert json.dumps(met.to_json())


def test_a_majority_has_two_codes() -> None:
    assert codes(majority(9), Everything(9), 1).counts == {(0,): 256, (1,): 256}


def test_stopped_and_refused() -> None:
    network = Network((Block(np.eye(63), np.ones(63)),), Head(np.ones((2, 63)), [0, 0]))
    with pytest.raises(BadQuery, match="at most 62 bits, got 63"):
        codes(network, HammingBall(np.zeros(63), 1), 1)
    with pytest.raises(BadQuery, match="expected 9 bits, got 8"):
        codes(majority(9), Everything(8), 1)
    stopped = codes(majority(9), Everything(9), 1, budget=Budget(seconds=0.0))
    assert not stopped.exact
    assert stopped.reason == "stopped after 0 s"
