"""When the rows of a sample are finished, and their form in the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bnnverify.results.finding import Verdict
from bnnverify.results.outcome import Outcome

Model = tuple[str, int]  # arm and seed


def is_stopped(row: Outcome, largest: int) -> bool:
    """Return whether more time would decide more: the verdict or the distance is open, or there is a reason of a stop.

    largest: the largest radius of the comparison, within which the distance should be known.
    """
    return bool(row.reason) or row.verdict is Verdict.UNKNOWN or (row.distance is None and row.beyond < largest)


def is_settled(rows: Iterable[Outcome], radii: Sequence[int], *, counting: bool) -> bool:
    """Return whether these are finished rows of all radii, with exact counts if counting."""
    settled = [row.radius for row in rows if not is_stopped(row, max(radii)) and (row.adversarial.exact or not counting)]
    return settled == sorted(radii)


def value_of(rows: Sequence[Outcome]) -> dict[str, Any]:
    """Return the rows of one sample of one model as a value of the store."""
    return {"rows": [row.to_json() for row in rows]}


def rows_of(value: Mapping[str, Any], model: Model, sample: int) -> tuple[Outcome, ...]:
    """Return the rows that value_of wrote; ValueError, KeyError or TypeError where they are other rows or inconsistent."""
    rows = tuple(sorted(map(Outcome.from_json, value["rows"]), key=lambda row: row.radius))
    if not all((row.arm, row.seed, row.sample) == (*model, sample) and _is_consistent(row) for row in rows):
        raise ValueError(f"expected rows of {model[0]} seed {model[1]}, sample {sample}")
    return rows


def _is_consistent(row: Outcome) -> bool:
    """Return whether the verdict is the one that the counts give, and no count exceeds the points of the region."""
    verdict = Verdict.ROBUST if row.adversarial.high == 0 else Verdict.VULNERABLE if row.adversarial.low else Verdict.UNKNOWN
    counts = [row.adversarial, *filter(None, [row.shell]), *(row.targeted or ())]
    return row.verdict is verdict and all(count.high <= row.size for count in counts)
