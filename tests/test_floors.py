"""The house stands: imports go down only, never in circles; outside libraries have one home; folders and files stay small."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import bnnverify
from bnnverify.queries.engines.registry import choices

ROOT = Path(__file__).parents[1]
FOLDERS = (  # from the ground up: a file imports from its own folder and from folders above it in this list, from no others
    "",
    "model",
    "problem/events",
    "problem",
    "results",
    "formats",
    "formats/onnx",
    "data",
    "checker",
    "encoders",
    "encoders/presolve",
    "encoders/clauses",
    "encoders/diagrams",
    "encoders/netlist",
    "encoders/netlist/backends",
    "encoders/enumeration",
    "encoders/exports",
    "queries",
    "queries/storage",
    "queries/execution",
    "queries/attacks",
    "queries/engines",
    "queries/planning",
    "queries/verbs",
    "queries/verbs/latent",
    "queries/proofs",
    "queries/comparison",
    "training/networks",
    "training/data",
    "training/stages",
    "training",
    "report",
    "report/html",
    "report/comparison",
    "cli",
    "cli/commands",
)
GROUND = {"_version", "errors", "extras"}  # the files beside the folders that everyone may import
HOMES = {  # outside library: the only folders or files that may import it
    "llvmlite": {"encoders/netlist/backends/llvm"},
    "dd": {"encoders/diagrams/packages"},
    "oxidd": {"encoders/diagrams/packages"},
    "pysat": {"queries/engines/solver", "checker/trace"},
    "exact": {"queries/engines/pseudo_boolean"},
    "platformdirs": {"queries/storage/cache"},
    "torch": {"training", "formats/pytorch_dict"},
    "onnx": {"formats/onnx/file"},
    "google": {"formats/onnx/file"},  # the protocol buffers of onnx: for the name of one exception
    "onnxruntime": {"formats/onnx/runtime"},
    "matplotlib": {"report/html/drawing"},
    "jinja2": {"report/html/template"},
    "scipy": {"model/sparse", "queries/comparison/bootstrap", "queries/comparison/models", "queries/comparison/statistics"},
    "sqlite3": {"queries/storage/store"},
    "pyarrow": {"queries/storage/export"},
    "rich": {"report/terminal", "report/latent_tables", "report/proof_table", "cli/progress", "cli/commands/demo"},
    "click": {"cli"},
    "sklearn": {"training/stages/binarity"},
    "PIL": {"data/pictures"},
    "pickle": {"formats/pytorch_dict"},  # for the name of one exception of torch.load; nothing is unpickled
}
MOST_FILES, MOST_LINES = 12, 300


def files() -> Iterator[tuple[str, Path]]:
    """Yield every module of the package as folder/name, through the two symlinks as an import would."""
    for top in ("bnnverify", "encoders", "queries"):
        prefix = "" if top == "bnnverify" else f"{top}/"
        for path in (ROOT / top).rglob("*.py"):  # does not follow the symlinks
            yield prefix + path.relative_to(ROOT / top).with_suffix("").as_posix(), path


MODULES = dict(sorted(files()))


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text("utf-8"))


@cache
def imports(module: str) -> tuple[tuple[str, int], ...]:
    """Return the dotted names that a module imports, and in which lines."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}:{node.lineno}: relative import"
            found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    return tuple(found)


def target(name: str) -> str | None:
    """Return the module of this package that a dotted name leads to, None for other packages."""
    parts = name.split(".")
    if parts[0] != "bnnverify":
        return None
    for k in range(len(parts), 1, -1):
        module = "/".join(parts[1:k])
        if module in MODULES:
            return module
        if f"{module}/__init__" in MODULES:
            return f"{module}/__init__"
    return "__init__"


def folder(module: str) -> str:
    return module.rpartition("/")[0]


def floor(module: str) -> float:
    """Return how high a module stands; the front door of a folder stands above everything inside."""
    mine = folder(module)
    if not module.endswith("__init__"):
        return FOLDERS.index(mine)
    return 0.5 + max(i for i, name in enumerate(FOLDERS) if name == mine or name.startswith(f"{mine}/"))


@cache
def uses(module: str) -> frozenset[str]:
    """Return the modules of this package that a module imports."""
    return frozenset(found for name, _ in imports(module) if (found := target(name)) is not None)


def test_every_folder_has_its_floor() -> None:
    assert {folder(module) for module in MODULES} == set(FOLDERS)


def test_imports_go_down() -> None:
    steps_up = []
    for module in MODULES:
        if module in ("__init__", "__main__"):  # the front doors name everything
            continue
        for used in uses(module) - {module}:
            if folder(used) == "" and used not in GROUND:
                steps_up.append(f"{module} imports {used}")
            elif folder(module) != folder(used) and floor(used) >= floor(module):
                steps_up.append(f"{module} imports {used}, which stands above it")
    assert not steps_up


def test_no_folder_has_a_circle() -> None:
    state: dict[str, int] = {}

    def visit(module: str, path: tuple[str, ...]) -> None:
        state[module] = 1
        for used in uses(module):
            if used == module or folder(used) != folder(module) or used.endswith("__init__"):
                continue
            assert state.get(used) != 1, f"circle: {' > '.join((*path, module, used))}"
            if used not in state:
                visit(used, (*path, module))
        state[module] = 2

    for module in MODULES:
        if module not in state:
            visit(module, ())


def test_nothing_makes_a_second_copy_of_a_module() -> None:
    bare = [
        f"{module}:{line}"
        for module in MODULES
        for name, line in imports(module)
        if name.split(".")[0] in ("encoders", "queries")
    ]
    assert not bare


def lives(module: str, home: str) -> bool:
    return module == home or module.startswith(home + "/")


def test_each_outside_library_has_one_home_and_no_home_is_empty() -> None:
    strangers, used = [], set()
    for module in MODULES:
        for library in {name.split(".")[0] for name, _ in imports(module)} & HOMES.keys():
            homes = {home for home in HOMES[library] if lives(module, home)}
            used |= {(library, home) for home in homes}
            if not homes:
                strangers.append(f"{module} imports {library}")
    assert not strangers
    assert {(library, home) for library, homes in HOMES.items() for home in homes} == used


NOT_THE_ENGINE = {  # engines' names that are words of other things as well, where they are these; keys of dicts are words too
    "__init__": {"codes"},  # a verb
    "checker/claim": {"bits", "codes"},  # a key, and what a proof rests on
    "checker/sample": {"codes"},
    "data/samples": {"bits"},  # the name of samples that were written out
    "queries/comparison/bootstrap": {"exact"},  # a method of scipy
    "report/comparison/plots": {"exact"},
    "report/latent_tables": {"bits", "exact"},
    "report/sentences": {"exact"},
}


def test_engines_are_named_in_their_folder_and_on_the_command_line_alone() -> None:
    """Verbs ask for what an engine can do: a new one is a file, and an old one can get another name."""
    found: dict[str, set[str]] = {}
    for module in MODULES:
        if not lives(module, "queries/engines") and not lives(module, "cli"):
            nodes = list(ast.walk(tree(module)))
            keys = {key for node in nodes if isinstance(node, ast.Dict) for key in node.keys}
            words = {node.value for node in nodes if isinstance(node, ast.Constant) and node not in keys}
            found |= {module: words & set(choices())} if words & set(choices()) else {}
    assert found == NOT_THE_ENGINE


def test_folders_and_files_stay_small() -> None:
    names = [folder(module) for module in MODULES if not module.endswith("__init__")]
    assert not [f"{name}: {names.count(name)} files" for name in FOLDERS if names.count(name) > MOST_FILES]
    long = {module: len(path.read_text("utf-8").splitlines()) for module, path in MODULES.items()}
    assert not {module: lines for module, lines in long.items() if lines > MOST_LINES}, "split it along an idea"


def test_tests_import_no_test_and_lie_in_the_same_folders() -> None:
    """Nor does what they share, nor the code that they hand to other processes as text."""
    wrong = []
    for path in (ROOT / "tests").rglob("*.py"):
        place = path.parent.relative_to(ROOT / "tests").as_posix()
        if path.name.startswith("test_") and place not in {*FOLDERS, "."}:
            wrong.append(f"{path}: no such folder")
        wrong += [f"{path}: names {name}" for name in re.findall(r"\btests\.(?:\w+\.)*test_\w+", path.read_text("utf-8"))]
    assert not wrong


def test_what_tests_share_stays_small() -> None:
    shared = {path.name: path for path in (ROOT / "tests" / "support").glob("*.py") if path.name != "__init__.py"}
    assert len(shared) <= MOST_FILES
    assert not [name for name, path in shared.items() if len(path.read_text("utf-8").splitlines()) > MOST_LINES]


def test_every_folder_is_in_the_design_table_and_nothing_else() -> None:
    table = (ROOT / "docs" / "design.md").read_text("utf-8").split("| folder | what it holds |\n|---|---|\n")[1]
    documented = re.findall(r"^\| `([\w/]+)/` \|", table.split("\n\n")[0], re.MULTILINE)
    assert documented == [name for name in FOLDERS if name not in ("", "queries")]


def test_the_front_door_lists_every_export() -> None:
    for name in bnnverify.__all__:
        assert getattr(bnnverify, name) is not None
    assert set(bnnverify._LATER) <= set(bnnverify.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = bnnverify.nothing  # type: ignore[attr-defined]


def test_no_module_has_the_name_of_an_export() -> None:
    """`import bnnverify.pair` once gave a function and hid the module."""
    assert not {module.split("/")[0] for module in MODULES} & set(bnnverify.__all__)


def test_a_fresh_import_brings_no_heavy_library() -> None:
    heavy = {"torch", "llvmlite", "platformdirs", "matplotlib", "sklearn", "onnx", "onnxruntime", "dd", "oxidd", "pysat"}
    heavy |= {"PIL", "rich", "scipy", "sqlite3", "exact"}
    code = f"import sys, bnnverify.cli; print(sorted({heavy!r} & {{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_wheel_holds_every_module(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"bnnverify/{module}.py" for module in MODULES} <= names
    assert {"bnnverify/py.typed", "bnnverify/data/digits.npz"} <= names
    assert not [name for name in names if name.startswith(("encoders", "queries", "tests"))]
