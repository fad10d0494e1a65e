"""A native engine that hangs, crashes or eats memory costs one answer, never the caller."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bnnverify import BadModel, Becomes, Query
from bnnverify.problem.budget import Budget
from bnnverify.queries.planning.plan import ENGINES
from bnnverify.queries.planning.subprocess_engine import SubprocessEngine
from bnnverify.results.progress import Progress
from tests.support.requirements import OWN
from tests.support.zoo import WIDE, named

CASE = named("parity, ball")


@pytest.mark.parametrize("name", OWN)
def test_the_child_answers_as_the_engine_does(name: str) -> None:
    engine = SubprocessEngine(ENGINES[name])
    try:
        for _ in range(2):  # the child lives on
            tally = engine.count(CASE.query, Budget())
            assert tuple(count.low for count in tally.counts) == CASE.counts
            assert engine.find(Query(CASE.network, CASE.region, Becomes(1)), Budget()).happens
    finally:
        engine.close()


def test_a_hanging_child_is_stopped_and_leaves_what_it_knew() -> None:
    engine = SubprocessEngine("tests.support.misbehaving:Sleeper")
    heard: list[Progress] = []
    started = time.monotonic()
    tally = engine.count(CASE.query, Budget(seconds=1.0), heard.append)
    assert time.monotonic() - started < 10
    assert [count.low for count in tally.counts] == [1, 0]
    assert [count.high for count in tally.counts] == [64, 63]
    assert tally.reason == "stopped after 1 s"
    assert len(heard) == 1
    finding = engine.find(CASE.query, Budget(seconds=0.2))
    assert finding.happens is None
    assert finding.reason == "stopped after 0.2 s"
    engine.close()


def test_a_crash_is_an_open_answer_with_a_reason() -> None:
    engine = SubprocessEngine("tests.support.misbehaving:Crasher")
    tally = engine.count(CASE.query, Budget())
    assert [count.low for count in tally.counts] == [1, 0]
    assert "sleeper engine ended with status -6" in tally.reason
    engine.close()


def test_a_memory_limit_is_an_open_answer_with_a_reason() -> None:
    engine = SubprocessEngine("tests.support.misbehaving:Glutton", memory=2 * 2**30)
    finding = engine.find(CASE.query, Budget())
    assert finding.happens is None
    assert "memory limit of 2 GiB" in finding.reason
    engine.close()


def test_errors_of_ours_cross_the_pipe() -> None:
    engine = SubprocessEngine("tests.support.misbehaving:Complainer")
    with pytest.raises(BadModel, match="expected something else"):
        engine.find(CASE.query, Budget())
    engine.close()


def test_closing_from_another_thread_ends_the_question() -> None:
    engine = SubprocessEngine("tests.support.misbehaving:Sleeper")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(engine.find(CASE.query, Budget())))
    thread.start()
    time.sleep(0.5)
    engine.close()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert answers[0].happens is None


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_child_ends_with_its_parent_however_that_ends(how: signal.Signals) -> None:
    """The child is busy outside Python, as a solver is, so that nothing in Python could notice."""
    code = (
        "from bnnverify import Budget\n"
        "from bnnverify.queries.planning.subprocess_engine import SubprocessEngine\n"
        "from tests.support.zoo import named\n"
        "engine = SubprocessEngine('tests.support.misbehaving:Deaf')\n"
        "engine.count(named('parity, ball').query, Budget(), lambda progress: print(engine._process.pid, flush=True))"
    )
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(how)
        parent.wait()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()


def test_reasons_name_the_limit_that_was_asked_for() -> None:
    engine = SubprocessEngine(ENGINES["sat"])
    query = Query(CASE.network, CASE.region, Becomes(1))
    engine.find(query, Budget())  # the child is up
    tally = engine.count(Query(WIDE[0].network, WIDE[0].region, Becomes(1)), Budget(seconds=0.7))
    assert tally.reason == "stopped after 0.7 s"
    engine.close()
