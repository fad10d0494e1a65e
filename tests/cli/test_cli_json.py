"""What --json prints: exactly the documented fields, exact whole numbers, one object and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bnnverify import Head, Network, save
from bnnverify.cli import DECIDED
from tests.support.roof import POINT, documented, plain, run_command, saved
from tests.support.zoo import majority

QUESTIONS = [
    ("count", POINT, "--radius", "2"),
    ("attack", POINT, "--radius", "2"),
    ("distance", "000000"),
    ("certify", POINT, "--radius", "2"),
    ("info",),
]


@pytest.fixture
def model(tmp_path: Path) -> str:
    return saved(tmp_path)


@pytest.mark.parametrize("question", QUESTIONS, ids=[verb for verb, *_ in QUESTIONS])
def test_json_prints_the_documented_fields(question: tuple[str, ...], model: str, capsys: pytest.CaptureFixture[str]) -> None:
    verb, *words = question
    found = plain(capsys, verb, model, *words)
    assert set(found) == documented(verb)
    assert found["model_sha256"] == majority(6).sha256


def test_a_count_in_full(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = plain(capsys, "count", model, POINT, "--radius", "2")
    assert found["exact"] is True
    assert found["region"] == {"kind": "ball", "size": 22, "bits": 6, "free": 6, "inner": 0, "outer": 2}
    assert found["predicted"] == 1
    assert found["counts"] == {"low": [10, 12], "high": [10, 12]}  # 4 single flips of a 1, and 6 pairs of them
    assert found["adversarial"] == found["count"] == {"low": 10, "high": 10}


def test_counts_beyond_doubles_keep_every_digit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "always.npz")
    save(Network((), Head(np.zeros((2, 80)), [0, 1])), path)  # 80 bits, always class 1
    code, out, _ = run_command(capsys, "count", path, "1" * 80, "--free", "0-69", "--json")
    assert code == DECIDED
    assert str(2**70) in out
    assert json.loads(out)["counts"]["low"] == [0, 2**70]
