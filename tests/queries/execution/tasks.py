"""Work for pools under test, each in a few lines; a process finds it here by its name."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from bnnverify import BadModel
from bnnverify.problem.budget import Budget
from bnnverify.queries.execution.events import Answer, Worker
from bnnverify.queries.execution.pool import run
from bnnverify.queries.execution.process_pool import processes


def square(worker: Worker, number: int) -> int:
    return number * number


def complain(worker: Worker, words: str) -> None:
    raise BadModel(words)


class Unportable(Exception):
    """Cannot be read again: it is made of two words and passes one on."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


def complain_unportably(worker: Worker) -> None:
    raise Unportable("ab", "cd")


def answer_unportably(worker: Worker) -> Callable[[], int]:
    return lambda: 0


def count_up(worker: Worker, end: int) -> int:
    for number in range(end):
        worker.report(number)
    return end


def number_of_calls(worker: Worker) -> int:
    worker.opened["calls"] = worker.opened.get("calls", 0) + 1
    return int(worker.opened["calls"])


def process_number(worker: Worker) -> int:
    return os.getpid()


def doze(worker: Worker, seconds: float = 60) -> int:
    """Report the process's number, sleep unless cancelled, and return the number."""
    worker.report(os.getpid())
    end = time.monotonic() + seconds
    while time.monotonic() < end and not worker.cancelled:
        time.sleep(0.01)
    return os.getpid()


def hold_interpreter(worker: Worker) -> None:
    """Run outside Python for good, as a solver may: no other thread and no handler of a signal runs."""
    worker.report(os.getpid())
    ctypes.PyDLL(None).pause()


def end_by(worker: Worker, how: int) -> None:
    os.kill(os.getpid(), how)


def square_or_die(worker: Worker, number: int) -> int:
    """Die at 21."""
    if number == 21:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def allocate(worker: Worker, size: int) -> int:
    return np.empty(size, np.uint8).nbytes  # a limit of memory counts addresses, used or not


def size_of(worker: Worker, value: Any, number: int) -> tuple[int, int]:
    return len(value), number


def budget_left(worker: Worker, seconds: float) -> float | None:
    time.sleep(seconds)
    return worker.budget.left


def squares_in_a_pool(worker: Worker, numbers: range) -> list[int]:
    """Do `square` in a pool of this worker's own."""
    with processes(2) as pool:
        return [answer for _, answer in run(pool, square, ((k, (k,)) for k in numbers), ordered=True)]


def doze_in_a_pool(worker: Worker) -> None:
    """Report this process's number and that of a process of a pool of its own, which sleeps; so does this one."""
    with processes(1) as pool:
        pool.submit(doze)
        for event in pool.answers():
            if not isinstance(event, Answer):
                worker.report((os.getpid(), event.value))  # type: ignore[union-attr]


def modules_from(worker: Worker, folder: str) -> list[str]:
    """Return where random and numpy come from, and all modules that come from the folder."""
    import random

    files = [str(getattr(module, "__file__", None) or "") for module in sys.modules.values()]
    return [str(random.__file__), str(np.__file__), *(file for file in files if Path(folder) in Path(file).parents)]


def threads_of_numpy(worker: Worker) -> str:
    return os.environ["OPENBLAS_NUM_THREADS"] + os.environ["OMP_NUM_THREADS"]


def own_limits(worker: Worker) -> Budget:
    return worker.budget


def keep_open(worker: Worker, value: object) -> None:
    worker.opened["value"] = value


def sum_of(worker: Worker, *lists: list[int]) -> int:
    return sum(sum(one) for one in lists)


def collects_garbage(worker: Worker) -> bool:
    return gc.isenabled()


def search_path(worker: Worker) -> list[str]:
    return sys.path


def never_ready(pipe: Connection) -> None:
    """Live for a while in a process, and say nothing."""
    time.sleep(10)
