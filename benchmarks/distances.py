"""Exact distances of pixel networks beside the published optima and run times; the table is that of docs/distances.md.

    python benchmarks/distances.py                      needs the data folder ($BNNVERIFY_DATA) with msakai-bnn in it
    python benchmarks/distances.py --norm inf           the distances in one norm: 0, 1, 2 or inf

The published numbers are those of the pseudo-Boolean solver "Exact" on another machine, from published_optima.csv in that folder
(msakai/bnn-verification, logs/exact). Two to five minutes on two cores.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import time
from pathlib import Path

import numpy as np
from PIL import Image

from bnnverify import Budget, Distance, Network, distance, load, pixel_cost

DATA = Path(os.environ.get("BNNVERIFY_DATA") or Path(__file__).parents[2] / "shared" / "data") / "msakai-bnn"
CASES = {
    "mnist": ("mnist.npz", "bnn_mnist_7_label9.png"),
    "mnist_rot": ("mnist_rot_reordered.npz", "bnn_mnist_rot_8_label1.png"),
}
LIMIT = 600.0  # seconds of wall clock for one distance
HEAD = ("network and image", "norm", "published", "published, s", "here", "witness", "proved by", "CPU s", "wall s")


def cpu() -> float:
    """Return the CPU seconds of this process and of its finished children."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def replayed(network: Network, pixels: np.ndarray, norm: str, found: Distance) -> bool:
    """Return whether the changed picture gets another class and changes by what was said, all computed anew."""
    changed = pixels.astype(np.int64)
    for position, step in found.changes:
        changed[position] += step
    assert network.coding is not None
    apart = np.abs(changed - pixels)
    price = {"0": (apart > 0).sum(), "1": apart.sum(), "2": (apart**2).sum(), "inf": apart.max()}[norm]
    legal = changed.min() >= 0 and changed.max() <= 255
    return bool(legal and price == found.high and network(network.coding.bits(changed)) != found.predicted)


def row(case: dict[str, str]) -> tuple[str, ...]:
    """Return one line of the table."""
    model, picture = CASES[case["dataset"]]
    network = load(DATA / model)
    pixels = np.asarray(Image.open(DATA / picture).convert("L")).ravel()
    assert network.coding is not None
    before, started = cpu(), time.monotonic()
    cost = pixel_cost(network.coding, pixels, case["norm"])
    found = distance(network, network.coding.bits(pixels), cost=cost, budget=Budget(LIMIT))
    here = str(found.low) if found.exact else f"{found.low}..{found.high}"
    engines = ", ".join(f"{part.first}-{part.last} {part.engine}" for part in found.proved) or "0 by the image itself"
    seen = "replayed" if replayed(network, pixels, case["norm"], found) else "REFUSED"
    published = f"{float(case['exact_solver_cpu_seconds']):.3g}"
    spent = f"{cpu() - before:.1f}", f"{time.monotonic() - started:.1f}"
    return f"{case['dataset']} {case['index']}", case["norm"], case["optimum"], published, here, seen, engines, *spent


def main() -> None:
    """Print the table, a line at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--norm", choices=("0", "1", "2", "inf"), help="only the distances in this norm")
    options = parser.parse_args()
    print("| " + " | ".join(HEAD) + " |\n" + "|---" * len(HEAD) + "|")
    with (DATA / "published_optima.csv").open(newline="") as file:
        for case in csv.DictReader(file):
            if options.norm in (None, case["norm"]):
                print("| " + " | ".join(row(case)) + " |", flush=True)


if __name__ == "__main__":
    main()
