"""The documentation names files, folders, headings and code that there are; so do the benchmarks."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from bnnverify.problem.events.words import words

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
FROM = (ROOT, ROOT / "bnnverify", ROOT / "queries", ROOT / "encoders")  # where names begin
TOPS = {path.name for top in FROM for path in top.iterdir() if path.is_dir()}


def is_there(name: str) -> bool:
    """Return whether a file or folder has this name, seen from one of these folders, with or without .py."""
    return any((top / f"{name}{end}").exists() for top in FROM for end in ("", ".py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    names = set(re.findall(r"`(\w+(?:/[\w.]+)+/?)`", page.read_text("utf-8")))
    real = {name.rpartition("/")[0] if "NAME" in name else name for name in names}
    assert not [name for name in real if name.split("/")[0] in TOPS and not is_there(name)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        if ":" in path:
            continue
        led = page.parent / path if path else page
        assert led.exists(), target
        if anchor:
            assert anchor in {slug(line) for line in re.findall(r"^#+ (.*)$", led.read_text("utf-8"), re.MULTILINE)}, target


def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.stem)
def test_imports_of_a_benchmark_are_there(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bnnverify"):
            module = import_module(node.module or "")
            for alias in node.names:
                assert hasattr(module, alias.name) or import_module(f"{node.module}.{alias.name}"), alias.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_imports_on_a_page_are_there(page: Path) -> None:
    for code in re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("bnnverify.training"):  # needs an extra
                assert all(hasattr(import_module(node.module or ""), alias.name) for alias in node.names)


def test_events_of_the_command_line_are_documented() -> None:
    section = (ROOT / "docs" / "cli.md").read_text("utf-8").split("`--event` says what is counted")[1].split("`--json` prints")[0]
    assert all(f"`{form}`" in section for word in words().values() if not word.compares for form in word.forms)
