"""A short attack in front of the engines: it proves nothing, is left out where it saves nothing, and ends with the budget."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from bnnverify import Becomes, HammingBall, Leaves, Query, Shell, attack
from bnnverify.problem.budget import Budget
from bnnverify.queries.planning import session
from bnnverify.queries.planning.attack_first import is_worthwhile, short_attack
from bnnverify.queries.planning.posed import Posed
from bnnverify.queries.planning.session import Decided, Session
from bnnverify.results.finding import Finding
from tests.support.drawn import queries
from tests.support.enumerated import enumerated
from tests.support.random_networks import random_network
from tests.support.zoo import majority, parity


@settings(max_examples=100, deadline=None)
@given(query=queries())
def test_it_finds_nothing_that_enumeration_does_not_find(query: Query) -> None:
    expected = any(enumerated(query)[c] for c in query.targets)
    posed = Posed.of(query, Budget())
    if posed.clear_finding() is not None or query.region.inner:
        return
    witness = short_attack(posed, Budget())
    assert witness is None or expected
    if witness is not None:
        assert query.network(np.array(witness.bits)) in query.targets
        assert np.array(witness.bits) in query.region


def test_what_presolve_decides_needs_no_attack_and_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "short_attack", None)
    query = Query(majority(81), HammingBall(np.zeros(81), 40), Leaves(0))
    with Session() as running:
        assert running.find(query, Budget()) == Decided(Finding(False), ("presolve",))


def test_an_attack_answers_before_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "_open", None)
    monkeypatch.setattr(Session, "_portfolio", None)
    with Session() as running:
        decided = running.find(Query(majority(81), HammingBall(np.zeros(81), 60), Leaves(0)), Budget())
    assert decided.engines == ("attack",)
    assert decided.finding.witness is not None
    assert decided.finding.witness.distance == 41  # no flip of it can be spared


def test_small_regions_and_shells_are_not_attacked() -> None:
    for region, worthwhile in ((HammingBall(np.zeros(9), 9), False), (HammingBall(np.zeros(81), 60), True)):
        assert is_worthwhile(Posed.of(Query(majority(region.n), region, Leaves(0)), Budget())) is worthwhile
    assert not is_worthwhile(Posed.of(Query(majority(81), Shell(np.zeros(81), 50), Leaves(0)), Budget()))


def test_a_spent_budget_ends_an_attack() -> None:
    posed = Posed.of(Query(majority(81), HammingBall(np.zeros(81), 60), Leaves(0)), Budget())
    assert short_attack(posed, Budget()) is not None
    assert short_attack(posed, Budget(0.0).start()) is None


@pytest.mark.parametrize(("name", "attacks"), [("auto", 1), ("bits", 0)])
def test_only_auto_begins_with_an_attack(name: str, attacks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Posed] = []
    monkeypatch.setattr(session, "short_attack", lambda posed, *_: begun.append(posed))
    query = Query(parity(18), HammingBall(np.zeros(18), 9), Becomes(1 - parity(18)(np.zeros(18))))
    with Session(name) as running:
        running.count(query, Budget())
        assert not begun
        running.find(query, Budget())
    assert len(begun) == attacks


def test_the_same_seed_finds_the_same() -> None:
    network, center = random_network(1, 60, widths=(30, 30)), np.zeros(60)
    query = Query(network, HammingBall(center, 20), Leaves(network(center)))
    first, second = (attack(query, seed=3) for _ in range(2))
    assert first.engine == "attack"
    assert first.finding == second.finding
