"""Ways to count with decision diagrams, side by side: strategy and package, checked against the bits engine.

    python benchmarks/diagrams.py                 all cases; they need the data folder ($BNNVERIFY_DATA)
    python benchmarks/diagrams.py --cases 64      the cases whose name contains "64"
    python benchmarks/diagrams.py --limit 120     seconds for one measurement (30)

Each measurement has a process of its own. CPU seconds are those of the question; importing and loading are not. A count that
is not finished shows how much of the region it got through. The table is printed and saved as diagrams.json and diagrams.md
in --out, benchmarks/results by default.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnnverify import EachClass, Everything, HammingBall, Network, Query, Region, Subcube, load, read_input
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines.base import Engine
from bnnverify.queries.engines.diagrams import BddEngine
from bnnverify.queries.engines.enumeration import BitsEngine
from bnnverify.queries.planning.posed import Posed

HERE = Path(__file__).parent
DATA = Path(os.environ.get("BNNVERIFY_DATA") or HERE.parents[1] / "shared" / "data")
INPUTS = DATA / "bnnquanalyst-csv" / "inputs"

GRACE = 15.0  # seconds over the limit after which a measurement is ended
MOST = 10**8  # points above which the packages are not tried

Row = dict[str, object]
Place = Callable[[Network], Region]


def packaged(strategy: str, package: str) -> Callable[[], Engine]:
    return lambda: BddEngine(package, strategy)


WAYS: dict[str, Callable[[], Engine]] = {
    "bits": lambda: BitsEngine(workers=1),
    "frontier": lambda: BddEngine(strategy="frontier"),
    **{f"{s}, {p}": packaged(s, p) for s in ("region", "blocks") for p in ("oxidd", "cudd")},
}


@dataclass(frozen=True)
class Case:
    name: str
    model: str
    region: Place


def ball(radius: int) -> Place:
    return lambda network: HammingBall(_center(network), radius)


def random_positions(count: int) -> Place:
    """Return the region of the benchmark's own file of random free positions."""

    def build(network: Network) -> Region:
        spots = np.loadtxt(INPUTS / f"fixed_set_file_random_{network.inputs}_{count}.txt", dtype=np.int64, ndmin=1)
        return Subcube(_center(network), spots)

    return build


def _center(network: Network) -> np.ndarray:
    return read_input(str(INPUTS / f"instance_0_{network.inputs}.txt"), network)


CSV, NPAQ = "bnnquanalyst-csv/models/mnist_bnn_", "npaq-models/mnist-"
CASES = [
    *(Case(f"64-10-10 r={r}", f"{CSV}1_blk_64_10_10", ball(r)) for r in (4, 6, 8)),
    *(Case(f"100-50-10 r={r}", f"{CSV}1_blk_100_50_10", ball(r)) for r in (3, 4)),
    Case("100-50-10, 20 free", f"{CSV}1_blk_100_50_10", random_positions(20)),
    Case("784-100-10, 15 free", f"{CSV}1_blk_784_100_10", random_positions(15)),
    Case("400-100-10 r=2", f"{NPAQ}400-bnn_1blk_100.pt", ball(2)),
    Case("36-15-10-10 r=5", f"{CSV}2_blk_36_15_10_10", ball(5)),
    Case("100-50-20-10 r=3", f"{CSV}2_blk_100_50_20_10", ball(3)),
    Case("16 bits, 4 blocks, all", f"{NPAQ}16-bnn_16_4blk_1.pt", lambda network: Everything(network.inputs)),
    Case("25-20-10 all", f"{NPAQ}25-bnn_25_1blk_20.pt", lambda network: Everything(network.inputs)),
    Case("100-20-10 r=6", f"{NPAQ}100-bnn_1blk_20.pt", ball(6)),
]


def measured(case: Case, way: str, limit: float) -> Row:
    """Return one row of the table; runs in a process of its own."""
    network = load(DATA / case.model)
    query = Query(network, case.region(network), EachClass())
    if query.region.size > MOST and "," in way:
        return {"size": query.region.size, "exact": False, "reason": f"not tried above {MOST} points"}
    engine, wall, cpu = WAYS[way](), time.monotonic(), time.process_time()
    budget = Budget(limit).start()
    tally = Posed.of(query, budget).count(engine, budget)
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.monotonic() - wall,
        "size": query.region.size,
        "done": sum(count.low for count in tally.counts),
        "exact": all(count.exact for count in tally.counts),
        "reason": tally.reason,
        "counts": [count.low for count in tally.counts],
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def run(case: Case, way: str, limit: float) -> Row:
    """Return one row, measured in a child that is ended when it does not keep to its limit by itself."""
    command = [sys.executable, __file__, "--limit", str(limit), "--one", case.name, way]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=limit + GRACE)
    except subprocess.TimeoutExpired:
        return {"case": case.name, "way": way, "exact": False, "reason": f"ended after {limit + GRACE:g} s"}
    return {"case": case.name, "way": way, **json.loads(done.stdout)}


def table(rows: list[Row]) -> str:
    lines = ["| case | points | way | exact | CPU s | wall s | peak MiB |", "|---|--:|---|---|--:|--:|--:|"]
    for row in rows:
        exact, cells = "yes", ["", "", ""]
        if "cpu" in row:
            cells = [f"{row['cpu']:.2f}", f"{row['wall']:.2f}", str(row["peak_mib"])]
        if not row["exact"]:
            exact = f"no: {row['reason']}"
        if "done" in row and row["done"] != row["size"]:
            exact += f", {int(str(row['done'])) / int(str(row['size'])):.0%} done"
        lines.append("| " + " | ".join([str(row["case"]), str(row.get("size", "")), str(row["way"]), exact, *cells]) + " |")
    return "\n".join(lines)


def check(rows: list[Row]) -> None:
    """Stop if two exact counts of one case differ."""
    answers = {(row["case"], str(row["counts"])) for row in rows if row["exact"]}
    if len(answers) > len({case for case, _ in answers}):
        raise SystemExit(f"ways disagree: {sorted(map(str, answers))}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default="", help="only cases whose name contains this")
    parser.add_argument("--limit", type=float, default=30.0, help="seconds for one measurement")
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder for the table")
    parser.add_argument("--one", nargs=2, metavar=("CASE", "WAY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(next(case for case in CASES if case.name == options.one[0]), options.one[1], options.limit)))
        return 0
    if not INPUTS.is_dir():
        print(f"skipped all cases: no data folder at {DATA} (set BNNVERIFY_DATA)", file=sys.stderr)
        return 0
    rows: list[Row] = []
    for case in (case for case in CASES if options.cases in case.name):
        for way in WAYS:
            print(f"{case.name}: {way}", file=sys.stderr)
            rows.append(run(case, way, options.limit))
    check(rows)
    text = table(rows)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    machine = {"python": platform.python_version(), "numpy": np.__version__, "limit": options.limit}
    (options.out / "diagrams.json").write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")
    (options.out / "diagrams.md").write_text(f"`python benchmarks/diagrams.py`, {machine}\n\n{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
