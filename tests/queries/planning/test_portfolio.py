"""Engines in processes of their own: the first answer counts, the others are stopped, and what stopped ones knew is put together.

An engine that hangs, crashes or eats memory costs one answer, never the caller.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from math import comb
from pathlib import Path

import numpy as np
import pytest

from bnnverify import (
    BadModel,
    Becomes,
    Block,
    Budget,
    Count,
    Disagreement,
    EachClass,
    Head,
    Network,
    Query,
    Subcube,
    Tally,
    attack,
    count,
)
from bnnverify.problem.ball import HammingBall
from bnnverify.queries.engines.registry import engines
from bnnverify.queries.execution.pool import Pool
from bnnverify.queries.execution.process_pool import processes
from bnnverify.queries.planning.portfolio import Portfolio, _together
from bnnverify.queries.planning.posed import Posed
from bnnverify.queries.planning.session import Session
from bnnverify.results.progress import Progress
from tests.support import misbehaving
from tests.support.random_networks import hard_query, random_network
from tests.support.requirements import OWN
from tests.support.zoo import WIDE, ZOO

CASE = next(case for case in ZOO if case.name == "parity, ball")
QUESTION = Posed.of(CASE.query, Budget()).question
YES = Posed.of(Query(CASE.network, CASE.region, Becomes(1)), Budget()).question


@pytest.fixture
def pool() -> Iterator[Pool]:
    with processes(4, collects=False) as running:
        yield running


def raced(pool: Pool, *names: str) -> Portfolio:
    return Portfolio(pool, names, 1)


@pytest.mark.parametrize("name", [name for name in OWN if name != "codes"])
def test_the_process_answers_as_the_engine_does(name: str, pool: Pool) -> None:
    for _ in range(2):  # the process lives on
        tally, who = raced(pool, name).count(QUESTION, Budget())
        assert tuple(count.low for count in tally.counts) == CASE.counts
        assert who == (name,)
        assert raced(pool, name).find(YES, Budget())[0].happens


@pytest.mark.parametrize("other", ["test:sleeper", "test:crasher"])
def test_the_first_answer_wins_and_nobody_waits_for_the_rest(other: str, pool: Pool) -> None:
    started = time.monotonic()
    for _ in range(2):
        tally, name = misbehaving.portfolio(pool, other, "bits").count(QUESTION, Budget())
        assert tuple(k.low for k in tally.counts) == CASE.counts
        assert name == ("bits",)
        assert misbehaving.portfolio(pool, other, "bits").find(YES, Budget())[0].happens
    assert time.monotonic() - started < 20


def test_a_hanging_engine_is_stopped_and_leaves_what_it_knew(pool: Pool) -> None:
    heard: list[Progress] = []
    started = time.monotonic()
    tally, name = misbehaving.portfolio(pool, "test:sleeper").count(QUESTION, Budget(seconds=1.0), heard.append)
    assert time.monotonic() - started < 10
    assert name == ("test:sleeper",)
    assert tally.counts == (Count(1, 64), Count(0, 63))
    assert tally.reason == "stopped after 1 s"
    assert len(heard) == 1
    found, _ = misbehaving.portfolio(pool, "test:sleeper").find(QUESTION, Budget(seconds=0.2))
    assert (found.happens, found.reason) == (None, "stopped after 0.2 s")


def test_all_stopped_leaves_what_they_know_together(pool: Pool) -> None:
    tally, _ = misbehaving.portfolio(pool, "test:sleeper", "test:crasher").count(QUESTION, Budget(seconds=1.0))
    assert tally.counts == (Count(1, 64), Count(0, 63))
    assert "stopped after 1 s" in tally.reason
    assert "the test:crasher engine ended with status -6" in tally.reason
    found, _ = misbehaving.portfolio(pool, "test:sleeper", "test:crasher").find(QUESTION, Budget(seconds=0.3))
    assert found.happens is None
    assert "; " in found.reason


def test_a_reason_that_all_share_is_given_once(pool: Pool) -> None:
    found, _ = misbehaving.portfolio(pool, "test:sleeper", "test:sleepy").find(QUESTION, Budget(seconds=0.3))
    assert found.reason == "stopped after 0.3 s"


def test_a_memory_limit_is_an_open_answer_with_a_reason(pool: Pool) -> None:
    found, _ = misbehaving.portfolio(pool, "test:glutton").find(QUESTION, Budget(memory=2 * 2**30))
    assert found.happens is None
    assert "memory limit of 2 GiB" in found.reason


def test_intervals_are_cut_with_each_other() -> None:
    first, second = Tally.partial(10, [4, 1], "a"), Tally(10, (Count(0, 6), Count(4, 10)), "b")
    assert _together([first, second]).counts == (Count(4, 6), Count(4, 6))
    with pytest.raises(Disagreement, match="counts that agree"):
        _together([Tally.partial(10, [9, 0], "a"), Tally.partial(10, [0, 9], "b")])


def test_an_error_of_one_is_an_error_of_the_portfolio(pool: Pool) -> None:
    with pytest.raises(BadModel, match="expected something else"):
        misbehaving.portfolio(pool, "test:complainer", "test:sleeper").find(QUESTION, Budget())


def test_closing_from_another_thread_ends_the_question() -> None:
    session, answers = Session("sat"), []
    hard = hard_query()
    thread = threading.Thread(target=lambda: answers.append(session.count(hard, Budget())))
    thread.start()
    time.sleep(1.0)
    session.close()
    thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_child_ends_with_its_parent_however_that_ends(how: signal.Signals) -> None:
    """The child is busy outside Python, as a solver is, so that nothing in Python could notice."""
    code = (
        "from tests.support import misbehaving\n"
        "from tests.support.zoo import ZOO\n"
        "from bnnverify.problem.budget import Budget\n"
        "from bnnverify.queries.execution.process_pool import processes\n"
        "from bnnverify.queries.planning.posed import Posed\n"
        "question = Posed.of(ZOO[0].query, Budget()).question\n"
        "with processes(1) as pool:\n"
        "    misbehaving.portfolio(pool, 'test:deaf').count(question, Budget(), lambda known: print(known.total, flush=True))"
    )
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())  # the engine reports its number as the total
        parent.send_signal(how)
        parent.wait()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()


def test_reasons_name_the_limit_that_was_asked_for() -> None:
    with Session("sat") as session:
        session.find(Query(CASE.network, CASE.region, Becomes(1)), Budget())  # the process is up
        counted = session.count(Query(WIDE[0].network, WIDE[0].region, Becomes(1)), Budget(seconds=0.7).start())
    assert counted.tally.reason == "stopped after 0.7 s"


def test_a_killed_child_costs_one_answer() -> None:
    with Session("sat") as session:
        easy = Query(random_network(3, 9), HammingBall(np.zeros(9), 3), EachClass())
        assert session.find(easy, Budget()).finding.happens
        hard, answers = hard_query(), []
        thread = threading.Thread(target=lambda: answers.append(session.count(hard, Budget())))
        thread.start()
        time.sleep(1.0)
        for child in children_of(os.getpid()):
            os.kill(child, signal.SIGKILL)
        thread.join(timeout=20)
        assert "sat engine ended with status -9" in answers[0].tally.reason
        assert session.find(easy, Budget()).finding.happens


def test_a_solver_process_brings_no_torch() -> None:
    with Session("sat") as session:
        query = Query(random_network(3, 9), HammingBall(np.zeros(9), 3), EachClass())
        session.count(query, Budget())
        (child,) = children_of(os.getpid())
        assert "libtorch" not in Path(f"/proc/{child}/maps").read_text()


def children_of(parent: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()] or [
        int(word) for task in Path(f"/proc/{parent}/task").iterdir() for word in (task / "children").read_text().split()
    ]


def test_auto_runs_several_engines_where_enumeration_is_long_but_not_hopeless() -> None:
    """40 free bits, of which the network reads 6: a diagram is done at once, enumeration would take many minutes."""
    reads = Block(np.eye(6, 40, dtype=int), np.ones(6))
    counters = Block(np.ones((200, 6)), np.arange(200) % 6 + 1)
    network = Network((reads, counters), Head([[0] * 200, [1] * 200], [120, 0]))
    query = Query(network, Subcube(np.zeros(40), np.arange(40)), EachClass())
    with Session() as session:
        assert session.plan(Posed.of(query, Budget()), counting=True).engines == ("bdd", "bits")
    result = count(query)
    assert result.engine == "bdd"
    # class 1 needs more than 120 of the 200 counters; of the six kinds 34, 34, 33, 33, 33 and 33 fire from 1, 2, ... ones on
    assert 34 + 34 + 33 <= 120 < 34 + 34 + 33 + 33
    fours = sum(comb(6, ones) for ones in (4, 5, 6))
    assert [k.low for k in result.counts] == [(64 - fours) << 34, fours << 34]
    assert attack(query).finding.happens


def test_engines_that_misbehave_are_not_among_ours() -> None:
    assert not [name for name in engines() if name.startswith("test:")]
