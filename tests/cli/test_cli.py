"""The roof: every command's words, exit codes and sentences, on networks whose answers are known by reasoning."""

from __future__ import annotations

from math import comb
from pathlib import Path

import numpy as np
import pytest

from bnnverify import Head, InputCoding, Network, save
from bnnverify.cli import BAD, DECIDED, OPEN
from bnnverify.results.certification import Certification, Row
from bnnverify.results.counts import Count
from bnnverify.results.finding import Verdict
from tests.support.requirements import DATA, needs_data
from tests.support.roof import POINT, plain, run_command, saved
from tests.support.zoo import majority


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return saved(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A network over 80 bits that always answers class 1."""
    path = tmp_path_factory.mktemp("models") / "always.npz"
    save(Network((), Head(np.zeros((2, 80)), [0, 1])), path)
    return str(path)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (("--radius", "0"), 0),
        (("--radius", "2", "--event", "leaves"), 10),
        (("--radius", "2", "--event", "leaves:0"), 12),
        (("--radius", "2", "--event", "becomes:0"), 10),
        (("--radius", "2", "--event", "becomes:0,1"), 22),
        (("--radius", "2", "--within", "0,4,5"), 1),  # only the flip of bit 0 alone: with a zero flipped too, 4 of 6 again
        (("--free", "0,1"), 3),
        (("--free", "0-1"), 3),
        (("--everything",), 42),  # class 0 up to a tie: 1 + 6 + 15 + 20 of 64
    ],
)
def test_count_understands_regions_and_events(
    model: str, words: tuple[str, ...], number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plain(capsys, "count", model, POINT, *words)["count"] == {"low": number, "high": number}


def test_everything_needs_no_input(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert plain(capsys, "count", model, "--everything")["counts"]["low"] == [42, 22]


def test_counts_beyond_floats_are_exact_in_json_and_short_in_tables(wide: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert plain(capsys, "count", wide, "--everything")["counts"]["low"] == [0, 2**80]
    code, out, _ = run_command(capsys, "count", wide, "--everything")
    assert code == DECIDED
    assert "1.209e24" in out


def test_a_spent_budget_is_an_interval_and_exit_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(majority(80), tmp_path / "wide.npz")
    ones, zeros, radius = 41, 39, 20  # more ones flipped than zeros: class 0
    truth = sum(comb(ones, a) * comb(zeros, b) for a in range(radius + 1) for b in range(radius + 1 - a) if a > b)
    point = "1" * ones + "0" * zeros
    words = ("count", str(tmp_path / "wide.npz"), point, "--radius", str(radius), "--engine", "bits", "--timeout", "0.2")
    code, out, _ = run_command(capsys, *words)
    assert code == OPEN
    assert "not exact" in out
    found = plain(capsys, *words)
    assert found["exact"] is False
    assert found["counts"]["low"][0] < truth < found["counts"]["high"][0]


def test_attack_shows_the_witness_and_proves_its_absence(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run_command(capsys, "attack", model, POINT, "--radius", "1")
    assert code == DECIDED
    assert "VULNERABLE: 1 flip" in out
    code, out, _ = run_command(capsys, "attack", model, "111111", "--radius", "2")
    assert code == DECIDED
    assert "ROBUST" in out
    assert plain(capsys, "attack", model, "111111", "--radius", "2")["verdict"] == "ROBUST"


def test_distance_is_exact(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = plain(capsys, "distance", model, "000000")
    assert (found["low"], found["high"], found["exact"]) == (4, 4, True)
    code, out, _ = run_command(capsys, "distance", model, "000000", "--max", "3")
    assert code == DECIDED
    assert "at least 4" in out


def test_certify_a_file(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "inputs.txt"
    data.write_text("1 1 1 1 1 1\n1 1 1 1 0 0\n0 0 0 0 0 0\n")
    code, out, _ = run_command(capsys, "certify", model, str(data), "--radius", "2")
    assert code == DECIDED
    assert "ROBUST 2, VULNERABLE 1, UNKNOWN 0, of 3" in out
    found = plain(capsys, "certify", model, str(data), "--radius", "2", "--count")
    assert [row["adversarial"]["low"] for row in found["rows"]] == [0, 10, 0]


def test_certify_interrupted_prints_the_finished_rows(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "inputs.txt"
    data.write_text("111111\n")
    row = Row(0, 1, 1, Verdict.ROBUST, Count.exactly(0), "bits", 0.1)
    monkeypatch.setattr("bnnverify.cli.commands.certify.certify", lambda *_, **__: Certification((row,), 3, 2, 22, 0.1))
    code, out, _ = run_command(capsys, "certify", model, str(data), "--radius", "2")
    assert code == OPEN
    assert "2 of 3 samples are missing" in out


def test_info_describes_a_model(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run_command(capsys, "info", model)
    assert code == DECIDED
    assert "6-1-2" in out
    assert plain(capsys, "info", model)["model_sha256"] == majority(6).sha256


def test_pictures_are_shown_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = majority(6)
    path = tmp_path / "picture.npz"
    save(Network(network.blocks, network.head, InputCoding(np.full(6, 128), (2, 3))), path)
    _, out, _ = run_command(capsys, "attack", str(path), POINT, "--free", "0")
    assert "###     -##\n#..     #.." in out


BAD_WORDS: list[tuple[tuple[str, ...], str]] = [
    (("count", "MODEL", POINT), "exactly one of --radius, --free and --everything"),
    (("count", "MODEL", POINT, "--radius", "1", "--everything"), "exactly one"),
    (("count", "MODEL", "--radius", "1"), "expected an INPUT"),
    (("count", "MODEL", POINT, "--radius", "7"), "between 0 and 6, got 7"),
    (("count", "MODEL", POINT, "--radius", "-1"), "-1 is not in the range"),
    (("count", "MODEL", POINT, "--free", "6"), "between 0 and 5, got 6"),
    (("count", "MODEL", POINT, "--free", "0", "--within", "1"), "--within narrows --radius"),
    (("count", "MODEL", "0101", "--radius", "1"), "expected 6 bits, got 4"),
    (("count", "MODEL", POINT, "--radius", "1", "--event", "becomes:2"), "between 0 and 1, got 2"),
    (("count", "MODEL", POINT, "--radius", "1", "--event", "becomes:x"), "expected class numbers"),
    (("count", "MODEL", POINT, "--radius", "1", "--event", "stays"), "event: expected"),
    (("count", "MODEL", POINT, "--radius", "1", "--engine", "magic"), "magic"),
    (("count", "MODEL", POINT, "--radius", "1", "--timeout", "nan"), "at most 1e+09, got nan"),
    (("count", "MODEL", POINT, "--radius", "1", "--timeout", "1e300"), "above 0, at most 1e+09, got 1e+300"),
    (("count", "MODEL", POINT, "--radius", "1", "--memory", "inf"), "at most 1e+09, got inf"),
    (("count", "MODEL", POINT, "--radius", "1", "--memory", "1.1e9"), "above 0, at most 1e+09, got 1.1e+09"),
    (("count", "MODEL", POINT, "--radius", "5", "--within", "1,2"), "between 0 and the number of free positions, 2, got 5"),
    (("count", "MODEL", POINT, "--free", "0-6"), "between 0 and 5, got 6"),
    (("count", "MODEL", "", "--radius", "1"), "bits like 0110, got ''"),
    (("certify", "MODEL", ":", "--radius", "1"), "bits like 0110, got ':'"),
    (("count", "MODEL", "mnist", "--radius", "1"), "name one by its index, as in mnist:17"),
    (("certify", "MODEL", POINT, "--radius", "1", "--jobs", "1001"), "not in the range"),
    (("attack", "MODEL", POINT, "--radius", "1", "--event", "classes"), "got classes"),
    (("certify", "MODEL", "digits", "--radius", "1"), "digits"),
    (("certify", "MODEL", POINT, "--radius", "1", "--limit", "0"), "not in the range"),
    (("info", "nothing-here.npz"), "nothing-here.npz"),
    (("train", "--recipe", "magic", "--out", "x.npz"), "expected one of digits"),
    (("train", "--out", "no-such-folder/x.npz"), "in a folder that exists, got no-such-folder/x.npz"),
    (("train", "--out", "x.npz", "--seed", str(2**70)), "not in the range"),
    (("magic",), "No such command"),
]


@pytest.mark.parametrize(("words", "sentence"), BAD_WORDS, ids=[" ".join(words) for words, _ in BAD_WORDS])
def test_bad_input_is_one_sentence_and_exit_2(
    model: str, words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run_command(capsys, *(model if word == "MODEL" else word for word in words))
    assert code == BAD
    assert out == ""
    assert sentence in err
    assert err.startswith("bnnverify: ")
    assert err.count("\n") == 1


@needs_data
@pytest.mark.parametrize(
    ("region", "counts"),  # published by the authors of BNNQuanalyst for this network and input
    [
        (("--radius", "3"), [150348, 0, 2773, 11, 1, 0, 8578, 0, 5040, 0]),
        (("--free", "fixed_set_file_random_100_20.txt"), [881287, 20, 35408, 27166, 2112, 27367, 23188, 1991, 50019, 18]),
    ],
)
def test_published_counts_of_a_trained_network(
    region: tuple[str, str], counts: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = DATA / "bnnquanalyst-csv"
    option, value = region
    words = (option, str(folder / "inputs" / value) if option == "--free" else value)
    model, point = folder / "models" / "mnist_bnn_1_blk_100_50_10", folder / "inputs" / "instance_0_100.txt"
    found = plain(capsys, "count", str(model), str(point), *words)
    assert found["counts"] == {"low": counts, "high": counts}


@pytest.mark.slow
def test_the_demo_prints_all_its_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run_command(capsys, "demo", "--out", str(tmp_path / "out"))
    assert code == DECIDED
    assert all(f"\n{step}. " in out for step in range(1, 7))
    assert "certified accuracy" in out
    assert out.rstrip().endswith("report.html")
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert all(arm in report for arm in ("no_pen", "nonlin_pen", "bin_enc-D3"))
    assert run_command(capsys, "info", str(tmp_path / "out" / "digits.npz"))[0] == DECIDED
