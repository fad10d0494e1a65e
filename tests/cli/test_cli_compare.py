"""bnnverify compare: models of files, arms trained first, resuming, exit codes, and what is printed."""

from __future__ import annotations

import csv
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import save
from bnnverify.cli import BAD, DECIDED, OPEN
from bnnverify.results.outcome import Outcome
from tests.support.participants import field, samples
from tests.support.roof import plain, run_command

QUICK = ("--radii", "1,2", "--limit", "3")


@pytest.fixture
def models(tmp_path: Path) -> list[str]:
    """Return the paths of six saved models and, last, of their samples."""
    paths = [tmp_path / f"{participant.arm}-{participant.seed}.npz" for participant in field()]
    for path, participant in zip(paths, field(), strict=True):
        save(participant.network, path)
    np.savez(tmp_path / "data.npz", x=samples().bits, y=samples().labels)
    return [*map(str, paths), "--data", str(tmp_path / "data.npz")]


def test_models_of_files(models: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run_command(capsys, "compare", *models, *QUICK)
    assert code == DECIDED
    assert "3 samples, 2 seeds" in out
    assert out.count("bin_enc-D3") >= 4
    assert "certified accuracy, difference in points" in out
    assert "no record names the samples of data.npz that training used" in out


def test_json_is_one_object_with_rows_and_the_command(models: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    found = plain(capsys, "compare", *models, *QUICK)
    assert len(found["rows"]) == found["wanted"] == 6 * 3 * 2
    assert found["decided"] is True
    assert found["radii"] == [1, 2]
    assert len(found["model_sha256"]) == 6
    words = shlex.split(found["commands"][0])
    assert found["commands"][0].startswith("bnnverify compare ")
    assert words[-1] == "--json"
    assert words[words.index("--radii") + 1] == "1,2"
    assert "--margin" not in words
    assert set(models) <= set(words)


def test_unknown_rows_make_the_exit_code_1(models: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run_command(capsys, "compare", *models, *QUICK, "--timeout", "1e-9")
    assert code == OPEN
    assert "rows are UNKNOWN" in out


def test_stopped_counts_make_the_exit_code_1(
    models: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from bnnverify.queries.comparison.measurement import measure

    def late(*question: Any) -> tuple[Outcome, ...]:
        return tuple(replace(row, reason="late") for row in measure(*question))

    monkeypatch.setattr("bnnverify.queries.comparison.compare.measure", late)
    code, out, _ = run_command(capsys, "compare", *models, *QUICK)
    assert code == OPEN
    assert "36 of 36 rows are decided, but not finished" in out
    assert run_command(capsys, "compare", *models, *QUICK, "--no-count")[0] == DECIDED


def test_store_and_export(models: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, table = tmp_path / "rows.sqlite", tmp_path / "rows.csv"
    assert run_command(capsys, "compare", *models, *QUICK, "--store", str(store))[0] == DECIDED
    assert run_command(capsys, "compare", *models, *QUICK, "--store", str(store), "--export", str(table))[0] == DECIDED
    assert len(list(csv.DictReader(table.read_text().splitlines()))) == 36
    code, _, err = run_command(capsys, "compare", *models, "--radii", "1", "--store", str(store))
    assert code == BAD
    assert "expected finished work with radii 1, got a file with radii 1,2" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "expected either MODELs or --arms"),
        (("m.npz", "--arms", "no_pen"), "expected either MODELs or --arms"),
        (("--arms", "no_pen-D3"), "arms: expected some of bin_enc-D1"),
        (("--arms", "bin_enc"), "got bin_enc"),
        (("--arms", "no_pen", "--radii", "1;2"), "expected radii like 1,2,3"),
        (("--arms", "no_pen", "--export", "rows.txt"), "ends in .csv or .parquet"),
        (("nowhere.npz",), "nowhere.npz"),
        (("m.npz", "--seeds", "1", "--epochs", "3", "--models", "z"), "--seeds, --epochs, --models: expected --arms beside it"),
        (("--arms", "no_pen", "--radii", "65"), "radii must be between 1 and 64, got 65"),
        (("--arms", "no_pen", "--against", "zz"), "against: expected one of the arms no_pen, got zz"),
        (("--arms", "no_pen", "--engine", "zz"), "'zz' is not one of 'auto', 'bdd', 'bits'"),
        (("--arms", "no_pen", "--store", "no-such/deep/rows.sqlite"), "--store: expected a file in a folder that exists"),
        (("--arms", "no_pen", "--models", "no-such/deep"), "--models: expected a file in a folder that exists"),
        (("--arms", "no_pen", "--report", "no-such/r.html"), "--report: expected a file in a folder that exists"),
    ],
)
def test_bad_usage_is_one_sentence(
    words: tuple[str, ...],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bnnverify.training.experiment.run", trains)
    code, out, err = run_command(capsys, "compare", *words)
    assert (code, out) == (BAD, "")
    assert sentence in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def trains(*_: object) -> None:
    raise AssertionError("trained although the words are wrong")


def test_a_lost_training_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    from bnnverify.queries.execution.events import Lost, Ticket

    lost = [(("no_pen", 0), Lost(Ticket(0), "its process ended with status -9"))]
    monkeypatch.setattr("bnnverify.training.experiment.run", lambda *_: lost)
    code, out, err = run_command(capsys, "compare", "--arms", "no_pen", "--models", str(tmp_path / "models"))
    assert (code, out) == (OPEN, "")
    assert "training no_pen, seed 0: its process ended with status -9; nothing is compared" in err


@pytest.mark.slow
def test_arms_are_trained_once_and_compared_on_unseen_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    store = tmp_path / "rows.sqlite"
    words = ("--arms", "bin_enc-D2,bin_enc-D3", "--seeds", "1", "--epochs", "1", "--store", str(store), *QUICK)
    first = plain(capsys, "compare", *words)
    paths = sorted((tmp_path / "rows.sqlite.models").glob("*.npz"))
    assert [path.stem for path in paths] == ["bin_enc-D2-seed0", "bin_enc-D3-seed0"]
    before = [path.stat().st_mtime_ns for path in paths]
    again = plain(capsys, "compare", *words)
    assert again["rows"] == first["rows"]
    assert [path.stat().st_mtime_ns for path in paths] == before
    from bnnverify import load

    unseen = load(paths[0]).record["split"]["test"]
    assert [sample["index"] for sample in first["samples"]] == unseen[:3]
    code, _, err = run_command(capsys, "compare", *words, "--epochs", "3")
    assert code == BAD
    assert "trained on digits by the same recipe, got another model" in err
    loaded = plain(capsys, "compare", *map(str, paths), *QUICK)
    assert [{**row, "seconds": 0} for row in loaded["rows"]] == [{**row, "seconds": 0} for row in first["rows"]]


@pytest.mark.slow
def test_trained_side_by_side_after_a_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    store = tmp_path / "rows.sqlite"
    words = ("--arms", "no_pen,bin_enc-D3", "--seeds", "2", "--epochs", "2", "--store", str(store), "--jobs", "2", *QUICK)
    first = plain(capsys, "compare", *words)
    (tmp_path / "rows.sqlite.models" / "no_pen-seed1.npz").unlink()
    assert plain(capsys, "compare", *words)["rows"] == first["rows"]  # trained again, the same
