"""Measurements: the engine of the one pass, and the limits of each question."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bnnverify import Budget, EachClass, HammingBall, Query
from bnnverify.queries.comparison.measurement import measure, one_pass_engine, unmeasured
from bnnverify.queries.comparison.task import Task
from tests.support.participants import RADII, network, samples, timeless

TASK = Task(RADII)
BITS = samples().bits[0]


@pytest.mark.parametrize(
    ("task", "engine"),
    [
        (TASK, "bits"),
        (replace(TASK, counting=True), "bits"),
        (replace(TASK, counting=False), None),
        (replace(TASK, engine="sat"), None),
    ],
)
def test_one_pass_needs_an_engine_of_this_process_that_counts(task: Task, engine: str | None) -> None:
    query = Query(network(1), HammingBall(BITS, RADII[-1]), EachClass())
    assert one_pass_engine(query, task) == engine


def test_the_clock_of_each_question_starts_with_it() -> None:
    """A budget serves many questions: however long ago it was made, or used before, it is not spent."""
    limits = Budget(60.0)
    measured = [timeless(measure(network(1), BITS, replace(TASK, budget=limits))) for _ in range(2)]
    assert measured == [timeless(measure(network(1), BITS, TASK))] * 2
    assert limits.left == 60.0


def test_rows_without_a_measurement_are_unknown_and_name_no_engine() -> None:
    for row in unmeasured(network(1), BITS, TASK, "it was lost"):
        assert (row.verdict.value, row.adversarial.low, row.adversarial.high) == ("UNKNOWN", 0, row.size)
        assert (row.engine, row.reason, row.attacked) == ("", "it was lost", False)
