"""Latent codes of a region, against plain enumeration."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnverify import BadQuery, Block, Budget, Everything, HammingBall, Head, Network, Samples, class_codes, codes
from bnnverify.encoders.enumeration import enumeration
from tests.support.drawn import networks, regions
from tests.support.zoo import majority


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
        found = codes(network, region, cut)
    assert found.counts == want
    assert found.exact
    assert json.dumps(found.to_json())


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


def samples(bits: list[list[int]], labels: list[int] | None) -> Samples:
    indices = tuple(range(len(bits)))
    return Samples(np.array(bits, dtype=np.uint8), None if labels is None else np.array(labels), indices, "by hand")


COPY = Network((Block(np.eye(3), [1, 1, 1]),), Head([[0, 0, 0], [1, 0, 0], [-1, -1, -1]], [0, 0, -1]))  # the code is the input


def test_class_codes_are_the_most_frequent_ones() -> None:
    """Class 0: 010 twice of three; class 1: a tie of 100 and 111, whose numbers are 1 and 7; class 2 has no sample."""
    bits = [[0, 1, 0], [0, 0, 1], [0, 1, 0], [1, 1, 1], [1, 0, 0]]
    found = class_codes(COPY, samples(bits, [0, 0, 0, 1, 1]))
    assert found.codes == (2, 1, None)
    assert found.times == ((2, 3), (1, 2), (0, 0))
    assert found.separation == ((0, 2, None), (2, 0, None), (None, None, None))
    assert (found.least, found.share) == (2, Fraction(3, 5))
    assert found.to_json()["codes"] == ["010", "100", None]


def test_class_codes_without_labels_are_those_of_the_answers() -> None:
    found = class_codes(COPY, samples([[1, 0, 0], [1, 0, 0], [0, 1, 1]], None))
    assert found.codes == (6, 1, None)
    assert found.least == 3


def test_class_codes_that_make_no_sense() -> None:
    assert class_codes(COPY, samples([[1, 0, 0]], [1])).least is None
    with pytest.raises(BadQuery, match=r"expected classes 0\.\.2, got 1\.\.3"):
        class_codes(COPY, samples([[1, 0, 0], [1, 0, 0]], [1, 3]))
    with pytest.raises(BadQuery, match="a head alone"):
        class_codes(Network((), COPY.head), samples([[1, 0, 0]], [1]))
