"""A budget is a pair of limits; its clock starts with the question, not with the budget."""

from __future__ import annotations

import pickle
import time

import pytest

from bnnverify.problem.budget import Budget, OutOfBudget


def test_a_budget_that_never_started_is_never_spent() -> None:
    limits = Budget(0.0)
    time.sleep(0.01)
    assert not limits.spent
    assert limits.left == 0.0
    limits.check()
    assert limits.start().spent


def test_a_running_clock_goes_on() -> None:
    running = Budget(0.05, 2**20).start()
    assert running.start() is running
    assert not running.spent
    time.sleep(0.06)
    assert running.spent
    assert running.reason == "stopped after 0.05 s"
    with pytest.raises(OutOfBudget, match=r"stopped after 0\.05 s"):
        running.check()
    assert running == Budget(0.05, 2**20), "limits are compared, not clocks"


def test_one_budget_serves_many_questions() -> None:
    limits = Budget(0.05)
    for _ in range(3):
        running = limits.start()
        time.sleep(0.02)
        assert not running.spent


def test_no_limit_is_never_reached() -> None:
    assert Budget().start().left is None
    assert not Budget().start().spent
    assert Budget().reason == "stopped"


def test_another_process_has_as_many_seconds_left() -> None:
    running = Budget(60.0).start()
    time.sleep(0.02)
    sent = pickle.loads(pickle.dumps(running))
    assert abs(sent.left - running.left) < 0.01
    assert pickle.loads(pickle.dumps(Budget(60.0))).left == 60.0
