"""Engines that misbehave, run in processes of their own; a budget that ends early; a pickle as a trap; edited resume files."""

from __future__ import annotations

import ctypes
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from bnnverify import BadModel, Budget, Tally
from bnnverify.encoders.presolve.question import Question
from bnnverify.queries.engines import registry
from bnnverify.queries.engines.base import Ability, Found
from bnnverify.queries.execution.events import Worker
from bnnverify.queries.execution.pool import Pool
from bnnverify.queries.planning.portfolio import Portfolio
from bnnverify.queries.planning.portfolio import answered as answered_by_ours
from bnnverify.queries.storage.fingerprint import Fingerprint
from bnnverify.queries.storage.store import Store
from bnnverify.results.progress import Progress, Report, silent


class Sleeper:
    """Reports that one point of class 0 is known, then never comes back; the total of its report is its process's number."""

    def count(self, question: Question, budget: Budget, report: Report = silent) -> Tally:
        size = question.region.size
        report(Progress(1, os.getpid(), Tally.partial(size, [1] + [0] * (question.network.classes - 1))))
        return self.stuck()

    def find(self, question: Question, budget: Budget) -> Found:
        return self.stuck()

    def close(self) -> None: ...

    def stuck(self):  # type: ignore[no-untyped-def]
        while True:
            time.sleep(60)


class Crasher(Sleeper):
    def stuck(self):  # type: ignore[no-untyped-def]
        os.abort()


class Glutton(Sleeper):
    def stuck(self):  # type: ignore[no-untyped-def]
        return [bytearray(2**26) for _ in range(10**6)]


class Deaf(Sleeper):
    """Holds the interpreter for good: no other thread and no handler of a signal runs."""

    def stuck(self):  # type: ignore[no-untyped-def]
        ctypes.PyDLL(None).pause()


class Complainer(Sleeper):
    def stuck(self):  # type: ignore[no-untyped-def]
        raise BadModel("expected something else")


class Frail(Sleeper):
    """Dies where as many neurons are open as inputs are free but one, and proves everything else."""

    def find(self, question: Question, budget: Budget) -> Found:
        if question.network.blocks[0].matrix[0, 0] > 0:
            os.kill(os.getpid(), 9)
        return Found(False)


KINDS = {f"test:{kind.__name__.lower()}": kind for kind in (Sleeper, Crasher, Glutton, Deaf, Complainer, Frail)}


def answered(worker: Worker, name: str, workers: int, question: Question, counting: bool) -> Tally | Found:
    """Do what a process of a portfolio does, for these engines as well."""
    if name in KINDS or name == "test:sleepy":
        kind = KINDS.get(name, Sleeper)
        worker.opened[name, workers] = registry.Registered(name, "", Ability(), kind, registry.never, registry.no_evidence).open()
    return answered_by_ours(worker, name, workers, question, counting)


def portfolio(pool: Pool, *names: str) -> Portfolio:
    """Return a portfolio of these engines and of the package's."""
    return Portfolio(pool, names, 1, answered)


def stopping(after: int) -> Budget:
    """Return a budget that is spent after so many looks at it."""

    class Counted(Budget):
        checks = 0

        @property
        def spent(self) -> bool:
            Counted.checks += 1
            return Counted.checks > after

    return Counted(seconds=1.0)


class Trap:
    """Unpickling this would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return (open, (str(self.path), "w"))


def rewrite(path: Path, edit: Callable[[str, dict[str, Any]], dict[str, Any]]) -> None:
    """Put what edit makes of its key and value in place of each row; the checksums are right."""
    with closing(sqlite3.connect(path)) as base:
        found = Fingerprint.parsed(base.execute("SELECT text FROM fingerprint").fetchone()[0])
    with Store(path, found.names, found.growing) as store:
        for key in list(store.known):
            store.keep(key, edit(key, dict(store.known[key])))


def alter(path: Path, command: str, *values: object) -> int:
    """Run one command of SQL on the file, and return how many rows it changed; the checksums stay."""
    with closing(sqlite3.connect(path)) as base, base:
        return base.execute(command, values).rowcount


def beside(path: Path) -> list[str]:
    """Return the names in the folder of path, its own among them."""
    return sorted(other.name for other in path.parent.iterdir())


def keys(path: Path) -> list[str]:
    """Return the keys of the finished rows."""
    with closing(sqlite3.connect(path)) as base:
        return [key for (key,) in base.execute("SELECT key FROM rows ORDER BY key")]
