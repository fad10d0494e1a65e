"""Asking the command line in tests: what it printed and its exit code, what its page promises, and a model to reason about."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bnnverify import save
from bnnverify.cli import main
from tests.support.zoo import majority

POINT = "111100"  # of majority(6): 4 of 6 bits, so class 1; one flip of a 1 makes it a tie, class 0
DOCS = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")


def saved(folder: Path) -> str:
    """Return the path of majority(6) as a native file."""
    save(majority(6), folder / "majority.npz")
    return str(folder / "majority.npz")


def run_command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Return exit code, standard output and standard error."""
    code = main(arguments)
    seen = capsys.readouterr()
    return code, seen.out, seen.err


def plain(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Return what --json prints, after checking that it is one object and nothing else."""
    _, out, err = run_command(capsys, *arguments, "--json")
    assert err == ""
    found: dict[str, Any] = json.loads(out)
    return found


def documented(verb: str) -> set[str]:
    """Return the fields in the table of this verb's section, and those of every object."""
    section = DOCS.split(f"\n## bnnverify {verb}\n")[1].split("\n## ")[0]
    lines = section.split("| field | content |\n|---|---|\n")[1].split("\n\n")[0].splitlines()
    return {name for line in lines for name in re.findall(r"`(\w+)`", line.split("|")[1])} | {"version", "model_sha256"}
