"""Every option of every command changes something that can be seen, or is refused: none is offered that does nothing."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

from bnnverify import Network
from bnnverify.cli import BAD, main, program
from bnnverify.results.comparison import Terms
from bnnverify.training import recipe_named
from bnnverify.training.experiment import Experiment
from tests.cli.command_pairs import COMMANDS, Pair, files
from tests.support.random_networks import random_network

CONTEXT = click.Context(program)
PAIRS = [(name, option) for name, pairs in COMMANDS.items() for option in pairs]
PACKAGES = {"train": ("torch", "sklearn"), "demo": ("torch", "sklearn")}


@pytest.fixture(scope="module")
def known() -> dict[Any, Any]:
    """Return a dictionary of what command lines without the option came to: several options share one."""
    return {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("files")
    files(made)
    assert main(["certify", str(made / "m.npz"), str(made / "rows.txt"), "--radius", "1", "--proof", str(made / "given")]) == 0
    return made


def test_every_option_has_a_pair() -> None:
    """A new option is not done before two command lines show what it does."""
    offered = set()
    for name in program.list_commands(CONTEXT):
        command = program.get_command(CONTEXT, name)
        assert command is not None
        offered |= {(name, parameter.opts[0]) for parameter in command.params if isinstance(parameter, click.Option)}
    assert set(PAIRS) == offered


MARKED = [
    pytest.param(name, option, id=f"{name} {option}", marks=[pytest.mark.slow] if COMMANDS[name][option].slow else [])
    for name, option in PAIRS
]


@pytest.mark.parametrize(("name", "option"), MARKED)
def test_every_option_changes_something_or_is_refused(
    name: str,
    option: str,
    folder: Path,
    known: dict[Any, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pair = COMMANDS[name][option]
    for package in (*PACKAGES.get(name, ()), *pair.needs):
        pytest.importorskip(package, reason=f"needs {package}")
    monkeypatch.delenv("BNNVERIFY_DATA", raising=False)
    stand_ins(name, monkeypatch)

    def outcome(words: tuple[str, ...], number: int) -> tuple[Any, ...]:
        place = tmp_path / str(number) / "place"
        shutil.copytree(folder, place)
        monkeypatch.chdir(place)
        with spy(name, pair) as jobs:
            code = main(words)
        seen = capsys.readouterr()
        return code, steady(seen.out), steady(seen.err), jobs, {p.relative_to(place): contents(p) for p in place.rglob("*")}

    key = pair.base, pair.spied
    if key not in known:
        known[key] = outcome(pair.base, 0)
        assert outcome(pair.base, 1) == known[key], "the difference could be chance"
    base, changed = known[key], outcome(pair.changed, 2)
    assert changed != base
    assert base[0] != 3
    assert changed[0] != 3
    if pair.refused:
        assert (changed[0], changed[1]) == (BAD, "")
        assert changed[2].count("\n") == 1


def stand_ins(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let compare and demo train what takes no time; what the stand-in is called with shows in the model."""
    if name not in ("compare", "demo"):
        return

    def train_arms(experiment: Experiment, arms: Sequence[str], seeds: int, **_: Any) -> Iterator[Network]:
        for arm, seed in ((arm, seed) for arm in arms for seed in range(seeds)):
            folder = experiment.folder.name if experiment.folder.name == "trained" else ""
            record = {"arm": arm, "seed": seed, "epochs": experiment.epochs, "folder": folder}
            yield replace(random_network(seed, 64, (6,), 10), record=record)

    monkeypatch.setattr(f"bnnverify.cli.commands.{name}.train_arms", train_arms)
    if name == "compare":
        monkeypatch.setattr("bnnverify.cli.commands.compare.Terms", partial(Terms, resamples=50))
    if name == "demo":
        for constant, value in (("RADIUS", 1), ("RADII", (1,)), ("SAMPLES", 2), ("SEEDS", 1), ("COMPARED", 2)):
            monkeypatch.setattr(f"bnnverify.cli.commands.demo.{constant}", value)
        monkeypatch.setattr("bnnverify.cli.commands.demo.recipe_named", lambda name: recipe_named(name).for_epochs(1))


@contextmanager
def spy(name: str, pair: Pair) -> Iterator[list[Any]]:
    """Give a list of the jobs that the command hands to its verb."""
    jobs: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        if pair.spied:
            place = f"bnnverify.cli.commands.{name}"
            verb = getattr(import_module(place), pair.spied)
            patch.setattr(f"{place}.{pair.spied}", lambda *given, **named: jobs.append(named["jobs"]) or verb(*given, **named))
        yield jobs


def steady(text: str) -> str:
    """Return what was printed without times, and without the command itself, which `compare` repeats."""
    try:
        return json.dumps(without(json.loads(text)))
    except ValueError:
        text = re.sub(r"\b[\d.]+ (ms|s|min)\b", "TIME", text)
        return re.sub(r"[ ─]+", " ", text)  # columns are as wide as their times


def without(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {key: without(value) for key, value in plain.items() if key not in ("seconds", "commands")}
    if isinstance(plain, list):
        return [without(value) for value in plain if not (isinstance(value, dict) and value.get("name") == "seconds")]
    return plain


def contents(path: Path) -> str:
    """Return the lines of a text; of anything else only that it is there."""
    return steady(path.read_text("utf-8")) if path.suffix in (".cnf", ".csv") else ""
