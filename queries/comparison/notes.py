"""The notes of a comparison: missing, open and stopped rows, collapsed models, and the versions of all packages used."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import version

from bnnverify._version import __version__
from bnnverify.queries.comparison.settled import is_stopped
from bnnverify.results.comparison import FEWEST_SEEDS, ComparedModel
from bnnverify.results.finding import Verdict
from bnnverify.results.outcome import Outcome


def notes_on(rows: Sequence[Outcome], largest: int, wanted: int, models: Sequence[ComparedModel]) -> Iterator[str]:
    """Yield the notes on the finished rows, of the number wanted, and on the models; largest: the largest radius."""
    if len(rows) < wanted:
        yield f"interrupted: {len(rows)} of {wanted} rows are finished, and only they are compared"
    yield from _open(rows, largest)
    for model in models:
        if model.collapsed:
            yield f"{model.arm} seed {model.seed} collapsed: {model.collapsed}"
    if len({model.seed for model in models}) < FEWEST_SEEDS:
        yield f"fewer than {FEWEST_SEEDS} seeds: the comparison describes these models and concludes nothing about arms"


def _open(rows: Sequence[Outcome], largest: int) -> Iterator[str]:
    unknown = sum(row.verdict is Verdict.UNKNOWN for row in rows)
    if unknown:
        yield f"{unknown} of {len(rows)} rows are UNKNOWN: lost at the lower end of every number, won at the upper one"
    stopped = [row for row in rows if row.verdict is not Verdict.UNKNOWN and is_stopped(row, largest)]
    if stopped:
        reason = f" ({stopped[0].reason})" if stopped[0].reason else ""
        yield f"{len(stopped)} of {len(rows)} rows are decided, but not finished: a count or distance may be open{reason}"


def versions() -> dict[str, str]:
    """Return the versions of all software that decides the numbers of a comparison."""
    packages = {name: version(name) for name in ("numpy", "scipy")}
    return {"bnnverify": __version__, "python": platform.python_version(), **packages}
