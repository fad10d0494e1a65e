"""How slow this machine is, measured once and stored: the planner's estimates are multiplied with it."""

from __future__ import annotations

import json
import platform
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np

from bnnverify.queries.storage.cache import cache_folder

REFERENCE = 0.0025  # seconds that `_work` takes on the machine where the planner's constants were measured


@cache
def slowness(folder: Path | None = None) -> float:
    """Return how many times longer this machine takes than the one of the constants: read from folder, or measured now."""
    path = (folder or cache_folder()) / "speed.json"
    machine = f"{platform.node()} {platform.machine()} numpy {np.__version__}"
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(path.read_text())
        if known["machine"] == machine and 0.01 < known["slowness"] < 100:
            return float(known["slowness"])
    slow = min(_work() for _ in range(5)) / REFERENCE
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(json.dumps({"machine": machine, "slowness": slow}) + "\n")
    return slow


def _work() -> float:
    """Return the CPU seconds of two thousand gates on 4,096 words: what the interpreted netlist does all day."""
    a, b, c = (np.full(4096, value, dtype=np.uint64) for value in (1, 2, 3))
    started = time.process_time()
    for _ in range(1000):
        np.bitwise_and(a, b, out=c)
        np.bitwise_xor(c, a, out=b)
    return time.process_time() - started
