"""The engine that looks at codes: it says no only where no point has a code that leads to the event."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from bnnverify import Becomes, Block, Everything, HammingBall, Head, Leaves, Network, Query, Region
from bnnverify.data.samples import read_samples
from bnnverify.formats import load
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines import enumeration as by_bits
from bnnverify.queries.engines import first_layer_codes as by_codes
from bnnverify.queries.engines.enumeration import BitsEngine
from bnnverify.queries.engines.first_layer_codes import CodesEngine
from tests.support.enumerated import Direct
from tests.support.requirements import DATA, needs_data


def counters(n: int, wanted: list[int]) -> Network:
    """Return a network whose block counts to 1, 2, ..., n, and whose class is 1 exactly at the code `wanted`."""
    signs = [1 if bit else -1 for bit in wanted]
    return Network((Block(np.ones((n, n)), np.arange(1, n + 1)),), Head([[0] * n, signs], [sum(wanted), 1], [0, 1]))


def asked(network: Network, region: Region) -> Query:
    return Query(network, region, Becomes(1))


def test_a_code_that_points_have() -> None:
    finding = Direct(CodesEngine).find(asked(counters(6, [1, 1, 1, 0, 0, 0]), Everything(6)), Budget())
    assert finding.happens
    assert finding.witness
    assert sum(finding.witness.bits) == 3


@pytest.mark.parametrize("wanted", [[0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 1], [1, 1, 1, 0, 1, 0]])
def test_a_code_that_leads_to_the_event_but_that_no_point_has(wanted: list[int]) -> None:
    assert Direct(CodesEngine).find(asked(counters(6, wanted), Everything(6)), Budget()).happens is False


def test_a_code_beyond_the_radius() -> None:
    network = counters(6, [1, 1, 1, 1, 0, 0])
    ball = HammingBall(np.zeros(6, dtype=np.uint8), 4)
    assert Direct(CodesEngine).find(asked(network, ball), Budget()).happens
    assert Direct(CodesEngine).find(asked(network, ball.shell(0, 3)), Budget()).happens is False
    assert Direct(CodesEngine).find(asked(network, Everything(6).shell(5, 6)), Budget()).happens is False


def test_a_code_that_only_nearer_points_have() -> None:
    """Of exactly two flips among three bits, at least one is in the first two."""
    network = Network((Block(np.eye(2, 3, dtype=np.int64), [1, 1]),), Head([[0, 0], [-1, -1]], [0, 1], [1, 0]))
    ball = HammingBall(np.zeros(3, dtype=np.uint8), 2)
    query = Query(network, ball, Becomes(1))
    home, one, two = (network(np.array(bits)) for bits in ([0, 0, 1], [1, 0, 1], [1, 1, 0]))
    assert (home, one, two) == (1, 1, 0)
    strict = Network(network.blocks, Head([[0, 0], [-1, -1]], [0, 1], [0, 1]))
    assert [strict(np.array(bits)) for bits in ([0, 0, 1], [1, 0, 1], [1, 1, 0])] == [1, 0, 0]
    assert Direct(CodesEngine).find(query, Budget()).happens
    assert Direct(CodesEngine).find(Query(strict, ball.shell(2), Becomes(1)), Budget()).happens is False


def test_one_reason_rules_out_many_codes() -> None:
    """Class 1 needs neuron 0, which counts to 12, and not neuron 1, which counts to 1; the other ten may be anything."""
    block = Block(np.vstack([np.ones((2, 12)), np.eye(12)[:10]]), [12, 1, *[1] * 10])
    network = Network((block,), Head([[0] * 12, [1, -1, *[0] * 10]], [1, 1], [0, 1]))
    assert network.head
    behind = Network((Block(np.eye(12), np.ones(12)), *network.blocks[1:]), network.head)
    calls = []
    original = by_codes._Reached._reaching

    def counted(self: by_codes._Reached, code: np.ndarray, budget: Budget) -> np.ndarray | None:
        calls.append(code)
        return original(self, code, budget)

    with patch.object(by_codes._Reached, "_reaching", counted):
        assert Direct(CodesEngine).find(asked(network, Everything(12)), Budget()).happens is False
    assert 1 <= len(calls) < 20
    assert Direct(CodesEngine).find(asked(behind, Everything(12)), Budget()).happens, (
        "neurons that read one bit each have all codes"
    )


def test_codes_through_the_netlist() -> None:
    """Small questions do not reach it by themselves."""
    random = np.random.default_rng(3)
    blocks = (Block(random.choice([-1, 1], (12, 20)), [1] * 12), Block(random.choice([-1, 1], (9, 12)), [0] * 9))
    network = Network(blocks, Head(random.choice([-1, 1], (3, 9)), [0, 0, 0]))
    answers = set()
    with patch.object(by_bits, "_is_small", lambda _: False):
        for center in random.integers(0, 2, (12, 20)).astype(np.uint8):
            query = Query(network, HammingBall(center, 3), Leaves(network(center)))
            finding = Direct(CodesEngine).find(query, Budget())
            assert finding.happens is Direct(BitsEngine).find(query, Budget()).happens
            answers.add(finding.happens)
    assert answers == {True, False}


def test_a_spent_budget_is_no_proof() -> None:
    finding = Direct(CodesEngine).find(asked(counters(6, [0, 1, 1, 0, 0, 0]), Everything(6)), Budget(seconds=0.0))
    assert finding.happens is None
    assert finding.reason


@needs_data
def test_robust_where_there_are_too_many_points() -> None:
    """84 billion points around this image, two million codes."""
    network = load(DATA / "npaq-models" / "mnist-400-bnn_3blk_200_100.pt")
    center = read_samples("mnist:10", network, data_dir=DATA).bits[0]
    finding = Direct(CodesEngine).find(Query(network, HammingBall(center, 5), Leaves(network(center))), Budget(60))
    assert finding.happens is False
