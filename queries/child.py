"""A native engine in a child process of its own, so that a time limit, a memory limit, Ctrl-C or a crash costs one answer.

The child is a fresh Python that runs `serve`, reached over an inherited pair of pipes: unlike multiprocessing's spawn it never
imports the caller's main script again, and unlike fork it inherits no locks of the caller's threads.
"""

from __future__ import annotations

import importlib
import os
import resource
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, Pipe
from threading import RLock
from typing import Any

from bnnverify.queries.engine import Ability, Budget, Engine, Progress, Report, silent
from bnnverify.query import Query
from bnnverify.result import Finding
from bnnverify.tally import Count, Tally

GRACE = 1.0  # seconds a child may overrun before it is killed: time to hand over what it knows


def load_engine(path: str) -> type[Any]:
    """Return the class named by "module:Class"."""
    module, _, name = path.partition(":")
    engine: type[Any] = getattr(importlib.import_module(module), name)
    return engine


class InChild:
    """An Engine whose work happens in a child process; the child lives on between questions."""

    def __init__(self, path: str, memory: int | None = None) -> None:
        engine = load_engine(path)
        self.name: str = engine.name
        self.ability: Ability = engine.ability
        self._path, self._memory = path, memory
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._closed = False
        self._busy = RLock()  # held while a question is open; another thread's close() ends the question, then the pipe

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
                pipe.send((verb, query, budget.left))
                return self._heard(pipe, budget, report)
            except (EOFError, ConnectionError):
                return self._obituary()
            except BaseException:
                self._end()
                raise

    def _heard(self, pipe: Connection, budget: Budget, report: Report) -> Any:
        while True:
            left = budget.left
            if not pipe.poll(None if left is None else max(0.0, left + GRACE)):
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
            command = [sys.executable, "-c", "from bnnverify.queries.child import serve; serve()"]
            command += [str(theirs.fileno()), self._path, str(self._memory or 0)]
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
            theirs.close()
        if self._closed:  # asked for while the child was starting: it must not outlive that
            self._end()
            raise EOFError
        return self._pipe

    def _obituary(self) -> str:
        """Return in words how the child ended."""
        code = self._process.wait() if self._process else None
        self._end()
        limit = f", most likely at the memory limit of {self._memory / 2**30:g} GiB" if self._memory else ""
        return f"the {self.name} engine ended with status {code}{limit}"

    def close(self) -> None:
        """End the child for good; from another thread, this ends the question it is busy with."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        process = self._process
        if process is not None:
            process.kill()
            process.wait()
        with self._busy:
            if self._pipe is not None:
                self._pipe.close()
            self._process = self._pipe = None


def serve() -> None:
    """Answer questions from the parent until it goes away: the child's whole life."""
    descriptor, path, memory = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    engine: Engine = load_engine(path)()
    pipe: Connection = Connection(descriptor)
    with suppress(EOFError, ConnectionError, KeyboardInterrupt):
        while True:
            verb, query, seconds = pipe.recv()
            try:
                budget = Budget(seconds, memory or None)
                if verb == "count":
                    answer: Any = engine.count(query, budget, lambda progress: pipe.send(("progress", progress)))
                else:
                    answer = engine.find(query, budget)
                pipe.send(("answer", answer))
            except MemoryError:
                os._exit(137)  # the diagram package's state is not to be trusted after this
            except Exception as error:  # noqa: BLE001 - handed to the parent, which raises it
                pipe.send(("raised", error))
