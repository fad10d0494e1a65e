"""bnnverify train: what it writes, says and refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnnverify import load
from bnnverify.cli import BAD, DECIDED
from tests.support.roof import plain, run_command

pytest.importorskip("torch", reason="needs the extra: train")
pytest.importorskip("sklearn", reason="needs the extra: train")

SHORT = ("--hidden", "8,6", "--latent", "3", "--epochs", "5")


def test_a_deployment_is_saved_with_its_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "m.npz")
    words = ("train", "--data", "digits", "--recipe", "bin_enc", "--deployment", "D2", "--seed", "4", *SHORT, "--out", out)
    printed = plain(capsys, *words)
    network = load(out)
    assert network.widths == (64, 8, 6, 3, 10)
    assert dict(network.record) == printed["record"]
    assert (network.record["arm"], network.record["seed"], network.record["recipe"]["tuning"]) == ("bin_enc-D2", 4, 1)
    assert printed["test_accuracy"] == printed["record"]["accuracy"]["test"]
    code, about, _ = run_command(capsys, "info", out)
    assert code == DECIDED
    assert "bin_enc-D2 on digits, seed 4" in about
    assert "peaks distance" in about
    assert "split" not in plain(capsys, "info", out)["record"]


def test_a_collapse_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("train", "--recipe", "bin_enc", *SHORT, "--gamma-max", "1e9", "--out", str(tmp_path / "m.npz"))
    code, printed, _ = run_command(capsys, *words)
    assert code == DECIDED
    assert "COLLAPSED" in printed
    assert "COLLAPSED" in run_command(capsys, "info", str(tmp_path / "m.npz"))[1]


def test_a_table_is_trained_and_its_test_rows_certified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, out, rows = tmp_path / "t.csv", str(tmp_path / "m.npz"), str(tmp_path / "rows.npz")
    table.write_text("class,a,b\n" + "\n".join(f"{'yes' if i % 4 > 1 else 'no'},{i % 4},{i % 3}" for i in range(60)))
    words = ("train", "--data", str(table), "--label", "class", "--recipe", "no_pen", "--hidden", "5", "--epochs", "3")
    assert run_command(capsys, *words, "--out", out, "--test-out", rows)[0] == DECIDED
    certified = plain(capsys, "certify", out, rows, "--radius", "1")
    assert len(certified["rows"]) == 12
    assert all(row["label"] in (0, 1) for row in certified["rows"])
    compared = plain(capsys, "compare", out, "--data", rows, "--radii", "1")
    assert len(compared["samples"]) == 12
    assert not any("no record" in note for note in compared["notes"])  # the file says which rows of the table these are


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--recipe", "magic"), "recipe: expected one of digits"),
        (("--recipe", "bin_enc", "--deployment", "D4"), "deployment: expected D1 or D2 or D3 with head bin_enc, got D4"),
        (("--recipe", "no_pen", "--deployment", "D1"), "deployment: expected none with head no_pen, got D1"),
        (("--weights", "magic"), "weights: expected one of sign"),
        (("--hidden", "64,x"), "expected widths like 64,32, got 64,x"),
        (("--hidden", "0"), "expected widths like 64,32, got 0"),
        (("--epochs", "0"), "not in the range"),
        (("--data", "nothing.csv"), "expected digits, mnist, or a readable CSV file"),
        (("--data", "mnist:7"), "expected a size like mnist:10x10"),
        (("--test-out", "no-such-folder/x.npz"), "--test-out: expected a file in a folder that exists, got no-such-folder/x.npz"),
        (("--recipe", "no_pen", "--latent", "4"), "--latent: expected a recipe with a latent, got no_pen"),
        (("--recipe", "lin_pen", "--gamma-max", "4"), "--gamma-max: expected a recipe that compresses its latent, got lin_pen"),
        (("--data", "mnist:8x8", "--no-header"), "--label and --no-header: expected a table as --data, got mnist:8x8"),
    ],
)
def test_bad_words_are_one_sentence(
    words: tuple[str, ...], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run_command(capsys, "train", *words, "--out", str(tmp_path / "m.npz"))
    assert (code, out) == (BAD, "")
    assert sentence in err
    assert not (tmp_path / "m.npz").exists()
