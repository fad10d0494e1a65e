"""What pools of processes and of threads have in common: answers, errors, progress, cancelling, and nothing left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from bnnverify import BadInput, BadModel
from bnnverify.problem.budget import Budget
from bnnverify.queries.execution.events import Answer, Progress, Raised, Shared
from bnnverify.queries.execution.pool import Pool, run
from bnnverify.queries.execution.process_pool import processes
from bnnverify.queries.execution.thread_pool import threads
from tests.queries.execution import tasks

Make = Callable[[int], Pool]
LEAVES = pytest.mark.parametrize("make", [processes, threads])


def squares(*numbers: int) -> Iterator[tuple[str, tuple[int]]]:
    return ((f"key {k}", (k,)) for k in numbers)


@LEAVES
def test_every_task_has_its_answer(make: Make) -> None:
    with make(2) as pool:
        tickets = {pool.submit(tasks.square, k): k for k in range(20)}
        assert pool.unanswered == 20
        answers = {tickets[event.ticket]: event.value for event in pool.answers() if isinstance(event, Answer)}
        assert answers == {k: k * k for k in range(20)}
        assert pool.unanswered == 0
        assert list(pool.answers()) == []


@LEAVES
def test_an_error_of_a_task_reaches_the_caller_and_costs_nothing_else(make: Make) -> None:
    with make(1) as pool:
        bad, good = pool.submit(tasks.complain, "expected something else"), pool.submit(tasks.square, 3)
        first, second = pool.answers()
        assert isinstance(first, Raised)
        assert (first.ticket, type(first.error), str(first.error)) == (bad, BadModel, "expected something else")
        assert second == Answer(good, 9)
        with pytest.raises(BadModel, match="oh"):
            list(run(pool, tasks.complain, [("a", ("oh",))]))


@LEAVES
def test_progress_comes_in_order_and_before_the_answer(make: Make) -> None:
    with make(2) as pool:
        tickets = [pool.submit(tasks.count_up, 200) for _ in range(2)]
        events = list(pool.answers())
        for ticket in tickets:
            own = [event for event in events if event.ticket == ticket]
            assert own == [*(Progress(ticket, k) for k in range(200)), Answer(ticket, 200)]


@LEAVES
def test_opened_values_stay_open_for_later_tasks(make: Make) -> None:
    with make(1) as pool:
        assert [answer for _, answer in run(pool, tasks.number_of_calls, [(k, ()) for k in range(4)])] == [1, 2, 3, 4]


@LEAVES
def test_work_that_no_process_could_find_is_refused(make: Make) -> None:
    def nested(_: object) -> int:
        return 0

    with make(1) as pool:
        for work in (nested, lambda _: 0, [].append):
            with pytest.raises(BadInput, match="work: expected a function at the top of a module"):
                pool.submit(work)
        assert pool.unanswered == 0


@LEAVES
def test_no_workers_and_closed_pools_are_refused(make: Make) -> None:
    with pytest.raises(BadInput, match="workers must be at least 1, got 0"):
        make(0)
    pool = make(1)
    pool.close()
    pool.close()
    with pytest.raises(BadInput, match="got one that was closed"):
        pool.submit(tasks.square, 1)


@LEAVES
def test_answers_end_when_none_comes_in_time_and_go_on_later(make: Make) -> None:
    with make(1) as pool:
        ticket = pool.submit(tasks.doze, 1.0)
        began = next(pool.answers())
        assert list(pool.answers(timeout=0.05)) == []
        assert pool.unanswered == 1
        assert list(pool.answers()) == [Answer(ticket, began.value)]  # type: ignore[union-attr]


@LEAVES
def test_a_cancelled_task_never_answers_and_others_do(make: Make) -> None:
    with make(1) as pool:
        dozing, waiting, last = pool.submit(tasks.doze), pool.submit(tasks.doze), pool.submit(tasks.square, 5)
        assert next(pool.answers()).ticket == dozing
        pool.cancel(waiting)
        pool.cancel(dozing)
        pool.cancel(dozing)
        assert list(pool.answers()) == [Answer(last, 25)]
        pool.cancel(last)
        again = pool.submit(tasks.square, 6)
        assert list(pool.answers()) == [Answer(again, 36)]


@LEAVES
def test_cancelling_at_any_moment_ends_the_wait(make: Make) -> None:
    for k in range(12):
        with make(2) as pool:
            tickets = [pool.submit(tasks.doze) for _ in range(3)]
            time.sleep(0.03 * k)
            for ticket in tickets:
                pool.cancel(ticket)
            assert list(pool.answers()) == []


@LEAVES
def test_closing_in_the_middle_ends_the_work(make: Make) -> None:
    started = time.monotonic()
    with make(2) as pool:
        for _ in range(5):
            pool.submit(tasks.doze)
        next(pool.answers())
    assert list(pool.answers()) == []
    assert time.monotonic() - started < 20


@LEAVES
def test_run_yields_keys_with_answers(make: Make) -> None:
    with make(3) as pool:
        expected = [(f"key {k}", k * k) for k in range(30)]
        assert sorted(run(pool, tasks.square, squares(*range(30)))) == sorted(expected)
        assert list(run(pool, tasks.square, squares(*range(30)), ordered=True)) == expected
        assert list(run(pool, tasks.square, [])) == []


@LEAVES
def test_run_takes_questions_up_as_workers_become_free(make: Make) -> None:
    taken = []

    def questions() -> Iterator[tuple[int, tuple[int]]]:
        for k in range(1000):
            taken.append(k)
            yield k, (k,)

    with make(2) as pool:
        answers = run(pool, tasks.square, questions(), ordered=True)
        assert [next(answers) for _ in range(5)] == [(k, k * k) for k in range(5)]
        assert len(taken) <= 5 + 2 * 2
        answers.close()  # type: ignore[attr-defined]
        assert pool.unanswered == 0
        assert list(run(pool, tasks.square, squares(7))) == [("key 7", 49)]


@LEAVES
def test_work_receives_the_shared_value_itself(make: Make) -> None:
    with make(1) as pool:
        value = Shared("value", [1, 2, 3])
        assert [answer for _, answer in run(pool, tasks.size_of, [(k, (value, k)) for k in range(3)])] == [(3, 0), (3, 1), (3, 2)]


def test_threads_refuse_limits_of_memory_and_close_opened_values() -> None:
    with threads(1) as pool, pytest.raises(BadInput, match="limits: expected none of memory"):
        list(run(pool, tasks.square, squares(1), limits=Budget(memory=2**30)))
    closed: list[bool] = []

    class Closable:
        def close(self) -> None:
            closed.append(True)

    with threads(1) as pool:
        pool.submit(tasks.keep_open, Closable())
        list(pool.answers())
    assert closed == [True]
