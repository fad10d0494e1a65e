"""A child process: what it imports, and that it never outlives its parent."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bnnverify
from bnnverify.queries.execution.pool import run
from bnnverify.queries.execution.process import ENTRY, Process
from bnnverify.queries.execution.process_pool import processes
from tests.queries.execution import tasks

ROOT = Path(__file__).parents[3]
HOSTILE = "from pathlib import Path; Path(__file__).with_suffix('.ran').touch(); raise SystemExit(7)"


def gone(*pids: int) -> bool:
    """Return whether these processes have left within five seconds, and left no zombies."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(Path(f"/proc/{pid}").exists() for pid in pids):
        time.sleep(0.02)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_nothing_in_the_current_folder_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("random", "numpy", "types", "multiprocessing", "bnnverify", "fcntl", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(HOSTILE)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # where the work is found
    monkeypatch.chdir(tmp_path)
    with processes(1) as pool:
        ((_, files),) = run(pool, tasks.modules_from, [("", (str(tmp_path),))])
        ((_, folders),) = run(pool, tasks.search_path, [("", ())])
    assert len(files) == 2
    assert not {"", str(tmp_path), str(ENTRY.parent), str(ENTRY.resolve().parent)} & set(folders)
    assert str(ROOT) in folders
    assert not list(tmp_path.rglob("*.ran"))


def test_nothing_beside_the_package_is_imported(tmp_path: Path) -> None:
    """A checkout as the current folder: the parent finds the package there, but its children find nothing else."""
    package = Path(bnnverify.__file__).parent
    shutil.copytree(package, tmp_path / "bnnverify", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("random", "numpy"):
        (tmp_path / f"{name}.py").write_text(HOSTILE)
    code = (
        "import sys, numpy, random; sys.path.insert(0, ''); import bnnverify\n"
        "from bnnverify.queries.execution.process_pool import processes\n"
        "from bnnverify.queries.execution.pool import run\n"
        "from bnnverify.queries.execution.events import Worker\n"
        "with processes(1) as pool:\n"
        "    print(bnnverify.__file__, *run(pool, isinstance, [('is a worker', (Worker,))]))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, env={}, capture_output=True, text=True, check=True)
    assert done.stdout == f"{tmp_path / 'bnnverify' / '__init__.py'} ('is a worker', True)\n"
    assert not list(tmp_path.rglob("*.ran"))


def test_a_child_has_the_package_of_its_parent_and_numpy_on_one_thread() -> None:
    with processes(1) as pool:
        ((_, files),) = run(pool, tasks.modules_from, [("", (str(Path(bnnverify.__file__).parent),))])
        assert str(bnnverify.__file__) in files
        assert list(run(pool, tasks.threads_of_numpy, [("", ())])) == [("", "11")]


def test_a_killed_process_does_not_run_although_the_system_has_not_ended_it_yet() -> None:
    process = Process(tasks.never_ready)
    first = process.pipe
    process.kill()
    assert not process.runs
    second = process.pipe
    assert first.closed
    assert process.runs
    assert not second.closed
    process.end()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("work", ["hold_interpreter", "doze_in_a_pool"])
def test_children_and_their_children_end_with_the_parent_however_that_ends(how: signal.Signals, work: str) -> None:
    code = (
        "from tests.queries.execution import tasks\n"
        "from bnnverify.queries.execution.process_pool import processes\n"
        "with processes(2) as pool:\n"
        f"    tickets = [pool.submit(tasks.{work}), pool.submit(tasks.{work})]\n"
        "    for event in pool.answers(): print(event.value, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        words = parent.stdout.readline() + parent.stdout.readline()
        parent.send_signal(how)
        parent.wait()
    pids = [int(word) for word in words.replace(",", " ").replace("(", " ").replace(")", " ").split()]
    assert len(pids) == (4 if work == "doze_in_a_pool" else 2)
    assert gone(*pids)


def test_a_parent_that_is_killed_at_any_moment_leaves_no_children() -> None:
    code = (
        "import subprocess, time\n"
        "from tests.queries.execution import tasks\n"
        "from bnnverify.queries.execution.process_pool import processes\n"
        "with processes(3) as pool:\n"
        "    print(flush=True)\n"
        "    while True:\n"
        "        tickets = [pool.submit(tasks.doze, 0.02) for _ in range(5)]\n"
        "        list(pool.answers(timeout=0.05)); pool.cancel(tickets[1])\n"
    )
    for k in range(5):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT) as parent:
            assert parent.stdout is not None
            parent.stdout.readline()
            time.sleep(0.13 * k)
            children = [int(pid) for pid in Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()]
            parent.kill()
            parent.stdout.read()  # ends when the last process that could write to it has ended
        assert gone(*children)
