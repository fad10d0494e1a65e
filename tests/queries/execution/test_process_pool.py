"""Processes of a pool: limits, crashes, shared values, and that each can be ended at any moment and leaves nothing."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bnnverify.problem.budget import Budget
from bnnverify.queries.execution.child import SharedKey
from bnnverify.queries.execution.events import Answer, Lost, Progress, Raised, Shared, Task, Ticket
from bnnverify.queries.execution.pool import Pool, run
from bnnverify.queries.execution.process import Process
from bnnverify.queries.execution.process_pool import MOST_SHARED, ProcessRunner, processes
from tests.queries.execution import tasks


def answer(pool: Pool, work: Any, *arguments: Any, limits: Budget | None = None) -> Any:
    """Return the one answer, or the Lost in its place."""
    ((_, found),) = run(pool, work, [("", arguments)], limits=limits)
    return found


def test_a_process_that_dies_costs_one_task_and_is_replaced() -> None:
    with processes(2) as pool:
        answers = dict(run(pool, tasks.square_or_die, ((k, (k,)) for k in range(40))))
    lost = answers.pop(21)
    assert isinstance(lost, Lost)
    assert (lost.reason, lost.status) == ("its process ended with status -9", -9)
    assert answers == {k: k * k for k in range(40) if k != 21}


def test_a_process_that_died_between_tasks_costs_none() -> None:
    with processes(1) as pool:
        first = answer(pool, tasks.process_number)
        os.kill(first, signal.SIGKILL)
        time.sleep(0.2)
        assert answer(pool, tasks.process_number) != first
        assert isinstance(answer(pool, tasks.end_by, signal.SIGABRT), Lost)


def test_a_late_task_is_ended_and_its_progress_stays() -> None:
    with processes(1) as pool:
        started = time.monotonic()
        ticket = pool.submit(tasks.hold_interpreter, limits=Budget(seconds=0.5))
        progress, lost = pool.answers()
        assert isinstance(progress, Progress)
        assert lost == Lost(ticket, "stopped after 0.5 s")
        assert 0.9 < time.monotonic() - started < 10
        assert not Path(f"/proc/{progress.value}").exists()
        assert answer(pool, tasks.square, 3) == 9


def test_the_clock_of_limits_runs_while_a_task_does() -> None:
    with processes(1) as pool:
        assert answer(pool, tasks.budget_left, 0.0) is None
        assert all(answer(pool, tasks.budget_left, 0.2, limits=Budget(seconds=0.6)) < 0.41 for _ in range(2))
        running = Budget(seconds=0.6).start()
        time.sleep(0.3)
        assert answer(pool, tasks.budget_left, 0.0, limits=running) < 0.31


@pytest.mark.skipif((clock := Budget(seconds=1.0)).start() is clock, reason="the clock of a Budget runs from the beginning")
def test_the_clock_of_limits_starts_with_the_task() -> None:
    with processes(1) as pool:
        fresh = Budget(seconds=0.6)
        time.sleep(0.3)
        assert 0.3 < answer(pool, tasks.budget_left, 0.0, limits=fresh) <= 0.6


def test_running_limits_end_a_process_that_does_not_even_begin() -> None:
    runner = ProcessRunner(collects=True)
    runner._process = Process(tasks.never_ready)
    task = Task(Ticket(0), tasks.square, (3,), Budget(seconds=0.2).start())
    assert runner.run(task, print, threading.Event()) == Lost(Ticket(0), "stopped after 0.2 s")
    assert not runner._process.runs


def test_a_limit_of_memory_holds_for_its_task_only() -> None:
    with processes(1) as pool:
        assert answer(pool, tasks.allocate, 2**31) == 2**31
        first = answer(pool, tasks.process_number)
        assert answer(pool, tasks.allocate, 2**20, limits=Budget(memory=2**31)) == 2**20
        assert answer(pool, tasks.allocate, 2**31) == 2**31
        assert answer(pool, tasks.process_number) == first
        lost = answer(pool, tasks.allocate, 2**32, limits=Budget(memory=2**31))
        assert (lost.reason, lost.status) == ("its process ended with status 137, most likely at the memory limit of 2 GiB", 137)
        assert answer(pool, tasks.allocate, 2**31) == 2**31


def test_errors_and_answers_that_cannot_cross_are_errors_in_words() -> None:
    with processes(1) as pool:
        for work in (tasks.complain_unportably, tasks.answer_unportably):
            pool.submit(work)
            (event,) = pool.answers()
            assert isinstance(event, Raised)
        with pytest.raises(RuntimeError, match=r"^Unportable: abcd$"):
            answer(pool, tasks.complain_unportably)
        with pytest.raises((AttributeError, TypeError), match="pickle"):
            answer(pool, tasks.square, lambda: 0)
        with pytest.raises(RuntimeError, match="its process cannot read it: TypeError"):
            answer(pool, tasks.square, tasks.Unportable("ab", "cd"))
        assert answer(pool, tasks.square, 4) == 16


class Counted(list[int]):
    """Counts how often it is sent."""

    sent = 0

    def __reduce__(self) -> tuple[Any, ...]:
        Counted.sent += 1
        return list, (list(self),)


@pytest.fixture
def counted() -> Counted:
    Counted.sent = 0
    return Counted(range(1000))


def test_a_shared_value_is_sent_once_to_each_process(counted: Counted) -> None:
    with processes(1) as pool:
        questions = [(k, (Shared("numbers", counted), k)) for k in range(10)]
        assert list(run(pool, tasks.size_of, questions)) == [(k, (1000, k)) for k in range(10)]
        assert Counted.sent == 1
        answer(pool, tasks.end_by, signal.SIGKILL)
        assert answer(pool, tasks.size_of, Shared("numbers", counted), 5) == (1000, 5)
        assert Counted.sent == 2, "the process that took the place of the dead one has not had it"
    Counted.sent = 0
    with processes(3) as pool:
        assert sorted(run(pool, tasks.size_of, questions)) == [(k, (1000, k)) for k in range(10)]
        assert 1 <= Counted.sent <= 3


def test_processes_remember_a_bounded_number_of_shared_values(counted: Counted) -> None:
    with processes(1) as pool:
        for key in [*range(MOST_SHARED), 0, MOST_SHARED]:  # 0 is used again, so 1 is the one that is forgotten
            answer(pool, tasks.size_of, Shared(key, counted), 0)
        assert Counted.sent == MOST_SHARED + 1
        answer(pool, tasks.size_of, Shared(0, counted), 0)
        assert Counted.sent == MOST_SHARED + 1
        answer(pool, tasks.size_of, Shared(1, counted), 0)
        assert Counted.sent == MOST_SHARED + 2
        values = [Shared(("many", k), [k]) for k in range(2 * MOST_SHARED)]
        assert answer(pool, tasks.sum_of, *values) == sum(range(2 * MOST_SHARED)), "none is forgotten that the task needs"


def test_a_value_that_could_not_be_sent_is_sent_again(counted: Counted) -> None:
    with processes(1) as pool:
        with pytest.raises((AttributeError, TypeError)):
            answer(pool, tasks.size_of, Shared("numbers", counted), lambda: 0)
        with pytest.raises(RuntimeError, match="cannot read"):
            answer(pool, tasks.size_of, Shared("numbers", counted), tasks.Unportable("ab", "cd"))
        assert answer(pool, tasks.size_of, Shared("numbers", counted), 1) == (1000, 1)
    assert SharedKey("a") == SharedKey("a")


@pytest.mark.parametrize("collects", [True, False])
def test_processes_without_garbage_collection_answer_alike(collects: bool) -> None:
    with processes(1, collects=collects) as pool:
        assert [answer(pool, tasks.collects_garbage) for _ in range(2)] == [collects] * 2


def test_pools_inside_of_pools() -> None:
    with processes(2) as pool:
        questions = ((k, (range(k, k + 5),)) for k in range(4))
        expected = [(k, [i * i for i in range(k, k + 5)]) for k in range(4)]
        assert list(run(pool, tasks.squares_in_a_pool, questions, ordered=True)) == expected


def descriptors() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("closing", ["cancel", "close"])
def test_nothing_is_left_of_ended_tasks_nor_of_their_own_pools(closing: str) -> None:
    before = descriptors()
    threads = threading.active_count()
    with processes(2) as pool:
        ticket = pool.submit(tasks.doze_in_a_pool)
        pids = next(pool.answers()).value  # type: ignore[union-attr]
        if closing == "cancel":
            pool.cancel(ticket)
            assert list(pool.answers()) == []
            assert answer(pool, tasks.square, 3) == 9
    assert descriptors() == before
    assert threading.active_count() == threads
    assert not Path(f"/proc/{pids[0]}").exists()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pids[1]}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pids[1]}").exists()


def test_another_thread_may_close() -> None:
    pool = processes(1)
    pool.submit(tasks.hold_interpreter)
    next(pool.answers())
    closing = threading.Timer(0.2, pool.close)
    closing.start()
    assert list(pool.answers()) == []
    closing.join()


@pytest.mark.slow
def test_tasks_can_be_killed_at_any_moment() -> None:
    """30 tasks are killed at random moments: they alone are lost, or had just answered."""
    chance, killed = random.Random(7), 0
    with processes(3) as pool:
        expected, answers, lost = {}, {}, set()
        for _ in range(30):
            tickets = {pool.submit(tasks.doze, 0.05): pool for _ in range(2)}
            squares = {pool.submit(tasks.square, k): k * k for k in range(4)}
            expected |= squares
            victims: dict[int, int] = {}
            for event in pool.answers():
                if isinstance(event, Progress):
                    victims[event.ticket] = event.value
                    if len(victims) == 1:
                        time.sleep(chance.random() * 0.07)
                        os.kill(event.value, signal.SIGKILL)
                        killed += 1
                elif isinstance(event, Lost):
                    assert event.reason == "its process ended with status -9"
                    lost.add(event.ticket)
                elif isinstance(event, Answer):
                    answers[event.ticket] = event.value
            assert set(tickets) | set(squares) <= lost | set(answers)
    assert killed == 30
    assert 10 < len(lost) <= 30
    assert {ticket: answers[ticket] for ticket in expected if ticket not in lost} == {
        ticket: value for ticket, value in expected.items() if ticket not in lost
    }
