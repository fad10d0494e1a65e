"""The one rule of witnesses, whoever finds them: replayed, and no single flip of theirs can be spared."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnnverify import Budget, Cost, Leaves, Network, Query, Shell, Witness, attack, certify, distance, witnesses
from bnnverify.queries.attacks.upper_bound import minimal_witness
from bnnverify.queries.planning import session as sessions
from bnnverify.queries.planning.attack_first import short_attack
from bnnverify.queries.planning.posed import Posed
from bnnverify.results.finding import confirmed, without_spare_flips
from tests.support.drawn import networks, queries
from tests.support.enumerated import Direct
from tests.support.misbehaving import stopping
from tests.support.random_networks import random_network


def keeps_the_rule(query: Query, witness: Witness) -> None:
    """Assert that the event happens at the witness, and at no point of the region that has one flip less."""
    point = np.array(witness.bits, dtype=np.uint8)
    assert confirmed(query, point) == witness
    for i in witness.flips:
        fewer = point.copy()
        fewer[i] = query.region.center[i]
        assert fewer not in query.region or not query.happens(fewer), f"flip {i} can be spared"


@given(query=queries())
def test_of_every_engine(finder: Direct, query: Query) -> None:
    found = finder.find(query)
    if found.witness is not None:
        keeps_the_rule(query, found.witness)


@given(query=queries(), seed=st.integers(0, 9))
def test_of_the_attack_in_front(query: Query, seed: int) -> None:
    posed = Posed.of(query, Budget())
    if posed.clear_finding() is not None or query.region.inner:
        return
    witness = short_attack(posed, Budget(), seed)
    if witness is not None:
        keeps_the_rule(query, witness)


@given(query=queries())
def test_of_attack_and_witnesses(query: Query) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessions, "is_worthwhile", lambda posed: not posed.query.region.inner)
        finding = attack(query, jobs=1).finding
    if finding.witness is not None:
        keeps_the_rule(query, finding.witness)
    for apart, each in witnesses(query, engine="bits").items():
        if each.witness is not None:
            assert each.witness.distance == apart
            keeps_the_rule(query.over(query.region.shell(apart)), each.witness)


@st.composite
def priced(draw: st.DrawFn) -> tuple[Network, Cost]:
    """Draw a network and what flips cost: by their sum or by the largest."""
    n = draw(st.integers(1, 9))
    values = draw(st.lists(st.integers(1, 4), min_size=n, max_size=n))
    return draw(networks(n)), Cost(np.array(values), np.ones(n, dtype=bool), draw(st.sampled_from(["1", "inf"])))


@given(asked=priced(), after=st.integers(0, 20))
def test_of_distance_finished_or_not(asked: tuple[Network, Cost], after: int) -> None:
    network, cost = asked
    center = np.zeros(network.inputs, dtype=np.uint8)
    for budget in (Budget(), stopping(after)):
        known = distance(network, center, cost=cost, engine="bits", budget=budget)
        if known.witness is not None:
            query = Query(network, Shell(center, 0, network.inputs), Leaves(network(center)))
            keeps_the_rule(query, known.witness)


def test_taking_back_begins_anew_while_anything_was_spared() -> None:
    """111 -> 101 -> 001: the first flip can be spared only when the second is gone."""
    happens = [(1, 1, 1), (1, 0, 1), (0, 0, 1)]
    left = without_spare_flips(np.ones(3, dtype=np.uint8), lambda flips: tuple(flips.tolist()) in happens)
    assert left.tolist() == [0, 0, 1]
    assert without_spare_flips(np.zeros(3, dtype=np.uint8), lambda _: True).tolist() == [0, 0, 0]


def test_the_dearest_flip_is_taken_back_first() -> None:
    network = random_network(0, 8)
    query = Query(network, Shell(np.zeros(8), 1, 8), Leaves(network(np.zeros(8))))
    point = next(p for p in np.concatenate(list(query.region.points())) if query.happens(p) and p.sum() > 4)
    witness = confirmed(query, point)
    for values in (np.arange(1, 9), np.arange(8, 0, -1)):
        keeps_the_rule(query, minimal_witness(query, witness, Cost(values, np.ones(8, dtype=bool))))


def test_of_certify() -> None:
    """Its rows hold no witness: what they say is the same as what an attack shows."""
    network, samples = random_network(2, 12), np.random.default_rng(1).integers(0, 2, (6, 12))
    for row, sample in zip(certify(network, samples, radius=3, counting=False).rows, samples, strict=True):
        query = Query(network, Shell(sample, 0, 3), Leaves(network(sample)))
        finding = attack(query).finding
        assert finding.verdict is row.verdict
        if finding.witness is not None:
            keeps_the_rule(query, finding.witness)
