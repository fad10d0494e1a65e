"""Constraints and events on the command line: people of the census data, whose groups docs/constraints.md names."""

from __future__ import annotations

import json
import re
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import Block, Constrained, Differ, Everything, HammingBall, Head, Network, Query, read_constraints, save
from bnnverify.cli import BAD, DECIDED, main

ROOT = Path(__file__).parents[2]
PEOPLE = (ROOT / "docs" / "constraints.md").read_text("utf-8").split("## UCI Adult\n")[1].split("```text\n")[1].split("```")[0]
BITS = 115


def census(seed: int) -> Network:
    """Return a network about people."""
    random = np.random.default_rng(seed)
    weights = random.choice([-1, 1], (12, BITS))
    bounds = weights[:, random.random(BITS) < 0.15].sum(axis=1)
    return Network((Block(weights, bounds),), Head(random.choice([-1, 1], (2, 12)), [0, 0]))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("census")
    save(census(1), folder / "m.npz")
    save(census(2), folder / "other.npz")
    (folder / "people.txt").write_text(PEOPLE)
    people = Constrained(Everything(BITS), read_constraints(folder / "people.txt", BITS)).sample(3, seed=1)
    np.save(folder / "people.npy", people)
    return folder


def region(place: Path, radius: int) -> Constrained:
    center = np.load(place / "people.npy")[0]
    return Constrained(HammingBall(center, radius), read_constraints(place / "people.txt", BITS))


def asked(place: Path, command: str, *words: str) -> list[str]:
    return [command, str(place / "m.npz"), f"{place}/people.npy:0", "--constraint", str(place / "people.txt"), *words]


def answer(capsys: pytest.CaptureFixture[str], words: list[str]) -> dict[str, Any]:
    assert main([*words, "--json"]) == DECIDED
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_people_whose_class_changes_are_counted(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people, net = region(place, 5), census(1)
    points = np.concatenate(list(people.points()))
    leaving = points[np.asarray(net(points)) != net(people.center)]
    found = answer(capsys, asked(place, "count", "--radius", "5", "--event", "leaves"))
    assert found["count"] == {"low": len(leaving), "high": len(leaving)}
    assert 0 < len(leaving) < len(points) == found["region"]["size"] < sum(comb(BITS, d) for d in range(6))
    sizes = np.bincount(people.distance(points), minlength=6).tolist()
    assert [sum(shell["counts"]) for shell in found["shells"]] == sizes
    nearest = answer(capsys, asked(place, "distance"))
    assert nearest["low"] == nearest["high"] == people.distance(leaving).min()
    assert people.contains(nearest["witness"]["bits"])
    within = answer(capsys, asked(place, "attack", "--radius", str(nearest["low"] - 1)))
    assert within["verdict"] == "ROBUST"
    assert main(asked(place, "count", "--radius", "5")) == DECIDED
    assert f"ball of radius 5 under constraints: {len(points)} inputs" in capsys.readouterr().out


def test_other_commands_take_them(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [str(place / "m.npz"), str(place / "people.npy"), "--constraint", str(place / "people.txt"), "--radius", "2"]
    found = answer(capsys, ["certify", *rows, "--count"])
    assert found["constraints"] == 24
    net = census(1)
    for row, bits in zip(found["rows"], np.load(place / "people.npy"), strict=True):
        points = np.concatenate(list(Constrained(HammingBall(bits, 2), read_constraints(place / "people.txt", BITS)).points()))
        assert row["size"] == len(points)
        assert row["adversarial"]["low"] == int((np.asarray(net(points)) != net(bits)).sum())
    main(["certify", *rows])
    assert "at most 6671 inputs each, under 24 constraints" in " ".join(capsys.readouterr().out.split())
    assert main(["certify", *rows, "--proof", str(tmp_path / "proofs")]) == DECIDED
    assert main(["check", str(tmp_path / "proofs")]) == DECIDED
    capsys.readouterr()
    codes = answer(capsys, asked(place, "latents", "--radius", "3", "--attribution", "--against", str(place / "other.npz")))
    assert codes["size"] == codes["attribution"]["size"] == codes["against"]["size"] == region(place, 3).size
    share = answer(capsys, asked(place, "distance", "--tolerance", "1/2", "--max", "3"))
    assert len(share["shares"]) == 4
    written = tmp_path / "q.cnf"
    words = asked(place, "encode", "--radius", "3", "--to", "cnf", str(written))
    assert answer(capsys, words)["region"]["constraints"] == 24
    assert "under 24 constraints" in written.read_text().splitlines()[0]


def test_where_two_models_differ_is_an_event(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people, other = region(place, 4), census(2)
    points = np.concatenate(list(people.points()))
    apart = points[np.asarray(census(1)(points)) != np.asarray(other(points))]
    against = ["--event", "differ", "--against", str(place / "other.npz")]
    found = answer(capsys, asked(place, "count", "--radius", "4", *against))
    assert (found["event"], found["count"]["low"]) == ("differ", len(apart))
    finding = answer(capsys, asked(place, "attack", "--radius", "4", *against))["finding"]
    assert finding["happens"] is (len(apart) > 0)
    assert Query(census(1), people, Differ(other)).happens(np.array(finding["witness"]["bits"]))
    assert main(asked(place, "count", "--radius", "4", *against)) == DECIDED
    out = " ".join(capsys.readouterr().out.split())
    assert f"the answer differs from the other model's at {len(apart)} of these inputs" in out
    assert not re.search(r"class\s+inputs", out)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--event", "differ"], "--event differ compares with another model: expected --against MODEL beside it"),
        (["--against", "other.npz"], "--against is the other model of the event differ: expected --event differ, got leaves"),
    ],
)
def test_another_model_goes_with_its_event_alone(
    words: list[str], sentence: str, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    assert main(asked(place, "attack", "--radius", "1", *words)) == BAD
    assert sentence in capsys.readouterr().err


def test_code_flips_are_an_event_like_others(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people, prefix = region(place, 3), census(1).prefix(1)
    points = np.concatenate(list(people.points()))
    apart = int(((prefix(points) != prefix(people.center)).sum(axis=1) >= 3).sum())
    assert answer(capsys, asked(place, "count", "--radius", "3", "--event", "codeflips:3"))["count"]["low"] == apart
    found = answer(capsys, asked(place, "attack", "--radius", "3", "--event", "codeflips:3"))
    assert (found["verdict"] == "VULNERABLE") is (apart > 0)


def test_a_file_of_nonsense_is_one_sentence(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "odd.txt").write_text("onehot 0-3\nonehot 4-200\n")
    for command in ("count", "attack"):
        words = asked(place, command, "--radius", "1")
        words[words.index("--constraint") + 1] = str(place / "odd.txt")
        assert main(words) == BAD
        assert "odd.txt, line 2: expected positions from 0 to 114, got 200" in capsys.readouterr().err
