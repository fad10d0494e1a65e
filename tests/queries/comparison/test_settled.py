"""settled: which rows of a comparison are asked about again, and which a store may give back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bnnverify import Count, Verdict
from bnnverify.queries.comparison.settled import is_settled, is_stopped, rows_of, value_of
from bnnverify.queries.storage.exact_json import from_text, to_text
from tests.support.results import FULL, HUGE, outcome

MODEL = FULL.arm, FULL.seed


def test_stopped_rows_are_measured_again() -> None:
    """Decided is not finished: a reason says that something is open, as does a distance neither known nor excluded."""
    vulnerable = outcome("a", 0, 17, "VULNERABLE", distance=1)
    assert not is_stopped(vulnerable, 1)
    assert not is_settled([FULL], (1,), counting=False)
    assert is_stopped(replace(vulnerable, reason="stopped after 1 s"), 1)
    open_ = replace(vulnerable, distance=None, beyond=2, radius=4)
    assert is_stopped(open_, 4)
    assert not is_settled([open_], (4,), counting=True)
    assert not is_stopped(outcome("a", 0, 17, beyond=1), 1)


def test_rows_of_all_radii_are_settled() -> None:
    rows = [outcome("a", 0, 17, beyond=1)]
    assert is_settled(rows, (1,), counting=True)
    assert not is_settled(rows, (1, 2), counting=False)
    assert not is_settled([outcome("a", 0, 17, "UNKNOWN")], (1,), counting=False)
    assert not is_settled([replace(FULL, reason="")], (1,), counting=True)  # vulnerable, but not counted
    assert is_settled([replace(FULL, reason="")], (1,), counting=False)


def test_rows_are_read_to_the_last_digit() -> None:
    rows = FULL, replace(FULL, radius=2, latent=None, witness=None)
    assert rows_of(from_text(to_text(value_of(rows))), MODEL, FULL.sample) == rows


CONTRADICTIONS: list[dict[str, Any]] = [
    {"arm": "other"},
    {"sample": 3},
    {"verdict": Verdict.ROBUST},
    {"adversarial": Count(0, HUGE)},
    {"adversarial": Count(1, HUGE + 1)},
    {"shell": Count(0, HUGE + 1)},
    {"targeted": (Count(HUGE, HUGE + 1),)},
]


@pytest.mark.parametrize("changed", CONTRADICTIONS, ids=lambda changed: next(iter(changed)))
def test_contradictions_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected rows of bin_enc-D3 seed 2, sample 17"):
        rows_of(value_of([replace(FULL, **changed)]), MODEL, FULL.sample)


@pytest.mark.parametrize(("name", "value"), [("size", "many"), ("verdict", "FINE"), ("latent", {}), ("adversarial", {"low": -1})])
def test_other_rows_are_refused(name: str, value: object) -> None:
    data = FULL.to_json() | {name: value}
    with pytest.raises((ValueError, KeyError, TypeError)):
        rows_of({"rows": [data]}, MODEL, FULL.sample)
