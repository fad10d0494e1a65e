"""store: a run that is killed at any moment loses no row that `keep` had stored, and leaves no part of one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

KILLS = """
import os, random, signal, sys, time
from pathlib import Path
from bnnverify.queries.storage.store import Store

def write(path, into):
    with Store(path, {"verb": "test"}) as store:
        for n in range(len(store.known), 10**9):
            store.keep(f"{n:06}", {"n": n, "text": "x" * (97 * n % 2000)})
            os.write(into, b".")

chance, stored = random.Random(int(sys.argv[2])), []
for turn in range(30):
    path = Path(sys.argv[1]) / f"rows{turn // 5}"
    before = stored[-1] if turn % 5 else 0
    announced, into = os.pipe()
    writer = os.fork()
    if writer == 0:
        try:
            write(path, into)
        finally:
            os._exit(1)
    os.close(into)
    if turn % 3:
        os.read(announced, 1)  # else it is killed while it makes or opens the file
        before += 1
    time.sleep(chance.random() * (0.02 if turn % 3 else 0.004))
    os.kill(writer, signal.SIGKILL)
    assert os.waitpid(writer, 0)[1] == signal.SIGKILL
    while dots := os.read(announced, 1 << 20):
        before += len(dots)
    os.close(announced)
    with Store(path, {"verb": "test"}) as store:
        found = dict(store.known)
    assert len(found) in (before, before + 1), (turn, before, len(found))  # the last one may be stored without being announced
    assert found == {f"{n:06}": {"n": n, "text": "x" * (97 * n % 2000)} for n in range(len(found))}, turn
    stored.append(len(found))
print(stored)
"""


def test_thirty_kills_lose_nothing(tmp_path: Path) -> None:
    quiet = "-Wignore::DeprecationWarning"  # Python 3.12 warns of forks beside threads; the writers use none of numpy's
    command = [sys.executable, quiet, "-c", KILLS, str(tmp_path), "10"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3], check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    stored = [int(number) for number in done.stdout.strip("[]\n").split(",")]
    assert len(stored) == 30
    assert max(stored) > 20
