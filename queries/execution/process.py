"""A Python process of our own at the other end of a pipe, which never outlives the process that started it.

It is a fresh Python that runs one function: unlike multiprocessing's spawn it never imports the caller's main script again, and
unlike fork it inherits no locks of the caller's threads.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection, Pipe
from typing import Any

# Matrix products of numpy on one thread, before it is imported: processes side by side have no core to spare for more.
ONE_THREAD = "import os; os.environ.update(OPENBLAS_NUM_THREADS='1', OMP_NUM_THREADS='1')"


def named(path: str) -> Any:
    """Return the class or function named by "module:name"."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


class Process:
    """Runs the function named by life ("module:name") with a pipe and these words; started when the pipe is first asked for."""

    def __init__(self, life: str, words: Sequence[str] = ()) -> None:
        self._life, self._words = life, tuple(words)
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._alive = -1  # the end of a pipe that is never written: when it closes, the system ends the child

    @property
    def pid(self) -> int:
        """Return its number in the system, 0 while there is none."""
        return self._process.pid if self._process else 0

    @property
    def pipe(self) -> Connection:
        """Return our end of the pipe to a running process."""
        if self._process is None or self._process.poll() is not None or self._pipe is None:
            self.end()
            self._pipe, theirs = Pipe()
            watched, self._alive = os.pipe()
            command = [sys.executable, "-c", f"{ONE_THREAD}; from bnnverify.queries.execution.process import live; live()"]
            command += [self._life, str(theirs.fileno()), str(watched), *self._words]
            ends = [theirs.fileno(), watched]
            self._process = subprocess.Popen(
                command, pass_fds=ends, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
            theirs.close()
            os.close(watched)
        return self._pipe

    def status(self) -> int | None:
        """Wait until it has ended, and return how; None if there was none."""
        return self._process.wait() if self._process else None

    def end(self) -> None:
        """End it, whatever it is busy with."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._pipe is not None:
            self._pipe.close()
        if self._alive >= 0:
            os.close(self._alive)
        self._process, self._pipe, self._alive = None, None, -1


def live() -> None:
    """Do what the command line of `Process` says: the process's whole life."""
    life, descriptor, watched, *words = sys.argv[1:]
    _end_with_parent(int(watched))
    named(life)(Connection(int(descriptor)), *words)


def _end_with_parent(watched: int) -> None:
    """Have the system end this process when the other end of the pipe closes, however the parent ended.

    SIGIO ends a process by default. Nothing in Python is needed for that: a solver may hold the interpreter for hours.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(watched, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(watched, fcntl.F_SETFL, fcntl.fcntl(watched, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([watched], [], [], 0)[0]:  # it had closed before
        os._exit(1)
