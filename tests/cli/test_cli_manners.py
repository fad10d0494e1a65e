"""Manners of the roof: whatever happens is a sentence and an exit code, and stopped work says what it knows."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import save
from bnnverify.cli import BAD, BUG, DECIDED, OPEN, main
from bnnverify.errors import Disagreement
from bnnverify.problem.budget import Budget
from bnnverify.problem.query import Query
from bnnverify.queries.planning.session import Session
from bnnverify.results.certification import Certification, Row
from bnnverify.results.counts import Count, Tally
from bnnverify.results.finding import Verdict
from bnnverify.results.progress import Progress, Report
from tests.support.misbehaving import rewrite
from tests.support.roof import POINT, plain, run_command, saved
from tests.support.zoo import majority

Capture = pytest.CaptureFixture[str]
COUNT = ("count", POINT, "--radius", "2")


@pytest.fixture
def model(tmp_path: Path) -> str:
    return saved(tmp_path)


def command(model: str, verb: str, *words: str) -> tuple[str, ...]:
    return (verb, model, *words)


def fails(error: BaseException) -> Callable[..., None]:
    def verb(*_: Any, **__: Any) -> None:
        raise error

    return verb


FAILURES: list[tuple[BaseException, int, str]] = [
    (Disagreement("expected 4, got 5"), BUG, "expected 4, got 5"),
    (OverflowError("too large\nfor C"), BUG, "internal error, a bug, nothing is reported: OverflowError: too large for C ("),
    (RecursionError("deep"), BUG, "RecursionError: deep"),
    (ImportError("no name x", name="bnnverify.problem.query"), BUG, "ImportError: no name x"),
    (ImportError("libcudd.so: gone", name="dd.cudd"), BAD, "dd.cudd cannot be imported (libcudd.so: gone): pip install"),
    (MemoryError(), OPEN, "out of memory"),
    (ValueError("\x1b[2Jcleared"), BUG, "ValueError: ?[2Jcleared"),
]


@pytest.mark.parametrize(("error", "code", "sentence"), FAILURES, ids=[type(error).__name__ for error, _, _ in FAILURES])
def test_any_failure_is_one_sentence(
    model: str, error: BaseException, code: int, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("bnnverify.cli.commands.count.count", fails(error))
    found, out, err = run_command(capsys, *command(model, *COUNT))
    assert (found, out) == (code, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_a_bug_names_its_place(model: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("bnnverify.cli.commands.count.count", fails(KeyError("x")))
    line = fails.__code__.co_firstlineno + 2
    assert f"({__file__}:{line})" in run_command(capsys, *command(model, *COUNT))[2]


def test_ctrl_c_prints_the_interval_known_so_far(model: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def interrupted(_: Session, __: Query, ___: Budget, report: Report) -> None:
        report(Progress(5, 22, Tally.partial(22, [2, 3])))
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "count", interrupted)
    code, out, _ = run_command(capsys, *command(model, *COUNT), "--json")
    found = json.loads(out)
    assert code == OPEN
    assert found["counts"] == {"low": [2, 3], "high": [19, 20]}
    assert found["reason"] == "interrupted"


def test_an_early_ctrl_c_prints_the_widest_interval(model: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(Session, "count", fails(KeyboardInterrupt()))
    code, out, _ = run_command(capsys, *command(model, *COUNT))
    assert code == OPEN
    assert "at 0..22 of these inputs" in out
    assert "open: interrupted" in out


def test_ctrl_c_in_an_attack_is_unknown(model: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(Session, "find", fails(KeyboardInterrupt()))
    code, out, _ = run_command(capsys, "attack", model, POINT, "--radius", "2")
    assert code == OPEN
    assert "UNKNOWN: interrupted" in out


def test_ctrl_c_in_a_distance_prints_the_lower_bound(model: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def interrupted(search: Any, _: object) -> None:
        search.low = 3
        raise KeyboardInterrupt

    monkeypatch.setattr("bnnverify.queries.verbs.distance._Search.step", interrupted)
    code, out, _ = run_command(capsys, "distance", model, "000000", "--max", "5", "--json")
    found = json.loads(out)
    assert code == OPEN
    assert (found["low"], found["high"], found["searched"], found["exact"]) == (3, None, 5, False)
    assert "at least 3" in run_command(capsys, "distance", model, "000000")[1]
    monkeypatch.setattr("bnnverify.queries.verbs.distance._Search.step", fails(KeyboardInterrupt()))
    assert "at least 1" in run_command(capsys, "distance", model, "000000")[1]


@pytest.mark.parametrize(("words", "code"), [((), DECIDED), (("--no-count",), DECIDED), (("--count",), OPEN)])
def test_open_counts_are_exit_1_with_counting(
    model: str, words: tuple[str, ...], code: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    row = Row(0, None, 1, Verdict.VULNERABLE, Count(3, 10), "bits", 0.1, "stopped after 1 s")
    monkeypatch.setattr("bnnverify.cli.commands.certify.certify", lambda *_, **__: Certification((row,), 1, 2, 22, 0.1))
    assert run_command(capsys, "certify", model, POINT, "--radius", "2", *words)[0] == code


@pytest.mark.parametrize("words", [("count",), ("attack",), ("certify", "--count")])
def test_the_plan_is_explained_on_standard_error(model: str, words: tuple[str, ...], capsys: Capture) -> None:
    verb, *more = words
    question = (verb, model, POINT, "--radius", "2", *more, "--json")
    assert run_command(capsys, *question)[2] == ""
    _, out, err = run_command(capsys, *question, "--explain-plan")
    assert json.loads(out)
    assert err.startswith("plan: bits: 22 points")
    assert "asked for" in run_command(capsys, *question, "--explain-plan", "--engine", "sat")[2]


@pytest.mark.parametrize("name", ["m[/x]", "a[red]b", ":smile:"])
def test_names_out_of_files_are_shown_as_they_are(name: str, tmp_path: Path, capsys: Capture) -> None:
    save(replace(majority(6), name=name, notes=(name,)), tmp_path / "m.npz")
    code, out, _ = run_command(capsys, "info", str(tmp_path / "m.npz"))
    assert code == DECIDED
    assert out.count(name) == 2


def test_names_out_of_files_do_not_steer_the_terminal(tmp_path: Path, capsys: Capture) -> None:
    save(replace(majority(6), name="a\x1b[2Jb"), tmp_path / "m.npz")
    out = run_command(capsys, "info", str(tmp_path / "m.npz"))[1]
    assert "a?[2Jb" in out
    assert "\x1b" not in out


def test_engines_out_of_a_resume_file_are_shown_as_they_are(model: str, tmp_path: Path, capsys: Capture) -> None:
    stored = tmp_path / "rows.sqlite"
    question = ("certify", model, POINT, "--radius", "2", "--resume", str(stored))
    assert run_command(capsys, *question)[0] == DECIDED
    rewrite(stored, lambda _, row: row | {"engine": "a[/x]b"})
    code, out, _ = run_command(capsys, *question)
    assert code == DECIDED
    assert "a[/x]b" in out


@pytest.mark.parametrize(("library", "extra"), [("torch", "train"), ("jinja2", "report"), ("matplotlib.figure", "report")])
def test_the_demo_notices_a_missing_extra_before_it_does_anything(
    library: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    code, out, err = run_command(capsys, "demo", "--out", str(tmp_path / "out"))
    assert (code, out) == (BAD, "")
    assert f"pip install 'bnnverify[{extra}]'" in err
    assert not (tmp_path / "out").exists()


def test_training_without_torch_names_the_package_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    code, _, err = run_command(capsys, "train", "--out", str(tmp_path / "x.npz"))
    assert code == BAD
    assert "pip install 'bnnverify[train]'" in err


def test_labels_beyond_the_classes_are_refused(model: str, tmp_path: Path, capsys: Capture) -> None:
    np.savez(tmp_path / "data.npz", x=np.eye(6), y=np.array([0, 1, 0, 1, 0, 99]))
    code, _, err = run_command(capsys, "certify", model, str(tmp_path / "data.npz"), "--radius", "1")
    assert code == BAD
    assert "labels must be between 0 and 1, got 99" in err
    assert plain(capsys, "count", model, f"{tmp_path / 'data.npz'}:5", "--radius", "1")["exact"] is True


def test_version_and_help_are_decided(capsys: Capture) -> None:
    assert main(["--version"]) == DECIDED
    assert capsys.readouterr().out.startswith("bnnverify, version ")
