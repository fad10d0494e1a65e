"""A native engine in a child process of its own, so that a time limit, a memory limit, Ctrl-C or a crash costs one answer."""

from __future__ import annotations

import gc
import os
import resource
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from threading import Event, RLock
from typing import Any

from bnnverify.problem.budget import Budget
from bnnverify.problem.query import Query
from bnnverify.queries.engines.base import Ability, Engine
from bnnverify.queries.execution.process import Process, named
from bnnverify.results.counts import Count, Tally
from bnnverify.results.finding import Finding
from bnnverify.results.progress import Progress, Report, silent

GRACE = 1.0  # seconds a child may overrun before it is killed: time to hand over what it knows
GLANCE = 0.1  # seconds between two looks at the clock


def load_engine(path: str) -> type[Any]:
    """Return the class named by "module:Class"."""
    engine: type[Any] = named(path)
    return engine


class SubprocessEngine:
    """An Engine whose work happens in a child process; the child lives on between questions, but never longer than its parent.

    path: "module:Class". memory: bytes the child may use. cores: how many it may use, if it can use several.
    """

    def __init__(self, path: str, memory: int | None = None, cores: int | None = None) -> None:
        engine = load_engine(path)
        self.name: str = engine.name
        self.ability: Ability = engine.ability
        self._memory = memory
        self._process = Process("bnnverify.queries.planning.subprocess_engine:serve", (path, str(memory or 0), str(cores or 0)))
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
                pipe = self._process.pipe
                pipe.send((verb, query, budget))
                return self._heard(pipe, budget, report)
            except (EOFError, ConnectionError):
                return self._obituary()
            except BaseException:
                self._process.end()
                raise

    def _heard(self, pipe: Connection, budget: Budget, report: Report) -> Any:
        while True:
            while not pipe.poll(GLANCE):
                if self._halted.is_set():
                    self._process.end()
                    return "stopped"
                if budget.left is not None and budget.left < -GRACE:
                    self._process.end()
                    return f"stopped after {budget.seconds:g} s"
            kind, payload = pipe.recv()
            if kind == "raised":
                raise payload
            if kind == "answer":
                return payload
            report(payload)

    def _obituary(self) -> str:
        """Return in words how the child ended."""
        code = self._process.status()
        self._process.end()
        limit = f", most likely at the memory limit of {self._memory / 2**30:g} GiB" if self._memory else ""
        return f"the {self.name} engine ended with status {code}{limit}"

    def stop(self) -> None:
        """End the child and the question it is busy with, from any thread; the next question starts another child."""
        self._halted.set()
        with self._busy:
            self._process.end()
            self._halted.clear()

    def close(self) -> None:
        """End the child."""
        self.stop()


def serve(pipe: Connection, path: str, memory: str, cores: str) -> None:
    """Answer questions from the parent until it goes away: the child's whole life. memory and cores: "0" for no limit."""
    if memory != "0":
        resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    kind = load_engine(path)
    engine: Engine = kind(workers=int(cores)) if cores != "0" and kind.ability.threads else kind()
    gc.freeze()
    gc.disable()  # looking for garbage among clauses takes a tenth of the time of making them, and finds none
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
            gc.collect()  # while nobody waits
