"""The command line's words: every command, option and engine is documented, every example is understood, help is quick."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from bnnverify.cli import BAD, DECIDED, main, program
from bnnverify.queries.engines.registry import AUTO, choices, engines

ROOT = Path(__file__).parents[2]
DOCS, README = ((ROOT / name).read_text("utf-8") for name in ("docs/cli.md", "README.md"))
CONTEXT = click.Context(program)
NAMES = program.list_commands(CONTEXT)


def command_named(name: str) -> click.Command:
    found = program.get_command(CONTEXT, name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_documented_with_all_its_options_and_no_others(name: str) -> None:
    section = DOCS.split(f"\n## bnnverify {name}\n")[1].split("\n## ")[0]
    common = DOCS.split("\n## Options of all questions\n")[1].split("\n## ")[0]
    assert f"    bnnverify {name}" in section
    if "(the options of `count`)" in section:
        common += DOCS.split("\n## bnnverify count\n")[1].split("\n## ")[0]
    options = options_of(name)
    for option in options:
        assert f"{option}`" in section + common or f"{option} " in section + common, f"{name}: {option}"
    assert set(re.findall(r"^- `(--[a-z-]+)", section, re.MULTILINE)) <= options, "a list explains an option that is not there"


def options_of(name: str) -> set[str]:
    parameters = [parameter for parameter in command_named(name).params if isinstance(parameter, click.Option)]
    return {word for parameter in parameters for word in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_json_and_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == DECIDED
    out = capsys.readouterr().out
    assert "--json" in out
    assert f"Example: bnnverify {name}" in out


EXAMPLES = re.findall(r"^ +(?:Example: )?bnnverify (\S+) (.*--.*|model.*)$", DOCS.split("## Exit codes")[1], re.MULTILINE)


@pytest.mark.parametrize(("name", "arguments"), EXAMPLES)
def test_documented_examples_are_understood(name: str, arguments: str) -> None:
    command_named(name).make_context(name, arguments.split())


PAGES = [DOCS.split("## What the arguments are")[0], README.split("## From Python")[0]]


@pytest.mark.parametrize("page", PAGES, ids=["docs", "README"])
def test_the_lists_of_commands_are_complete(page: str) -> None:
    lines = re.findall(r"^    bnnverify (\w+) ?(.*?)(?:  .*)?$", page, re.MULTILINE)
    assert sorted(name for name, _ in lines) == NAMES
    for name, arguments in lines:
        assert set(re.findall(r"--[a-z-]+", arguments)) <= options_of(name)


def test_engines_on_the_command_line_are_those_of_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    """A choice, so that no other name is taken, by any command that has the option."""
    options = [option for name in NAMES for option in command_named(name).params if "--engine" in option.opts]
    assert len(options) >= 5
    (named,) = {tuple(option.type.to_info_dict()["choices"]) for option in options}
    assert named == choices()
    assert all(option.help and all(name in option.help for name in named) for option in options)
    assert main(["count", "m.npz", "--everything", "--engine", "magic"]) == BAD
    sentence = capsys.readouterr().err
    assert all(f"'{engine}'" in sentence for engine in named)


ENGINE_TABLES = {
    "README.md": "| `--engine` | how | for |\n|---|---|---|\n",
    "docs/cli.md": "| engine | help |\n|---|---|\n",
    "docs/design.md": "| engine | needs | returns | page |\n|---|---|---|---|\n",
}


@pytest.mark.parametrize("page", ENGINE_TABLES)
def test_tables_of_engines_list_those_of_the_registry(page: str) -> None:
    """All of them, each once, and none that is gone; where a table gives the help, the help is what the registry says."""
    table = (ROOT / page).read_text("utf-8").split(ENGINE_TABLES[page])[1].split("\n\n")[0]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
    listed = [name for row in cells for name in row[0].split(", ")]
    assert sorted(listed) == sorted(engines() if page == "docs/design.md" else choices())
    if page == "docs/cli.md":
        assert [row for row in cells if row[0] != AUTO] == [[each.name, each.help] for each in engines().values()]


def test_help_lists_every_command_and_imports_none() -> None:
    """That `import bnnverify.cli` brings no heavy library is a test of the floors."""
    code = "import sys; from bnnverify.cli import main; main(['--help']); print([m for m in sys.modules if 'cli.commands' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for name in NAMES:
        summary = (command_named(name).help or "").partition("\n")[0]
        assert re.search(rf"^  {name} +{re.escape(summary)}$", done.stdout, re.MULTILINE)


def test_a_new_file_is_a_new_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import bnnverify.cli.commands as package

    text = "import click\n@click.command('hello')\ndef hello_command():\n    '''Greet.\n\n    At once.'''\n    return 1\n"
    (tmp_path / "hello.py").write_text(text)
    monkeypatch.setattr("bnnverify.cli.command_group.FOLDER", tmp_path)
    monkeypatch.setattr(package, "__path__", [str(tmp_path)])
    assert main(["--help"]) == DECIDED
    assert "  hello  Greet.\n" in capsys.readouterr().out
    assert main(["hello"]) == 1
    monkeypatch.delitem(sys.modules, "bnnverify.cli.commands.hello")
