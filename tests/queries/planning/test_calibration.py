"""The machine's speed is measured once, kept, and measured again when what was kept is of no use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bnnverify.queries.planning import calibration as speed


@pytest.fixture(autouse=True)
def _forgetful() -> None:
    speed.slowness.cache_clear()


def test_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_work", lambda: 2 * speed.REFERENCE)
    assert speed.slowness(tmp_path) == 2.0
    speed.slowness.cache_clear()
    monkeypatch.setattr(speed, "_work", lambda: 0.0)
    assert speed.slowness(tmp_path) == 2.0


@pytest.mark.parametrize("kept", ["", "{", "[1]", '{"machine": "another", "slowness": 3}', "slowness 0", "slowness text"])
def test_kept_nonsense_is_measured_anew(kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_work", lambda: speed.REFERENCE)
    path = tmp_path / "speed.json"
    speed.slowness(tmp_path)
    whole = json.loads(path.read_text())
    if kept.startswith("slowness"):
        kept = json.dumps({**whole, "slowness": 0 if kept.endswith("0") else "text"})
    path.write_text(kept)
    speed.slowness.cache_clear()
    assert speed.slowness(tmp_path) == 1.0
    assert json.loads(path.read_text()) == whole


def test_a_folder_that_cannot_be_made_costs_nothing_but_time() -> None:
    assert speed.slowness(Path("/proc/nowhere")) > 0
