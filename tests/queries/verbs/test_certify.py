"""certify: verdicts, counts, what it refuses, and what it keeps when interrupted or killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import BadInput, BadQuery, BadSample, Budget, Certification, Row, Samples, Verdict, certify
from bnnverify.queries.planning.session import Session
from tests.support.misbehaving import keys, rewrite
from tests.support.requirements import EVERY_ENGINE
from tests.support.zoo import NETWORK, SAMPLES, parity

# within two flips: 0 and 2 ones stay 0 (2 + 2 = 4 < 5); 3 reaches 5; 4 reaches 5; 5 reaches 4; 9 - 2 = 7 stays 1
VERDICTS = [Verdict.ROBUST, Verdict.ROBUST, Verdict.VULNERABLE, Verdict.VULNERABLE, Verdict.VULNERABLE, Verdict.ROBUST]
# from 3 ones: two of the six zeros. From 4: one of five zeros, or two, not one up and one down. From 5: likewise.
ADVERSARIAL = [0, 0, 15, 5 + 10, 5 + 10, 0]


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("engine", EVERY_ENGINE)
def test_certify(engine: str, jobs: int) -> None:
    if jobs > 1 and engine in ("bdd", "sat"):
        pytest.skip("in a child either way")
    reports: list[tuple[int, int]] = []
    table = certify(
        NETWORK, SAMPLES, radius=2, engine=engine, jobs=jobs, progress=lambda _, done, all_: reports.append((done, all_))
    )
    assert [row.index for row in table.rows] == list(SAMPLES.indices)
    assert [row.verdict for row in table.rows] == VERDICTS
    assert reports == [(k, 6) for k in range(1, 7)]
    for row, number in zip(table.rows, ADVERSARIAL, strict=True):
        assert row.adversarial.low <= number <= row.adversarial.high
        assert row.adversarial.exact or engine in ("sat", "codes", "exact")
    assert table.decided
    assert table.clean_accuracy is not None
    assert table.clean_accuracy * 6 == 5  # four ones are labelled 1 but are no majority
    assert table.certified_accuracy is not None
    assert table.certified_accuracy * 6 == 3
    assert [Row.from_json(json.loads(json.dumps(row.to_json()))) for row in table.rows] == list(table.rows)


def test_certify_counts_on_request_and_only_decides_on_request() -> None:
    counted_rows = certify(NETWORK, SAMPLES, radius=2, engine="sat", counting=True).rows
    assert [row.adversarial.low for row in counted_rows] == ADVERSARIAL
    decided = certify(NETWORK, SAMPLES, radius=2, engine="bits", counting=False).rows
    assert [row.verdict for row in decided] == VERDICTS
    assert not decided[2].adversarial.exact


def test_undecided_samples_stay_in_the_denominator() -> None:
    table = certify(NETWORK, SAMPLES, radius=2, engine="sat", budget=Budget(0.0))
    assert not table.decided
    assert len(table.rows) == 6
    unknown = [row for row in table.rows if row.verdict is Verdict.UNKNOWN]
    assert unknown
    assert all(row.reason for row in unknown)
    assert table.clean_accuracy is not None
    assert table.clean_accuracy * 6 == 5


def test_a_row_with_an_exact_count_has_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the engine was killed between its last report, which had it all, and its answer."""
    expected = certify(NETWORK, SAMPLES, radius=2, counting=True)
    whole = Session.count_posed
    monkeypatch.setattr(
        Session,
        "count_posed",
        lambda *asked: replace(counted := whole(*asked), tally=replace(counted.tally, reason="its process ended")),
    )
    killed = certify(NETWORK, SAMPLES, radius=2, counting=True)
    assert [replace(row, seconds=0.0) for row in killed.rows] == [replace(row, seconds=0.0) for row in expected.rows]


def test_certify_refuses() -> None:
    with pytest.raises(BadQuery, match="jobs must be at least 1, got 0"):
        certify(NETWORK, SAMPLES, radius=2, jobs=0)
    with pytest.raises(BadQuery, match="radius must be between 0 and 9, got 10"):
        certify(NETWORK, SAMPLES, radius=10)
    with pytest.raises(BadSample, match="at least one sample"):
        certify(NETWORK, Samples(np.zeros((0, 9), dtype=np.uint8), None, (), "none"), radius=1)
    with pytest.raises(BadSample, match="different indices"):
        certify(NETWORK, Samples(SAMPLES.bits[:2], None, (3, 3), "twice"), radius=1)


def test_resume_reads_finished_rows_and_decides_only_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    part = Samples(SAMPLES.bits[:3], SAMPLES.labels[:3] if SAMPLES.labels is not None else None, SAMPLES.indices[:3], "part")
    certify(NETWORK, part, radius=2, resume=path)
    reports: list[int] = []
    table = certify(NETWORK, SAMPLES, radius=2, resume=path, progress=lambda row, *_: reports.append(row.index))
    assert reports == [14, 15, 19]
    assert [row.verdict for row in table.rows] == VERDICTS
    again = certify(NETWORK, SAMPLES, radius=2, resume=path, progress=lambda row, *_: reports.append(row.index))
    assert again.rows == table.rows
    assert reports == [14, 15, 19]


def test_labels_are_those_of_this_run(tmp_path: Path) -> None:
    """A finished row says what the network does; which class would be right is no part of that."""
    path = tmp_path / "rows.sqlite"
    certify(NETWORK, SAMPLES, radius=2, resume=path)
    assert SAMPLES.labels is not None
    other = Samples(SAMPLES.bits, 1 - SAMPLES.labels, SAMPLES.indices, "other")
    assert certify(NETWORK, other, radius=2, resume=path).clean_accuracy == certify(NETWORK, other, radius=2).clean_accuracy


def test_undecided_rows_are_decided_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    certify(NETWORK, SAMPLES, radius=2, engine="sat", budget=Budget(0.0), resume=path)
    assert [row.verdict for row in certify(NETWORK, SAMPLES, radius=2, resume=path).rows] == VERDICTS


@pytest.mark.parametrize(("counting", "reason"), [(True, ""), (None, "its process ended")])
def test_open_counts_are_counted_again_if_counting(tmp_path: Path, counting: bool | None, reason: str) -> None:
    """Also where counting was left to the planner and something stopped it: a child that is killed, say."""
    path = tmp_path / "rows.sqlite"
    certify(NETWORK, SAMPLES, radius=2, counting=counting, resume=path)
    opened = {"adversarial": {"low": 3, "high": 46, "confidence": 1.0}, "reason": reason}
    rewrite(path, lambda _, row: row | opened if row["verdict"] == "VULNERABLE" else row)
    table = certify(NETWORK, SAMPLES, radius=2, counting=counting, resume=path)
    assert [row.adversarial.low for row in table.rows] == ADVERSARIAL


def test_open_counts_stay_open_unless_counting(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    certify(NETWORK, SAMPLES, radius=2, counting=False, resume=path)
    reports: list[int] = []
    certify(NETWORK, SAMPLES, radius=2, counting=False, resume=path, progress=lambda row, *_: reports.append(row.index))
    assert reports == []


def test_a_resume_file_of_another_question_is_refused_and_left_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    certify(NETWORK, SAMPLES, radius=2, resume=path)
    before = path.read_bytes()
    for network, radius, sentence in ((NETWORK, 1, "with radius 1"), (parity(9), 2, f"with model {parity(9).sha256[:40]}")):
        with pytest.raises(BadInput, match=f"expected finished work {sentence}, got a file with"):
            certify(network, SAMPLES, radius=radius, resume=path)
    assert path.read_bytes() == before
    with pytest.raises(BadInput, match="expected a file, got a folder"):
        certify(NETWORK, SAMPLES, radius=2, resume=tmp_path)


CONTRADICTIONS: list[dict[str, Any]] = [
    {"adversarial": {"low": 9, "high": 8, "confidence": 1.0}},
    {"adversarial": {"low": 1, "high": 47, "confidence": 1.0}},  # two flips of nine bits: 46 points
    {"adversarial": {"low": 0, "high": 46, "confidence": 1.0}},
    {"verdict": "FINE"},
    {"verdict": "UNKNOWN"},
    {"predicted": 7},
    {"index": 99},
    {"seconds": "x"},
    {"label": [0]},
    {"more": 1},
]


@pytest.mark.parametrize("changed", CONTRADICTIONS, ids=str)
def test_rows_that_contradict_are_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    """Though their checksums are right."""
    path = tmp_path / "rows.sqlite"
    certify(NETWORK, SAMPLES, radius=2, resume=path)
    rewrite(path, lambda _, row: row | changed if row["index"] == 14 else row)
    with pytest.raises(
        BadInput, match=f"resume file {path}: piece 14 .*: expected an answer to this question, got something else"
    ):
        certify(NETWORK, SAMPLES, radius=2, resume=path)


SLOW_THIRD_ROW = """
import sys, time
from pathlib import Path
from bnnverify import certify
from tests.support.misbehaving import keys, rewrite
from tests.support.zoo import NETWORK
from tests.support.zoo import SAMPLES

def slowly(row, done, wanted):
    print(done, flush=True)
    if done == 3:
        time.sleep(30)

table = certify(NETWORK, SAMPLES, radius=2, jobs=int(sys.argv[1]), resume=Path(sys.argv[2]), progress=slowly)
print("finished", len(table.rows), table.decided, flush=True)
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_keeps_the_finished_rows(tmp_path: Path, jobs: int) -> None:
    path = tmp_path / "rows.sqlite"
    command = [sys.executable, "-c", SLOW_THIRD_ROW, str(jobs), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "3\n":
            pass
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "finished 3 False\n"
        assert process.wait(timeout=20) == 0
    assert len(keys(path)) == 3


def test_a_certification_without_labels_has_no_accuracy() -> None:
    unlabelled = Samples(SAMPLES.bits, None, SAMPLES.indices, "ones")
    table: Certification = certify(NETWORK, unlabelled, radius=1)
    assert table.clean_accuracy is None
    assert table.certified_accuracy is None
    assert table.share(Verdict.ROBUST) is not None
