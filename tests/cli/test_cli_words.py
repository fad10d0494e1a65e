"""The command line's words: every command and option is documented, every example is understood, help is quick."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from bnnverify.cli import DECIDED, commands, main

DOCS = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
NAMES = sorted(commands.commands)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_documented_with_all_its_options(name: str) -> None:
    command = commands.commands[name]
    section = DOCS.split(f"\n## bnnverify {name}\n")[1].split("\n## ")[0]
    common = DOCS.split("\n## Options of all questions\n")[1].split("\n## ")[0]
    assert f"    bnnverify {name}" in section
    if "(the options of `count`)" in section:
        common += DOCS.split("\n## bnnverify count\n")[1].split("\n## ")[0]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            for option in parameter.opts:
                assert f"{option}`" in section + common or f"{option} " in section + common, f"{name}: {option}"


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_json_and_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == DECIDED
    out = capsys.readouterr().out
    assert "--json" in out
    assert f"Example: bnnverify {name}" in out


EXAMPLES = re.findall(r"^ +(?:Example: )?bnnverify (\S+) (.*--.*|model.*)$", DOCS.split("## Exit codes")[1], re.MULTILINE)


@pytest.mark.parametrize(("name", "arguments"), EXAMPLES)
def test_documented_examples_are_understood(name: str, arguments: str) -> None:
    commands.commands[name].make_context(name, arguments.split())


def test_help_lists_every_command() -> None:
    """That it brings no heavy library, and so is quick, is a test of the floors."""
    done = subprocess.run([sys.executable, "-m", "bnnverify", "--help"], capture_output=True, text=True, check=True)
    assert all(f"  {name} " in done.stdout for name in NAMES)
