"""compare with a store: what is finished outlives the program, stopped work is done again, other questions are refused."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bnnverify import BadInput, Budget, Verdict, __version__
from bnnverify.results.outcome import Outcome
from tests.support.misbehaving import keys, rewrite
from tests.support.participants import RADII, comparison_of, field, network, samples, timeless


def test_spent_time_leaves_intervals_that_are_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    short = comparison_of(budget=Budget(1e-9), resume=path)
    assert not short.decided
    assert len(short.rows) == short.wanted
    unknown = [row for row in short.rows if row.verdict is Verdict.UNKNOWN]
    assert unknown
    assert all(row.reason for row in unknown)
    assert any("UNKNOWN" in note for note in short.notes)
    truth = {row.key: row for row in comparison_of().rows}
    for row in short.rows:
        exact = truth[row.key]
        assert row.adversarial.low <= exact.adversarial.low <= row.adversarial.high
        assert row.beyond < (exact.distance or RADII[-1] + 1)
    assert timeless(comparison_of(resume=path).rows) == timeless(truth.values())


def test_stored_rows_are_not_measured_again(tmp_path: Path) -> None:
    path, reports = tmp_path / "rows.sqlite", list[tuple[int, int]]()
    first = comparison_of(resume=path, limit=3)
    assert len(first.rows) == 36
    rewrite(path, lambda _, value: {"rows": [row | {"seconds": 99.0} for row in value["rows"]]})
    again = comparison_of(resume=path, progress=lambda done, total: reports.append((done, total)))
    assert sorted({row.sample for row in again.rows if row.seconds == 99.0}) == [20, 21, 22]
    assert timeless(again.rows) == timeless(comparison_of().rows)
    assert reports == [(2 * k, 96) for k in range(19, 49)]


def test_a_store_of_other_models_or_radii_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    comparison_of(resume=path, limit=1)
    changed = [replace(field()[0], network=network(55)), *field()[1:]]
    with pytest.raises(BadInput, match="expected finished work with model no_pen seed 0"):
        comparison_of(changed, resume=path)
    with pytest.raises(BadInput, match="expected finished work with radii 2, got a file with radii 1,3"):
        comparison_of(resume=path, radii=(2,))
    other = samples()
    with pytest.raises(BadInput, match="expected finished work with sample 20"):
        comparison_of(data=replace(other, bits=1 - other.bits), resume=path)


def test_a_store_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.sqlite"
    comparison_of(resume=path, limit=1)
    monkeypatch.setattr("bnnverify.queries.storage.store.__version__", "0.0.9")
    with pytest.raises(BadInput, match=f"expected finished work with bnnverify 0.0.9, got a file with bnnverify {__version__}"):
        comparison_of(resume=path, limit=1)


def test_decided_rows_that_were_stopped_are_noted_and_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where time runs out between shells: one adversarial point is met, so the row is decided, and not counted."""
    from bnnverify.queries.comparison.measurement import measure

    path = tmp_path / "rows.sqlite"
    truth = timeless(comparison_of(resume=None).rows)
    monkeypatch.setattr("bnnverify.queries.comparison.compare.measure", lambda *given: tuple(map(cut_short, measure(*given))))
    short = comparison_of(resume=path)
    stopped = [row for row in short.rows if row.verdict is Verdict.VULNERABLE]
    assert stopped
    sentence = f"{len(stopped)} of {len(short.rows)} rows are decided, but not finished"
    assert f"{sentence}: a count or distance may be open (late)" in short.notes
    monkeypatch.undo()
    again = comparison_of(resume=path)
    assert timeless(again.rows) == truth
    assert not any("not finished" in note for note in again.notes)


def cut_short(row: Outcome) -> Outcome:
    if row.verdict is not Verdict.VULNERABLE:
        return row
    return replace(row, adversarial=replace(row.adversarial, high=row.size), latent=None, reason="late")


SLOWLY = """
import sys, time
from pathlib import Path
from tests.support.participants import field
from tests.support.participants import samples
from tests.support.participants import comparison_of
from tests.support.participants import timeless

def slowly(done, wanted):
    print(done, flush=True)
    if done == 10:
        time.sleep(30)

if __name__ == "__main__":
    result = comparison_of(jobs=int(sys.argv[1]), resume=Path(sys.argv[2]), progress=slowly)
    print("finished", len(result.rows), result.decided, len(result.paired_comparisons), flush=True)
"""


@pytest.mark.parametrize(
    ("jobs", "how"),
    [
        (1, signal.SIGKILL),
        (2, signal.SIGINT),
        pytest.param(1, signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(2, signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_finished_rows_outlive_the_program(tmp_path: Path, jobs: int, how: signal.Signals) -> None:
    path = tmp_path / "rows.sqlite"
    command = [sys.executable, "-c", SLOWLY, str(jobs), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "10\n":
            pass
        process.send_signal(how)
        rest = process.stdout.read()
        assert rest == ("finished 10 False 6\n" if how is signal.SIGINT else "")
        assert process.wait(timeout=20) == (0 if how is signal.SIGINT else -signal.SIGKILL)
    assert len(keys(path)) == 5  # of two radii each
    reports: list[int] = []
    resumed = comparison_of(resume=path, progress=lambda done, _: reports.append(done))
    assert reports[0] == 12
    assert timeless(resumed.rows) == timeless(comparison_of().rows)
