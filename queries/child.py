"""A native engine in a child process of its own, so that a time limit, a memory limit, Ctrl-C or a crash costs one answer.

The child is a fresh Python that runs `serve`, reached over an inherited pair of pipes: unlike multiprocessing's spawn it never
imports the caller's main script again, and unlike fork it inherits no locks of the caller's threads.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import resource
import select
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, Pipe
from threading import Event, RLock
from typing import Any

from bnnverify.queries.engine import Ability, Budget, Engine, Progress, Report, silent
from bnnverify.query import Query
from bnnverify.result import Finding
from bnnverify.tally import Count, Tally

GRACE = 1.0  # seconds a child may overrun before it is killed: time to hand over what it knows
GLANCE = 0.1  # seconds between two looks at the clock


def load_engine(path: str) -> type[Any]:
    """Return the class named by "module:Class"."""
    module, _, name = path.partition(":")
    engine: type[Any] = getattr(importlib.import_module(module), name)
    return engine


class InChild:
    """An Engine whose work happens in a child process; the child lives on between questions, but never longer than its parent.

    path: "module:Class". memory: bytes the child may use. cores: how many it may use, if it can use several.
    """

    def __init__(self, path: str, memory: int | None = None, cores: int | None = None) -> None:
        engine = load_engine(path)
        self.name: str = engine.name
        self.ability: Ability = engine.ability
        self._path, self._memory, self._cores = path, memory, cores
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._alive = -1  # the end of a pipe that is never written: when it closes, the system ends the child
        self._busy = RLock()  # held while a question is open
        self._halted = Event()

    def count(self, query: Query, budget: Budget, report: Report = silent) -> Tally:
        latest = Tally(query.region.size, (Count(0, query.region.size),) * query.network.classes)

        def keep(progress: Progress) -> None:
            nonlocal latest
            latest = progress.tally
            report(progress)

        answer = self._ask("count", query, budget, keep)
        return replace(latest, reason=answer) if isinstance(answer, str) else answer

    def find(self, query: Query, budget: Budget) -> Finding:
        answer = self._ask("find", query, budget, silent)
        return Finding(None, reason=answer) if isinstance(answer, str) else answer

    def _ask(self, verb: str, query: Query, budget: Budget, report: Report) -> Any:
        """Return the child's answer, or the reason why there is none."""
        with self._busy:
            try:
                pipe = self._running()
                pipe.send((verb, query, budget))
                return self._heard(pipe, budget, report)
            except (EOFError, ConnectionError):
                return self._obituary()
            except BaseException:
                self._end()
                raise

    def _heard(self, pipe: Connection, budget: Budget, report: Report) -> Any:
        while True:
            while not pipe.poll(GLANCE):
                if self._halted.is_set():
                    self._end()
                    return "stopped"
                if budget.left is not None and budget.left < -GRACE:
                    self._end()
                    return f"stopped after {budget.seconds:g} s"
            kind, payload = pipe.recv()
            if kind == "raised":
                raise payload
            if kind == "answer":
                return payload
            report(payload)

    def _running(self) -> Connection:
        if self._process is None or self._process.poll() is not None or self._pipe is None:
            self._end()
            self._pipe, theirs = Pipe()
            watched, self._alive = os.pipe()
            command = [sys.executable, "-c", "from bnnverify.queries.child import serve; serve()"]
            command += [self._path, *map(str, (theirs.fileno(), watched, self._memory or 0, self._cores or 0))]
            ends = [theirs.fileno(), watched]
            self._process = subprocess.Popen(
                command, pass_fds=ends, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
            theirs.close()
            os.close(watched)
        return self._pipe

    def _obituary(self) -> str:
        """Return in words how the child ended."""
        code = self._process.wait() if self._process else None
        self._end()
        limit = f", most likely at the memory limit of {self._memory / 2**30:g} GiB" if self._memory else ""
        return f"the {self.name} engine ended with status {code}{limit}"

    def stop(self) -> None:
        """End the child and the question it is busy with, from any thread; the next question starts another child."""
        self._halted.set()
        with self._busy:
            self._end()
            self._halted.clear()

    def close(self) -> None:
        """End the child."""
        self.stop()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._pipe is not None:
            self._pipe.close()
        if self._alive >= 0:
            os.close(self._alive)
        self._process, self._pipe, self._alive = None, None, -1


def serve() -> None:
    """Answer questions from the parent until it goes away: the child's whole life."""
    path, descriptor, watched, memory, cores = sys.argv[1], *map(int, sys.argv[2:6])
    _end_with_parent(watched)
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    kind = load_engine(path)
    engine: Engine = kind(workers=cores) if cores and kind.ability.threads else kind()
    pipe: Connection = Connection(descriptor)
    with suppress(EOFError, ConnectionError, KeyboardInterrupt):
        while True:
            verb, query, budget = pipe.recv()
            try:
                if verb == "count":
                    answer: Any = engine.count(query, budget, lambda progress: pipe.send(("progress", progress)))
                else:
                    answer = engine.find(query, budget)
                pipe.send(("answer", answer))
            except MemoryError:
                os._exit(137)  # the diagram package's state is not to be trusted after this
            except Exception as error:  # noqa: BLE001 - handed to the parent, which raises it
                pipe.send(("raised", error))


def _end_with_parent(watched: int) -> None:
    """Have the system end this process when the other end of the pipe closes, however the parent ended.

    SIGIO ends a process by default. Nothing in Python is needed for that: a solver may hold the interpreter for hours.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(watched, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(watched, fcntl.F_SETFL, fcntl.fcntl(watched, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([watched], [], [], 0)[0]:  # it had closed before
        os._exit(1)
