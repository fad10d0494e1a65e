"""What is sent to other processes: layers take a byte per weight where they can, and come back the same and unwritable."""

from __future__ import annotations

import pickle
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnnverify import Block, Head, Network
from bnnverify.model.arrays import fewest_bytes
from bnnverify.model.matrix import Dense, Matrix
from tests.support.drawn import networks
from tests.support.random_networks import random_network

EDGES = [(127, 1), (-128, 1), (128, 2), (-129, 2), (2**15 - 1, 2), (2**15, 4), (-(2**31), 4), (2**31, 8), (2**61, 8)]


Value = TypeVar("Value")


def sent(value: Value) -> Value:
    """Return the value as another process gets it."""
    again: Value = pickle.loads(pickle.dumps(value))
    return again


@pytest.mark.parametrize(("number", "size"), EDGES)
def test_the_smallest_type_that_holds_the_numbers(number: int, size: int) -> None:
    numbers = np.array([[0, number, 1]], dtype=np.int64)
    assert fewest_bytes(numbers).dtype == np.dtype(f"i{size}")
    assert np.array_equal(fewest_bytes(numbers), numbers)
    assert fewest_bytes(numbers[:, :0]).dtype == np.int8


@pytest.mark.parametrize("number", [number for number, _ in EDGES])
@pytest.mark.parametrize("leaf", ["dense", "sparse"])
def test_both_leaves_are_restored(leaf: str, number: int) -> None:
    rows: Matrix = Dense(np.array([[0, number, 1], [0, 0, 0], [-1, 0, 2]], dtype=np.int64))
    rows = rows if leaf == "dense" else rows.sparse()
    _ = rows.sizes, rows.largest, rows @ np.ones(3, dtype=np.int64)  # kept for later, and not sent
    again = sent(rows)
    assert type(again) is type(rows)
    assert np.array_equal(again.dense(), rows.dense())
    for array in again.parts("rows").values():
        assert array.dtype == np.int64
    assert again.__dict__.keys() <= {"numbers", "starts", "positions", "values", "width", "sizes", "largest"}


@given(st.integers(0, 6).flatmap(networks))
def test_networks_keep_their_fingerprint_and_cannot_be_written(network: Network) -> None:
    again = sent(network)
    assert again.__dict__.get("sha256") is None
    assert again.sha256 == network.sha256
    assert again.head is not None
    arrays = [again.head.weights, again.head.offsets, again.head.ranks]
    arrays += [array for block in again.blocks for array in (block.bounds, block.weights)]
    for array in arrays:
        assert array.dtype == np.int64
        assert not array.flags.writeable


def test_a_block_is_sent_without_its_cached_values() -> None:
    block = Block(Dense(np.eye(300, dtype=np.int64)).sparse(), np.ones(300))
    before = len(pickle.dumps(block))
    assert block.weights.shape == (300, 300)
    assert len(pickle.dumps(block)) == before < 3000


def test_a_weight_takes_a_byte() -> None:
    network = random_network(0, 200, widths=(300, 100))
    weights = 200 * 300 + 300 * 100 + 100 * 4
    assert len(pickle.dumps(network)) < weights + 4000
    head = Head(np.full((1, 1000), 2**40), [0])
    assert 8000 < len(pickle.dumps(head)) < 9000
