"""distance on the command line: in flips, in pixel values, and by tolerated share."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import InputCoding, Query, save
from bnnverify.cli import BAD, DECIDED, OPEN
from bnnverify.problem.budget import Budget
from bnnverify.queries.planning.session import Counted, Session
from bnnverify.results.counts import Tally
from bnnverify.results.finding import confirmed
from bnnverify.results.progress import Progress, Report
from tests.support.roof import documented, plain, run_command, saved
from tests.support.zoo import majority

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def pixels(tmp_path: Path) -> tuple[str, str]:
    """Return majority(5) with thresholds of 100, and a picture with all pixels below; the last pixel is always on."""
    coding = InputCoding(np.array([100, 100, 100, 100, 0]))
    save(replace(majority(5), coding=coding), tmp_path / "pixels.npz")
    np.save(tmp_path / "picture.npy", np.array([95, 96, 97, 40, 7]))
    return str(tmp_path / "pixels.npz"), str(tmp_path / "picture.npy")


@pytest.mark.parametrize(
    ("norm", "want", "changes"),
    [("0", 2, None), ("1", 7, [[1, 4], [2, 3]]), ("2", 25, [[1, 4], [2, 3]]), ("inf", 4, [[1, 4], [2, 3]])],
)
def test_norms(pixels: tuple[str, str], norm: str, want: int, changes: list[list[int]] | None, capsys: Capture) -> None:
    found = plain(capsys, "distance", *pixels, "--norm", norm)
    assert (found["low"], found["high"], found["exact"], found["norm"]) == (want, want, True, norm)
    assert changes is None or found["changes"] == changes
    assert set(found) == documented("distance")
    code, out, _ = run_command(capsys, "distance", *pixels, "--norm", norm)
    assert code == DECIDED
    assert f"{want} (exact)" in out
    assert changes is None or "pixels changed: 1 by +4, 2 by +3" in out
    assert ("squared" in out) == (norm == "2")


def test_a_cost_to_give_up_beyond(pixels: tuple[str, str], capsys: Capture) -> None:
    found = plain(capsys, "distance", *pixels, "--norm", "1", "--max", "6")
    assert (found["low"], found["high"], found["exact"], found["searched"]) == (7, None, True, 6)
    assert plain(capsys, "distance", *pixels, "--norm", "1", "--within", "0,3")["low"] == 65
    assert sum(part["last"] - part["first"] + 1 for part in found["proved"]) == 6


def test_norms_need_pixels(pixels: tuple[str, str], tmp_path: Path, capsys: Capture) -> None:
    code, _, err = run_command(capsys, "distance", pixels[0], "00001", "--norm", "1")
    assert code == BAD
    assert err.strip() == "bnnverify: norm 1: expected a picture such as mnist:7, got bits, whose pixels nobody knows"
    code, _, err = run_command(capsys, "distance", saved(tmp_path), "000000", "--norm", "2")
    assert code == BAD
    assert "expected a model with pixel thresholds" in err
    assert run_command(capsys, "distance", *pixels, "--norm", "3")[0] == BAD


def test_tolerance(pixels: tuple[str, str], capsys: Capture) -> None:
    question = ("distance", pixels[0], "00000", "--tolerance", "1/16", "--max", "4")
    found = plain(capsys, *question)
    assert (found["first_failure"], found["largest_success"], found["fails_at"], found["exact"]) == (2, 2, 3, True)
    assert found["shares"][3] == [5, 13]
    assert all(f"`{field}`" in DOCS for field in found)
    assert [found["event"], found["predicted"], found["tolerance"]] == ["leaves:0", 0, [1, 16]]
    code, out, _ = run_command(capsys, *question)
    assert code == DECIDED
    assert "first failure: at radius 3 (38.46 %)" in out
    assert "largest success: radius 2" in out
    for share, *words in (("0.1", "--norm", "1"), ("1/0", "--max", "2"), ("2", "--max", "2")):
        assert run_command(capsys, "distance", pixels[0], "00000", "--tolerance", share, *words)[0] == BAD


def test_tolerance_without_a_largest_radius(pixels: tuple[str, str], capsys: Capture) -> None:
    found = plain(capsys, "distance", pixels[0], "00000", "--tolerance", "1/16", "--jobs", "1")
    assert (found["first_failure"], found["largest_success"], found["fails_at"], found["searched"]) == (2, 2, 3, 3)
    assert (found["exact"], found["shares"][3]) == (True, [5, 13])
    never = plain(capsys, "distance", pixels[0], "00000", "--tolerance", "0.5")  # exactly half of all 32 inputs
    assert (never["first_failure"], never["fails_at"], never["searched"], never["exact"]) == (5, None, 5, True)


def test_ctrl_c_keeps_counted_radii(pixels: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def count(session: Session, query: Query, budget: Budget, report: Report) -> Counted:
        """Count distance by distance; interrupted at distance 4, where 3 of 5 points are known to leave."""
        if query.region.outer < 4:
            return counted(session, query, budget, report)
        report(Progress(3, 5, Tally.partial(5, [0, 3])))
        raise KeyboardInterrupt

    counted = Session.count
    monkeypatch.setattr(Session, "count", count)
    question = ("distance", pixels[0], "00000", "--tolerance", "0.4")
    code, out, _ = run_command(capsys, *question)
    assert code == OPEN
    assert "first failure: at radius 4 (more than 40.00 %); every radius below it is within tolerance" in out
    found = plain(capsys, *question)
    assert (found["shares"], found["failing"], found["fails_at"]) == ([[0, 1], [0, 1], [0, 1], [5, 13]], 4, 4)
    assert (found["first_failure"], found["searched"], found["exact"], found["reason"]) == (3, 4, False, "interrupted")


DOCS = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")


def test_ctrl_c_prints_the_best_witness(pixels: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def interrupted(search: Any, _: object) -> None:
        search.low, search.best = 3, confirmed(search.query, np.array([0, 1, 1, 0, 1], dtype=np.uint8))
        raise KeyboardInterrupt

    monkeypatch.setattr("bnnverify.queries.verbs.distance._Search.step", interrupted)
    code, out, _ = run_command(capsys, "distance", *pixels, "--norm", "1", "--json")
    found = json.loads(out)
    assert code == OPEN
    assert (found["low"], found["high"], found["exact"], found["reason"]) == (3, 7, False, "interrupted")
    assert "between 3 and 7" in run_command(capsys, "distance", *pixels, "--norm", "1")[1]
    monkeypatch.setattr("bnnverify.cli.commands.distance.tolerance", lambda *_, **__: signal.raise_signal(signal.SIGINT))
    assert run_command(capsys, "distance", *pixels, "--tolerance", "0", "--max", "2")[0] == OPEN
