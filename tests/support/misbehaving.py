"""Engines that misbehave, each in its own way, to be run in a child process; a budget that ends early; a pickle as a trap."""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path
from typing import ClassVar

from bnnverify import BadModel, Query, Tally
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines.base import Ability
from bnnverify.results.finding import Finding
from bnnverify.results.progress import Progress, Report, silent


class Sleeper:
    """Reports that one point of class 0 is known, then never comes back."""

    name: ClassVar[str] = "sleeper"
    ability: ClassVar[Ability] = Ability(native=True)

    def count(self, query: Query, budget: Budget, report: Report = silent) -> Tally:
        size = query.region.size
        report(Progress(1, size, Tally.seen(size, [1] + [0] * (query.network.classes - 1))))
        return self.stuck()

    def find(self, query: Query, budget: Budget) -> Finding:
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
    """Dies where the centre's first bit is 1, and proves everything else."""

    def find(self, query: Query, budget: Budget) -> Finding:
        if query.region.center[0]:
            os.kill(os.getpid(), 9)
        return Finding(False)


def stopping(after: int) -> Budget:
    """Return a budget that is spent after so many looks at it."""

    class Counted(Budget):
        looks = 0

        @property
        def spent(self) -> bool:
            Counted.looks += 1
            return Counted.looks > after

    return Counted(seconds=1.0)


class Trap:
    """Unpickling this would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return (open, (str(self.path), "w"))
