"""The command `latents`: what it prints, as tables and as JSON, and its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnverify import save
from bnnverify.cli import BAD, DECIDED, OPEN
from tests.support.roof import POINT, plain, run_command, saved
from tests.support.zoo import parity

EVERYTHING = ("--radius", "2", "--attribution", "--against")


def samples(folder: Path) -> str:
    (folder / "rows.txt").write_text("111111\n000000\n110000\n")
    return str(folder / "rows.txt")


def test_json_holds_every_measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """4 of 6 ones: one flip of a 1 leaves 3, no majority; two flips leave 2, 4 or 6."""
    save(parity(6), tmp_path / "parity.npz")
    other = str(tmp_path / "parity.npz")
    found = plain(capsys, "latents", saved(tmp_path), POINT, *EVERYTHING, other, "--classes", samples(tmp_path))
    assert (found["exact"], found["asked"], found["radius"], found["size"], found["predicted"]) == (True, 2, 2, 22, 1)
    assert found["adversarial"] == [0, 4, 6]
    assert found["shells"][2] == {"distance": 2, "counts": [6, 9]}
    assert (found["flips"], found["distance"], len(found["witness"]["flips"])) == ([10], 1, 1)
    assert (found["margin"], found["bound"], found["beyond_margin"]) == (0, [10, 1], 10)
    assert found["attribution"]["counts"] == [[4]] * 4 + [[0]] * 2
    assert found["classes"]["codes"] == ["0", "1"]
    four, three, six = 1 + 4 * 2, 4, 1  # the inputs with so many ones, where majority and parity differ
    assert found["against"]["apart"] == {"low": four + three + six, "high": 14, "confidence": 1.0}
    assert [attack["distance"] for attack in found["attacks"]] == [1] * 4  # greedy, gradient, random, beam


def test_tables_hold_every_measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = saved(tmp_path)
    code, out, _ = run_command(capsys, "latents", model, POINT, *EVERYTHING, model, "--classes", samples(tmp_path))
    assert code == DECIDED
    for words in (
        "ball of radius 2: 22 inputs around class 1, code 1 (bit 0 first)",
        "the class changes at distance 1 (exact); the code is the same up to distance 0",
        "2 codes occur, entropy 0.9940 bits",
        "tail margin 0",
        "latent changes / (margin + 1) = 10 >= 10 inputs beyond the margin >= 10 adversarial",
        "the nearest two class codes differ in 1 bits",
        "different answers at 0 inputs (0 %)",
    ):
        assert words in out
    assert out.count("greedy") == 1


def test_nothing_changes_within_free_positions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run_command(capsys, "latents", saved(tmp_path), POINT, "--radius", "2", "--within", "4,5")
    assert code == DECIDED
    assert "the class never changes; the code is the same up to distance 2" in out
    assert "which proves the class stable" in out
    assert "none" in out


def test_a_stopped_count_prints_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run_command(capsys, "latents", saved(tmp_path), POINT, "--radius", "2", "--timeout", "1e-9", "--attribution")
    assert code == OPEN
    assert "only radius 0 of 2 is finished: stopped after 1e-09 s" in out


def test_bad_questions_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run_command(capsys, "latents", saved(tmp_path), POINT, "--radius", "7")
    assert (code, out) == (BAD, "")
    assert err == "bnnverify: radius must be between 0 and 6, got 7\n"


@pytest.mark.parametrize("words", [("--engine", "bdd"), ("--memory", "1"), ("--engine", "nonsense")])
def test_engine_and_memory_belong_to_against(words: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They did nothing once, and any engine's name was taken."""
    code, out, err = run_command(capsys, "latents", saved(tmp_path), POINT, "--radius", "1", *words)
    assert (code, out) == (BAD, "")
    assert ("nonsense" if "nonsense" in words else "expected --against MODEL beside them") in err
