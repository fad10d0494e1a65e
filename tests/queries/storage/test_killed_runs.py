"""Commands that are killed with kill -9 at any moment, thirty times: started again until they are done they say the same.

Nothing but seconds is lost, no process outlives the one that started it, and no file is left that is not the store.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from bnnverify import Network, save
from tests.support import participants
from tests.support.misbehaving import keys
from tests.support.random_networks import random_network

KILLS = 30
WORKERS = 3  # of so many kills one ends a process at the side, the others the command itself
EARLY = 5  # of so many one may come before anything is written
MARK = "BNNVERIFY_TEST_RUN"  # in the environment of a command and of everything that it starts
STORE = "rows.sqlite"


def model(folder: Path, network: Network) -> str:
    path = folder / f"{network.name or 'model'}.npz"
    save(network, path)
    return str(path)


def counting(folder: Path) -> list[str]:
    """Return a count of 52 pieces, each for an engine in a process of its own."""
    made = model(folder, random_network(1, 60, widths=(4, 3)))
    return ["count", made, "0" * 60, "--radius", "11", "--engine", "bdd", "--resume", STORE]


def certifying(folder: Path) -> list[str]:
    """Return a certification of 40 samples, by two processes, each with an engine in a process of its own."""
    samples = folder / "samples.txt"
    np.savetxt(samples, np.random.default_rng(0).integers(0, 2, (40, 30)), fmt="%d", delimiter="")
    made = model(folder, random_network(1, 30, widths=(12, 8)))
    return ["certify", made, str(samples), "--radius", "3", "--engine", "bdd", "--count", "--jobs", "2", "--resume", STORE]


def comparing(folder: Path) -> list[str]:
    """Return a comparison of three models on sixteen samples, by two processes."""
    samples = folder / "samples.npz"
    data = participants.samples(16)
    np.savez(samples, inputs=data.bits, labels=data.labels)
    models = [model(folder, each.network) for each in participants.field(seeds=1)]
    return ["compare", *models, "--data", str(samples), "--radii", "1,3", "--jobs", "2", "--store", STORE]


@dataclass
class Running:
    """One command, which is started as often as it takes, with a folder for its files and a mark on its processes."""

    arguments: list[str]
    folder: Path
    shared: Path  # for caches and temporary files
    mark: str
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        for name in ("cache", "tmp"):
            (self.shared / name).mkdir(exist_ok=True)
        places = {"XDG_CACHE_HOME": self.shared / "cache", "TMPDIR": self.shared / "tmp", MARK: self.mark}
        roots = {"PYTHONPATH": Path(__file__).parents[3]}
        environment = os.environ | {name: str(value) for name, value in (places | roots).items()}
        command = [sys.executable, "-m", "bnnverify", *self.arguments, "--json"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, cwd=self.folder, env=environment, start_new_session=True, **pipes)

    def written(self) -> set[tuple[str, int, int]]:
        """Return the names of its files with their sizes and times."""
        found = set()
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):
                found.add((path.name, path.stat().st_size, path.stat().st_mtime_ns))
        return found

    def wait_for_writing(self) -> None:
        """Wait until it writes, or ends."""
        before = self.written()
        while self.written() == before and self.process.poll() is None:
            time.sleep(0.002)

    def ended(self) -> tuple[int, dict[str, Any]]:
        """Wait for its end, and return exit code and answer: that it was killed is no answer."""
        out, err = self.process.communicate(timeout=60)
        if self.process.returncode == -signal.SIGKILL:
            return -signal.SIGKILL, {}
        assert self.process.returncode in (0, 1), err.decode()
        return self.process.returncode, json.loads(out)

    def processes(self) -> Iterator[int]:
        """Yield the numbers of all processes that it started, itself among them, and so on."""
        mark = f"{MARK}={self.mark}".encode()
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                ended = place.joinpath("stat").read_text().rpartition(")")[2].split()[0] in "ZX"
                if not ended and mark in place.joinpath("environ").read_bytes().split(b"\0"):
                    yield int(place.name)

    def kill(self, which: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(which, signal.SIGKILL)

    def leaves_nothing(self) -> None:
        """Assert that within seconds no process is left, and no file but those of the store."""
        late = time.monotonic() + 10
        while left := list(self.processes()):
            assert time.monotonic() < late, f"left: {left}"
            time.sleep(0.01)
        assert {path.name for path in self.folder.iterdir()} <= {STORE, f"{STORE}-wal", f"{STORE}-shm", f"{STORE}-journal"}
        assert not list((self.shared / "tmp").iterdir())
        assert not list((self.shared / "cache").rglob("*.part"))

    def kept(self) -> int:
        """Return how many rows the store holds, looking at a copy: it is to be found as it was left."""
        copy = self.shared / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.folder, copy)
        filled = (copy / STORE).exists() and (copy / STORE).stat().st_size
        return len(keys(copy / STORE)) if filled else 0


def timeless(value: Any) -> Any:
    """Return the answer without what no two runs share: seconds."""
    if isinstance(value, dict):
        return {key: timeless(each) for key, each in value.items() if key != "seconds"}
    if isinstance(value, list):
        return [timeless(each) for each in value if not (isinstance(each, dict) and each.get("name") == "seconds")]
    return value


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    run = Running([], tmp_path / "unharmed", tmp_path, str(tmp_path))
    yield run
    for each in run.processes():
        run.kill(each)
    run.process.communicate()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("made", [counting, certifying, comparing], ids=["count", "certify", "compare"])
def test_thirty_kills(made: Callable[[Path], list[str]], running: Running, tmp_path: Path) -> None:
    running.arguments, chance = made(tmp_path), Random(made.__name__)
    for _ in range(2):  # the first time to fill the caches
        shutil.rmtree(running.folder, ignore_errors=True)
        running.start()
        running.wait_for_writing()
        started = time.monotonic()
        code, expected = running.ended()
        seconds = time.monotonic() - started
    assert code == 0
    wanted = running.kept()
    assert wanted >= 20
    kills = finished = kept = 0
    while kills < KILLS or code:
        running.folder = tmp_path / f"killed{finished}"
        running.start()
        if kills % EARLY and kept < wanted:
            running.wait_for_writing()
        time.sleep(chance.random() * seconds)
        victim = running.process.pid
        if kills % WORKERS == 0:
            victim = chance.choice([each for each in sorted(running.processes()) if each != victim] or [victim])
        if kills < KILLS and kept < wanted and running.process.poll() is None:
            running.kill(victim)
            kills += 1
        code, found = running.ended()
        running.leaves_nothing()
        assert kept <= running.kept() <= wanted
        kept = running.kept()
        if code == 0:
            assert timeless(found) == timeless(expected)
            assert {path.name for path in running.folder.iterdir()} == {STORE}
            finished, kept = finished + 1, 0
    assert finished
