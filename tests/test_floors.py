"""The house stands: imports go down only, each outside library has one home, the wheel holds every module."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import bnnverify

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bnnverify"
FLOORS = [
    {"errors", "extras", "whole", "sparse", "tally", "result", "network", "region", "query"}
    | {"code", "latent", "pair", "comparison", "checking", "cost", "safe_radius"},
    {"fold"},
    {"formats"},
    {"pictures"},
    {"samples", "sample_files"},
    {"checker"},
    {"encoders"},
    {"queries"},
    {"training"},
    {"report"},
    {"cli", "__main__"},
]
HOMES = {  # outside library: the only rooms that may import it
    "llvmlite": {"encoders/llvm"},
    "dd": {"encoders/diagrams"},
    "oxidd": {"encoders/diagrams"},
    "pysat": {"queries/by_sat", "queries/by_codes", "queries/refute", "checker/trace"},
    "exact": {"queries/by_exact"},
    "platformdirs": {"queries/engine"},
    "torch": {"training", "formats/pytorch_dict"},
    "onnx": {"formats/onnx_file"},
    "google": {"formats/onnx_file"},  # the protocol buffers of onnx: for the name of one exception
    "onnxruntime": {"formats/onnx_runtime"},
    "matplotlib": {"report/drawing"},
    "jinja2": {"report/template"},
    "scipy": {"sparse", "queries/resampling", "queries/judge"},
    "statsmodels": {"queries/judge"},
    "sqlite3": {"queries/store"},
    "pyarrow": {"queries/export"},
    "rich": {"report/terminal", "report/latent_tables", "report/proof_table", "cli/progress", "cli/demo"},
    "click": {"cli"},
    "sklearn": {"training/binarity"},
    "PIL": {"pictures"},
    "pickle": {"formats/pytorch_dict"},  # for the name of one exception of torch.load; nothing is unpickled
}


def modules() -> Iterator[tuple[str, Path]]:
    """Yield every module of the package as room/name, through the two symlinks as an import would."""
    for folder in (PACKAGE, PACKAGE / "encoders", PACKAGE / "queries"):
        for path in sorted(folder.glob("*.py")) + sorted(p for p in folder.glob("[a-z]*/**/*.py") if folder == PACKAGE):
            yield path.relative_to(PACKAGE).with_suffix("").as_posix(), path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            if node.module == "bnnverify":
                yield from (f"bnnverify.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            raise AssertionError(f"{path}: relative import")


def floor(module: str) -> int:
    room = module.split("/")[0]
    found = [i for i, rooms in enumerate(FLOORS) if room in rooms]
    assert found, f"{module} has no floor"
    return found[0]


EVERY = sorted(set(modules()))


@pytest.mark.parametrize(("module", "path"), EVERY, ids=[module for module, _ in EVERY])
def test_imports_go_down(module: str, path: Path) -> None:
    if module == "__init__":  # the front door names everything
        return
    for name in imports(path):
        if name.startswith("bnnverify."):
            target = name.removeprefix("bnnverify.").replace(".", "/")
            if target != "__version__":
                assert floor(target) <= floor(module), f"{module} imports {name}, which stands above it"
        assert not name.startswith(("encoders", "queries")), f"{module}: bare import of {name} makes a second copy"


@pytest.mark.parametrize(("module", "path"), EVERY, ids=[module for module, _ in EVERY])
def test_each_outside_library_has_one_home(module: str, path: Path) -> None:
    for name in imports(path):
        library = name.split(".")[0]
        if library in HOMES:
            assert any(lives(module, home) for home in HOMES[library]), f"{module} imports {library}"


def lives(module: str, home: str) -> bool:
    return module == home or module.startswith(home + "/")


@pytest.mark.parametrize("library", HOMES)
def test_no_home_is_empty(library: str) -> None:
    used = {module for module, path in EVERY if library in {name.split(".")[0] for name in imports(path)}}
    assert not [home for home in HOMES[library] if not any(lives(module, home) for module in used)]


def test_every_room_is_in_the_design_table_and_nothing_else() -> None:
    table = (ROOT / "docs" / "design.md").read_text("utf-8").split("| floor | rooms | what they hold |\n|---|---|---|\n")[1]
    rows = [line.split("|") for line in table.split("\n\n")[0].splitlines()]
    told = {name.strip("/") for row in rows for name in re.findall(r"`([\w/]+)`", row[2])}
    inner = [module.removeprefix("encoders/").removeprefix("queries/") for module, _ in EVERY]
    assert told == {module.split("/")[0] for module in inner} - {"__init__", "__main__"}


@pytest.mark.parametrize(("module", "path"), EVERY, ids=[module for module, _ in EVERY])
def test_rooms_stay_small(module: str, path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= 300, f"{module} has {lines} lines: split it along an idea"


def test_the_front_door_lists_every_export() -> None:
    for name in bnnverify.__all__:
        assert getattr(bnnverify, name) is not None
    assert set(bnnverify._LATER) <= set(bnnverify.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = bnnverify.nothing  # type: ignore[attr-defined]


def test_a_fresh_import_brings_no_heavy_library() -> None:
    heavy = {"torch", "llvmlite", "platformdirs", "matplotlib", "sklearn", "onnx", "onnxruntime", "dd", "oxidd", "pysat"}
    heavy |= {"PIL", "rich", "scipy", "statsmodels", "sqlite3", "exact"}
    code = f"import sys, bnnverify.cli; print(sorted({heavy!r} & {{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_wheel_holds_every_module(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"bnnverify/{module}.py" for module, _ in EVERY} <= names
    assert {"bnnverify/py.typed", "bnnverify/digits.npz"} <= names
    assert not [name for name in names if name.startswith(("encoders", "queries", "tests"))]
