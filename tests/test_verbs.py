"""count, attack, distance, certify: what they return, refuse, and keep when interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import (
    BadInput,
    BadQuery,
    BadSample,
    Becomes,
    Certification,
    Disagreement,
    EachClass,
    Everything,
    HammingBall,
    Leaves,
    Query,
    Row,
    Samples,
    Shell,
    Tally,
    Verdict,
    attack,
    certify,
    count,
    distance,
)
from bnnverify.queries.count import counted
from bnnverify.queries.engine import Budget
from bnnverify.queries.plan import ENGINES, choose
from tests.zoo import ZOO, majority, parity

EVERY_ENGINE = ["auto", *ENGINES]
NETWORK = majority(9)  # class 1 from five ones on
SAMPLES = Samples(
    bits=np.array([[1] * k + [0] * (9 - k) for k in (0, 2, 3, 4, 5, 9)], dtype=np.uint8),
    labels=np.array([0, 0, 0, 1, 1, 1]),
    indices=(10, 12, 13, 14, 15, 19),
    name="ones",
)
# within two flips: 0 and 2 ones stay 0 (2 + 2 = 4 < 5); 3 reaches 5; 4 reaches 5; 5 reaches 4; 9 - 2 = 7 stays 1
VERDICTS = [Verdict.ROBUST, Verdict.ROBUST, Verdict.VULNERABLE, Verdict.VULNERABLE, Verdict.VULNERABLE, Verdict.ROBUST]
# from 3 ones: two of the six zeros. From 4: one of five zeros, or two, not one up and one down. From 5: likewise.
ADVERSARIAL = [0, 0, 15, 5 + 10, 5 + 10, 0]


@pytest.mark.parametrize("engine", EVERY_ENGINE)
@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_count(case: Any, engine: str) -> None:
    if engine != "auto" and case not in ZOO[:4]:
        return  # the engines themselves are tested elsewhere; here the way through the child
    result = count(case.query, engine=engine)
    assert result.exact
    assert tuple(k.low for k in result.counts) == case.counts
    predicted = case.network(case.region.center)
    assert result.adversarial.low == case.region.size - case.counts[predicted]
    assert result.low == result.high == result.adversarial.low
    assert result.density == Fraction(result.low, case.region.size)
    told = json.loads(json.dumps(result.to_json()))
    assert told["counts"] == {"low": list(case.counts), "high": list(case.counts)}
    assert told["exact"] is True
    assert told["region"]["size"] == case.region.size


def test_questions_that_make_no_sense() -> None:
    ball = HammingBall(SAMPLES.bits[2], np.int64(2))
    assert json.dumps(count(Query(NETWORK, ball, Leaves(np.int64(0)))).to_json())
    assert json.dumps(distance(NETWORK, SAMPLES.bits[0], largest=np.int64(2)).to_json())
    with pytest.raises(BadQuery, match=r"class must be a whole number, got \[1, 2\]"):
        Becomes([1, 2])  # type: ignore[arg-type]
    with pytest.raises(BadQuery, match="event: expected Leaves"):
        Query(NETWORK, ball, "leaves")  # type: ignore[arg-type]
    with pytest.raises(BadQuery, match=r"radius must be a whole number, got 1\.5"):
        distance(NETWORK, SAMPLES.bits[0], largest=1.5)  # type: ignore[arg-type]


def test_events() -> None:
    region = HammingBall(SAMPLES.bits[2], 2)
    assert count(Query(NETWORK, region, Leaves(0))).low == 15
    assert count(Query(NETWORK, region, Leaves(1))).low == region.size - 15
    assert count(Query(NETWORK, region, Becomes(0, 1))).low == region.size
    with pytest.raises(BadQuery, match="class must be between 0 and 1, got 2"):
        Query(NETWORK, region, Becomes(2))
    with pytest.raises(BadQuery, match="at least one class"):
        Becomes()
    with pytest.raises(BadQuery, match="expected 9 bits, got 8"):
        Query(NETWORK, Everything(8), EachClass())


def test_unknown_engine() -> None:
    with pytest.raises(BadQuery, match="engine must be one of auto, bits, bdd, sat, got 'magic'"):
        count(ZOO[0].query, engine="magic")


def test_a_tally_that_contradicts_the_network_is_no_result() -> None:
    query = Query(NETWORK, HammingBall(SAMPLES.bits[0], 1), EachClass())
    with pytest.raises(Disagreement, match="centre is of class 0"):
        counted(query, "wrong", Tally.seen(10, [0, 10]), 0.0)
    with pytest.raises(Disagreement, match="tally of 10 points"):
        counted(query, "wrong", Tally.seen(9, [9, 0]), 0.0)


@pytest.mark.parametrize("engine", EVERY_ENGINE)
def test_attack(engine: str) -> None:
    found = attack(Query(NETWORK, HammingBall(SAMPLES.bits[3], 2), Leaves(0)), engine=engine)
    assert found.finding.verdict is Verdict.VULNERABLE
    witness = found.finding.witness
    assert witness is not None
    assert NETWORK(witness.bits) == witness.label == 1
    assert witness.distance <= 2
    assert json.dumps(found.to_json())
    assert attack(Query(NETWORK, HammingBall(SAMPLES.bits[1], 2), Leaves(0)), engine=engine).finding.verdict is Verdict.ROBUST


@pytest.mark.parametrize("engine", EVERY_ENGINE)
def test_distance(engine: str) -> None:
    for bits, want in zip(SAMPLES.bits, (5, 3, 2, 1, 1, 5), strict=True):
        result = distance(NETWORK, bits, engine=engine)
        assert result.exact
        assert (result.low, result.high) == (want, want)
        assert result.witness is not None
        assert result.witness.distance == want
        assert NETWORK(result.witness.bits) != NETWORK(bits)
    near = distance(NETWORK, SAMPLES.bits[0], largest=3, engine=engine)
    assert (near.low, near.high, near.exact, near.witness) == (4, None, True, None)
    held = distance(NETWORK, SAMPLES.bits[0], free=[0, 1, 2, 3], engine=engine)
    assert (held.low, held.high, held.exact) == (5, None, True)
    assert distance(NETWORK, SAMPLES.bits[0], event=Becomes(0), engine=engine).low == 0


def test_distance_reports_and_stops() -> None:
    heard: list[tuple[int, int]] = []
    distance(NETWORK, SAMPLES.bits[1], report=lambda d, largest: heard.append((d, largest)))
    assert heard == [(0, 9), (1, 9), (2, 9), (3, 9)]
    wide = majority(81)
    nearly = np.arange(81) < 39  # two more ones are needed; the region alone decides distances 0 and 1
    stopped = distance(wide, nearly.astype(int), engine="sat", budget=Budget(seconds=0.0))
    assert not stopped.exact
    assert stopped.low == 2
    assert stopped.high is None
    assert stopped.reason.startswith("stopped after")
    with pytest.raises(BadQuery, match="radius must be between 0 and 9, got 10"):
        distance(NETWORK, SAMPLES.bits[0], largest=10)


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("engine", EVERY_ENGINE)
def test_certify(engine: str, jobs: int) -> None:
    if jobs > 1 and engine in ("bdd", "sat"):
        pytest.skip("in a child either way")
    heard: list[tuple[int, int]] = []
    table = certify(NETWORK, SAMPLES, radius=2, engine=engine, jobs=jobs, report=lambda _, done, all_: heard.append((done, all_)))
    assert [row.index for row in table.rows] == list(SAMPLES.indices)
    assert [row.verdict for row in table.rows] == VERDICTS
    assert heard == [(k, 6) for k in range(1, 7)]
    for row, number in zip(table.rows, ADVERSARIAL, strict=True):
        assert row.adversarial.low <= number <= row.adversarial.high
        assert row.adversarial.exact or engine == "sat"
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
    table = certify(NETWORK, SAMPLES, radius=2, engine="sat", timeout=0.0)
    assert not table.decided
    assert len(table.rows) == 6
    unknown = [row for row in table.rows if row.verdict is Verdict.UNKNOWN]
    assert unknown
    assert all(row.reason for row in unknown)
    assert table.clean_accuracy is not None
    assert table.clean_accuracy * 6 == 5


def test_certify_refuses() -> None:
    with pytest.raises(BadQuery, match="jobs must be at least 1, got 0"):
        certify(NETWORK, SAMPLES, radius=2, jobs=0)
    with pytest.raises(BadQuery, match="radius must be between 0 and 9, got 10"):
        certify(NETWORK, SAMPLES, radius=10)
    with pytest.raises(BadSample, match="at least one sample"):
        certify(NETWORK, Samples(np.zeros((0, 9), dtype=np.uint8), None, (), "none"), radius=1)
    with pytest.raises(BadSample, match="different indices"):
        certify(NETWORK, Samples(SAMPLES.bits[:2], None, (3, 3), "twice"), radius=1)


def test_resume_reads_finished_rows_and_asks_only_for_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    part = Samples(SAMPLES.bits[:3], SAMPLES.labels[:3] if SAMPLES.labels is not None else None, SAMPLES.indices[:3], "part")
    certify(NETWORK, part, radius=2, resume=path)
    with path.open("ab") as file:
        file.write(b'{"key": "cut off by a ki')
    heard: list[int] = []
    table = certify(NETWORK, SAMPLES, radius=2, resume=path, report=lambda row, *_: heard.append(row.index))
    assert heard == [14, 15, 19]
    assert [row.verdict for row in table.rows] == VERDICTS
    again = certify(NETWORK, SAMPLES, radius=2, resume=path, report=lambda row, *_: heard.append(row.index))
    assert again.rows == table.rows
    assert heard == [14, 15, 19]


def test_undecided_rows_are_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    certify(NETWORK, SAMPLES, radius=2, engine="sat", timeout=0.0, resume=path)
    assert [row.verdict for row in certify(NETWORK, SAMPLES, radius=2, resume=path).rows] == VERDICTS


def test_open_counts_are_asked_again_where_counts_were_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    certify(NETWORK, SAMPLES, radius=2, counting=True, resume=path)
    text = path.read_text()
    assert '"low": 15, "high": 15' in text
    path.write_text(text.replace('"low": 15, "high": 15', '"low": 3, "high": 46'))
    assert [row.adversarial.low for row in certify(NETWORK, SAMPLES, radius=2, counting=True, resume=path).rows] == ADVERSARIAL


def test_a_resume_file_of_another_question_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    certify(NETWORK, SAMPLES, radius=2, resume=path)
    before = path.read_bytes()
    for network, radius in ((NETWORK, 1), (parity(9), 2)):
        with pytest.raises(BadInput, match=f"expected an earlier run of certify on model {network.sha256[:12]}, radius {radius}"):
            certify(network, SAMPLES, radius=radius, resume=path)
    assert path.read_bytes() == before
    for foreign in ("something else\n", "no line end", "[1, 2]\n[3]\n"):
        path.write_text(foreign)
        with pytest.raises(BadInput, match="expected an earlier run of certify"):
            certify(NETWORK, SAMPLES, radius=2, resume=path)
        assert path.read_text() == foreign
    certify(NETWORK, SAMPLES, radius=2, resume=(whole := tmp_path / "whole.jsonl"))
    for field, wrong in (('"low": 0', '"low": 9'), ('"seconds": ', '"seconds": "x", "s": '), ('"label": 0', '"label": [0]')):
        path.write_text(whole.read_text().replace(field, wrong))
        with pytest.raises(BadInput, match="expected rows of an earlier certify run"):
            certify(NETWORK, SAMPLES, radius=2, resume=path)
    with pytest.raises(BadInput, match="Is a directory"):
        certify(NETWORK, SAMPLES, radius=2, resume=tmp_path)


SLOW_THIRD_ROW = """
import sys, time
from pathlib import Path
from bnnverify import certify
from tests.test_verbs import NETWORK, SAMPLES

def slowly(row, done, wanted):
    print(done, flush=True)
    if done == 3:
        time.sleep(30)

table = certify(NETWORK, SAMPLES, radius=2, jobs=int(sys.argv[1]), resume=Path(sys.argv[2]), report=slowly)
print("kept", len(table.rows), table.decided, flush=True)
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_keeps_the_finished_rows(tmp_path: Path, jobs: int) -> None:
    path = tmp_path / "rows.jsonl"
    command = [sys.executable, "-c", SLOW_THIRD_ROW, str(jobs), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "3\n":
            pass
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "kept 3 False\n"
        assert process.wait(timeout=20) == 0
    assert len(path.read_text().splitlines()) == 1 + 3


def test_auto_says_why() -> None:
    small = choose(ZOO[0].query, counting=True)
    assert small.engine == "bits"
    assert small.why.startswith("bits: 512 points")
    network = majority(81)
    wide = Query(network, Everything(81), EachClass())
    assert choose(wide, counting=True).engine == "bdd"
    middle = Query(network, HammingBall(np.zeros(81), 60, free=np.arange(81) < 60), EachClass())
    assert choose(middle, counting=True).engine == choose(wide, counting=True).engine == "bdd"
    assert choose(wide, counting=False).engine == "sat"
    enormous = majority(2000)
    assert choose(Query(enormous, Everything(2000), EachClass()), counting=True).engine == "bdd"
    assert choose(Query(network, Shell(np.zeros(81), 40), EachClass()), "sat", counting=False).why == "sat: asked for"


def test_a_certification_without_labels_has_no_accuracy() -> None:
    unlabelled = Samples(SAMPLES.bits, None, SAMPLES.indices, "ones")
    table: Certification = certify(NETWORK, unlabelled, radius=1)
    assert table.clean_accuracy is None
    assert table.certified_accuracy is None
    assert table.share(Verdict.ROBUST) is not None
