"""Rows of a comparison, made by hand."""

from __future__ import annotations

from typing import Any

from bnnverify import Count, Verdict
from bnnverify.results.comparison import Outcome

COUNTS = {Verdict.ROBUST: Count(0, 0), Verdict.VULNERABLE: Count(3, 3), Verdict.UNKNOWN: Count(0, 65)}


def outcome(arm: str, seed: int, sample: int, verdict: str = "ROBUST", **others: Any) -> Outcome:
    """Return a row at radius 1 among 64 bits; label and predicted class are 1 unless said otherwise."""
    known = Verdict(verdict)
    fields: dict[str, Any] = {"radius": 1, "label": 1, "predicted": 1, "size": 65, "adversarial": COUNTS[known]} | others
    return Outcome(seed=seed, sample=sample, arm=arm, verdict=known, **fields)


def certified(arm: str, table: list[str]) -> list[Outcome]:
    """Return the rows that a table of seeds (lines) by samples means: + robust, - vulnerable, ? unknown, . no row."""
    words = {"+": "ROBUST", "-": "VULNERABLE", "?": "UNKNOWN"}
    places = [(seed, sample, mark) for seed, line in enumerate(table) for sample, mark in enumerate(line)]
    return [outcome(arm, seed, sample, words[mark]) for seed, sample, mark in places if mark != "."]
