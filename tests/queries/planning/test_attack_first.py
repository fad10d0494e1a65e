"""What comes before an engine answers only what it knows, and lets the engine answer the rest."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from bnnverify import Becomes, EachClass, HammingBall, Leaves, Query, Shell, Tally, certify
from bnnverify.data.samples import Samples
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines.base import Ability
from bnnverify.queries.engines.enumeration import BitsEngine
from bnnverify.queries.planning import attack_first as cheap
from bnnverify.queries.planning import plan
from bnnverify.queries.planning.attack_first import AttackFirst
from bnnverify.queries.planning.plan import Session
from bnnverify.queries.planning.subprocess_engine import SubprocessEngine
from bnnverify.queries.verbs.attack import attack
from bnnverify.results.finding import Finding, Verdict
from tests.support.drawn import queries
from tests.support.enumerated import enumerated
from tests.support.random_networks import hard_query, random_network
from tests.support.zoo import majority, parity


class Refuses:
    """An engine that must not be asked."""

    name = "refuses"
    ability = Ability()

    def find(self, query: Query, budget: Budget) -> Finding:  # noqa: ARG002 - an engine's
        raise AssertionError("asked")

    def count(self, query: Query, budget: Budget, report: object = None) -> Tally:  # noqa: ARG002 - an engine's
        return Tally.seen(query.region.size, [7], "counted")

    def close(self) -> None: ...


class Shrugs(Refuses):
    """An engine that never knows."""

    def find(self, query: Query, budget: Budget) -> Finding:  # noqa: ARG002 - an engine's
        return Finding(None, reason="asked")


@settings(max_examples=100, deadline=None)
@given(query=queries())
def test_it_finds_what_enumeration_finds(query: Query) -> None:
    want = any(enumerated(query)[c] for c in query.targets)
    finding = AttackFirst(BitsEngine(workers=1)).find(query, Budget())
    assert finding.happens is want
    alone = AttackFirst(Shrugs()).find(query, Budget())
    assert alone.happens in (None, want)
    for witness in (finding.witness, alone.witness):
        if witness is not None:
            assert query.network(np.array(witness.bits)) in query.targets
            assert np.array(witness.bits) in query.region


def test_what_presolve_decides_reaches_nobody() -> None:
    running = AttackFirst(Refuses())
    query = Query(majority(81), HammingBall(np.zeros(81), 40), Leaves(0))
    assert running.find(query, Budget(0)) == Finding(False)
    assert running.name == "presolve"


def test_an_attack_answers_before_the_engine() -> None:
    running = AttackFirst(Refuses())
    finding = running.find(Query(majority(81), HammingBall(np.zeros(81), 60), Leaves(0)), Budget())
    assert running.name == "attack"
    assert finding.witness is not None
    assert finding.witness.distance == 41  # no flip of it can be spared


def test_what_is_left_goes_to_the_engine_with_its_name() -> None:
    running = AttackFirst(Shrugs())
    query = Query(parity(9), Shell(np.zeros(9), 2), Becomes(0))
    assert running.find(query, Budget()).reason == "asked"
    assert running.name == "refuses"
    assert running.count(query, Budget()).reason == "counted"


def test_a_spent_budget_and_shells_are_not_attacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cheap, "attacked", None)
    query = Query(majority(81), HammingBall(np.zeros(81), 60), Leaves(0))
    assert AttackFirst(Shrugs()).find(query, Budget(0)).reason == "asked"
    shell = replace(query, region=query.region.shell(50))
    assert AttackFirst(Shrugs()).find(shell, Budget()).reason == "asked"


def test_only_auto_begins_with_what_is_cheap() -> None:
    random = np.random.default_rng(0)
    network = random_network(1, 60, widths=(30, 30))
    query = Query(network, HammingBall(random.integers(0, 2, 60), 9), Leaves(0))
    for name, wrapped in (("auto", True), ("sat", False), ("bits", False)):
        with Session(name, Budget()) as session:
            running, _ = session.member(query, counting=False)
            assert isinstance(running, AttackFirst) is wrapped
            counting, _ = session.member(query, counting=True)
            assert not isinstance(counting, AttackFirst)


def test_the_same_seed_finds_the_same() -> None:
    network, center = random_network(1, 60, widths=(30, 30)), np.zeros(60)
    query = Query(network, HammingBall(center, 20), Leaves(network(center)))
    first, second = (attack(query, seed=3) for _ in range(2))
    assert first.engine == "attack"
    assert first.finding == second.finding


def test_a_killed_child_costs_one_answer() -> None:
    engine = SubprocessEngine(plan.ENGINES["sat"])
    easy = Query(parity(6), HammingBall(np.zeros(6), 2), Becomes(1))
    assert engine.find(easy, Budget()).happens
    hard, answers = hard_query(), []
    hard = replace(hard, region=hard.region.shell(8))
    thread = threading.Thread(target=lambda: answers.append(engine.count(hard, Budget())))
    thread.start()
    time.sleep(0.5)
    os.kill(engine._process.pid, signal.SIGKILL)
    thread.join(timeout=20)
    assert "sat engine ended with status -9" in answers[0].reason
    assert engine.find(easy, Budget()).happens
    engine.close()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_crash_of_the_solver_costs_one_row(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(plan.ENGINES, "sat", "tests.support.misbehaving:Frail")
    bits = np.zeros((4, 9), dtype=np.uint8)
    bits[1, 0] = 1
    samples = Samples(bits, None, (0, 1, 2, 3), "four")
    rows = certify(majority(9), samples, radius=2, engine="sat", counting=False, jobs=jobs).rows
    assert [row.verdict for row in rows] == [Verdict.ROBUST, Verdict.UNKNOWN, Verdict.ROBUST, Verdict.ROBUST]
    assert "ended with status -9" in rows[1].reason


def test_a_solver_process_brings_no_torch() -> None:
    engine = SubprocessEngine(plan.ENGINES["sat"])
    network = random_network(3, 9)
    assert engine.find(Query(network, HammingBall(np.zeros(9), 3), EachClass()), Budget()).happens
    assert "libtorch" not in Path(f"/proc/{engine._process.pid}/maps").read_text()
    engine.close()
