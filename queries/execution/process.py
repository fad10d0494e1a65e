"""A Python process of our own at the other end of a pipe, which never outlives the process that started it.

It is a fresh Python that runs one function: unlike multiprocessing's spawn it never imports the caller's main script again, and
unlike fork it inherits no locks of the caller's threads.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path

ENTRY = Path(__file__).with_name("entry.py")
GRACE = 1.0  # seconds in which a process that has closed its pipe must have ended


class Process:
    """Runs function(pipe, *arguments), a function at the top of a module; started when the pipe is first used."""

    def __init__(self, function: Callable[..., None], arguments: Sequence[object] = ()) -> None:
        self._function, self._arguments = function, tuple(arguments)
        self._process: subprocess.Popen[bytes] | None = None
        self._killed: subprocess.Popen[bytes] | None = None  # the system may take a moment to end it
        self._pipe: Connection | None = None
        self._alive = -1  # the end of a pipe that is never written: when it closes, the system ends the child

    @property
    def pid(self) -> int:
        """Return its number in the system, 0 while there is none."""
        return self._process.pid if self._process else 0

    @property
    def runs(self) -> bool:
        """Return whether it has been started and neither killed nor ended."""
        return self._process is not None and self._process is not self._killed and self._process.poll() is None

    @property
    def pipe(self) -> Connection:
        """Return our end of the pipe to a running process."""
        if not self.runs or self._pipe is None:
            self._start()
        assert self._pipe is not None
        return self._pipe

    def _start(self) -> None:
        self.end()
        self._pipe, child_end = Pipe()
        watched, self._alive = os.pipe()
        ends = child_end.fileno(), watched
        command = [sys.executable, "-P", str(ENTRY), str(sys.modules["bnnverify"].__file__), *map(str, ends)]
        try:
            self._process = subprocess.Popen(
                command, pass_fds=ends, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
        finally:
            child_end.close()
            os.close(watched)
        with suppress(ConnectionError):  # it has ended already, which reading the pipe reveals
            self._pipe.send((self._function, self._arguments))

    def status(self) -> int | None:
        """Wait until it has ended, and return how; None if there was none. It has closed its pipe."""
        if self._process is None:
            return None
        try:
            return self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def kill(self) -> None:
        """End it at once; the thread that reads the pipe then finds it closed, and cleans up by `end`."""
        process = self._process  # another thread may be cleaning up
        if process is not None:
            self._killed = process
            process.kill()

    def end(self) -> None:
        """End it at once, and close the pipe."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._pipe is not None:
            self._pipe.close()
        if self._alive >= 0:
            os.close(self._alive)
        self._process, self._pipe, self._alive = None, None, -1
