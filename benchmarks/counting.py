"""Class counts by every engine beside plain enumeration with numpy, measured in one run.

"numpy" lists the points and puts them through the network's matrix products; "products" is the part spent in the products.

    python benchmarks/counting.py                 all cases; the trained networks need the data folder ($BNNVERIFY_DATA)
    python benchmarks/counting.py --cases r=3     the cases whose name contains "r=3"
    python benchmarks/counting.py --out DIR       keeps rows and table there

Each measurement has a process of its own. CPU seconds are those of the question, the engine's child process included;
importing and loading are not. "ready" is how long netlist and code take with nothing kept from earlier runs,
"again" how long the same question takes the second time in a process. The table is printed and saved as
counting.{json,md,svg} in --out, benchmarks/results by default; rows that the folder has from before stay.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bnnverify import Block, EachClass, Everything, HammingBall, Head, Network, Query, Region, Subcube, count, load, read_input
from bnnverify.encoders.enumeration.enumeration import Enumeration
from bnnverify.encoders.presolve.presolve import presolve
from bnnverify.problem.budget import Budget

HERE = Path(__file__).parent
DATA = Path(os.environ.get("BNNVERIFY_DATA") or HERE.parents[1] / "shared" / "data")
ENGINES = ("numpy", "bits", "bdd", "sat", "auto")
LIMIT = 120.0  # seconds per measurement
MOST = {"numpy": 5e6, "bdd": 1e7, "sat": 1e6}  # points above which an engine is not tried


@dataclass(frozen=True)
class Case:
    name: str
    network: Callable[[], Network]
    region: Callable[[Network], Region]


def npaq(name: str) -> Callable[[], Network]:
    return lambda: load(DATA / "npaq-models" / f"mnist-{name}.pt")


def made(*widths: int) -> Callable[[], Network]:
    """Return a random ±1 network, the same at every call."""

    def build() -> Network:
        random = np.random.default_rng(sum(widths))
        *inner, (last, classes) = pairwise(widths)
        blocks = [Block(random.choice([-1, 1], (m, n)), random.integers(-2, 3, m)) for n, m in inner]
        return Network(tuple(blocks), Head(random.choice([-1, 1], (classes, last)), random.integers(-2, 3, classes)))

    return build


def ball(radius: int, image: str | None = "mnist:6677") -> Callable[[Network], Region]:
    def build(network: Network) -> Region:
        if image is None:
            return HammingBall(np.random.default_rng(0).integers(0, 2, network.inputs), radius)
        return HammingBall(read_input(image, network, data_dir=DATA), radius)

    return build


def everything(network: Network) -> Region:
    return Everything(network.inputs)


def free(count: int) -> Callable[[Network], Region]:
    return lambda network: Subcube(read_input("mnist:6677", network, data_dir=DATA), np.arange(count) + 30)


def pixels(image: int, radius: int) -> Callable[[Network], Region]:
    """Return the ball of flips that some picture can make."""

    def build(network: Network) -> Region:
        flippable = network.coding.flippable if network.coding else None
        return HammingBall(read_input(f"mnist:{image}", network, data_dir=DATA), radius, free=flippable)

    return build


def pixel_network() -> Network:
    return load(DATA / "msakai-bnn" / "mnist.npz")


CASES = [
    *(Case(f"npaq 100-50-10 r={r}", npaq("100-bnn_1blk_50"), ball(r)) for r in range(1, 8)),
    *(Case(f"npaq 100-20-10 r={r}", npaq("100-bnn_1blk_20"), ball(r)) for r in (1, 2, 3, 4)),
    *(Case(f"npaq 100-50-10, {k} free", npaq("100-bnn_1blk_50"), free(k)) for k in (20, 30)),
    Case("npaq 16 bits, 4 blocks, all", npaq("16-bnn_16_4blk_1"), everything),
    Case("npaq 25-20-10 all", npaq("25-bnn_25_1blk_20"), everything),
    Case("npaq 25-25-10-10 all", npaq("25-bnn_25_2blk_25_10"), everything),
    *(Case(f"npaq 400-200-100-10 r={r}", npaq("400-bnn_3blk_200_100"), ball(r)) for r in (1, 2)),
    *(Case(f"npaq pixels 784-200-100-100-100-10 r={r}", pixel_network, pixels(0, r)) for r in (1, 2, 3)),
    *(Case(f"made {n}-32-10 r=4", made(n, 32, 10), ball(4, None)) for n in (25, 50, 100, 200)),
    *(Case(f"made 64-{m}-10 r=4", made(64, m, 10), ball(4, None)) for m in (8, 16, 64, 128)),
    *(Case(f"made 64{'-32' * d}-10 r=4", made(64, *[32] * d, 10), ball(4, None)) for d in (1, 2, 3)),
]


def by_numpy(query: Query) -> tuple[list[int], float]:
    """Plain enumeration: counts, and the CPU seconds in the network's matrix products alone, without listing the points."""
    counts, products = np.zeros(query.network.classes, dtype=np.int64), 0.0
    for points in query.region.points():
        started = cpu_seconds()
        counts += np.bincount(query.network(points), minlength=query.network.classes)
        products += cpu_seconds() - started
    return [int(k) for k in counts], products


def cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measured(case: Case, engine: str) -> list[dict[str, object]]:
    """Return the rows of one measurement; runs in a process of its own."""
    network = case.network()
    query = Query(network, case.region(network), EachClass())
    row: dict[str, object] = {"case": case.name, "engine": engine, "size": query.region.size}
    if query.region.size > MOST.get(engine, query.region.size):
        return [{**row, "skipped": f"more than {MOST[engine]:.0e} points"}]
    gc.freeze()  # what PyTorch leaves behind after loading is not searched for garbage
    cpu, wall, products = cpu_seconds(), time.monotonic(), 0.0
    if engine == "numpy":
        (counts, products), exact = by_numpy(query), True
    else:
        result = count(query, engine=engine, budget=Budget(LIMIT))
        counts, exact = [k.low for k in result.counts], result.exact
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    row |= {"counts": counts, "exact": exact, "wall": time.monotonic() - wall, "peak_mib": peak // 1024}
    row["cpu"] = cpu_seconds() - cpu
    if engine == "bits":
        row |= {"ready": getting_ready(query), "again": again(query)}
    return [row, {**row, "engine": "products", "cpu": products}] if engine == "numpy" else [row]


def again(query: Query) -> float:
    """Return the CPU seconds of asking once more in the same process, where everything is imported."""
    started = cpu_seconds()
    count(query, engine="bits", budget=Budget(LIMIT))
    return cpu_seconds() - started


def getting_ready(query: Query) -> float:
    """Return the CPU seconds until enumeration can begin: netlist, rows of the first layer, code; with no code kept."""
    started = cpu_seconds()
    solved = presolve(query.network, query.region)
    if not solved.decided:
        with TemporaryDirectory() as folder:
            Enumeration(solved, Path(folder), mixed=False)
    return cpu_seconds() - started


def processor() -> str:
    """Return the processor's name where the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def table(rows: list[dict[str, object]]) -> str:
    seconds = ["CPU s", "wall s", "ready s", "again s"]
    heads = ["case", "points", "engine", "exact", *seconds, "points / CPU s", "MiB", "products CPU / CPU"]
    lines = ["| " + " | ".join(heads) + " |", "|---|--:|---|---|" + "--:|" * 7]
    base = {row["case"]: row["cpu"] for row in rows if row["engine"] == "products" and "cpu" in row}
    for row in rows:
        if "cpu" in row:
            cpu = max(float(str(row["cpu"])), 1e-6)
            rate = f"{int(str(row['size'])) / cpu:.3g}"
            ratio = f"{float(str(base[row['case']])) / cpu:.1f}" if row["case"] in base else ""
            ready, once_more = (f"{row[key]:.3f}" if key in row else "" for key in ("ready", "again"))
            cells = [row["exact"], f"{cpu:.3f}", f"{row['wall']:.3f}", ready, once_more, rate, row["peak_mib"], ratio]
        else:
            cells = [row["skipped"], *[""] * 7]
        lines.append("| " + " | ".join(map(str, [row["case"], row["size"], row["engine"], *cells])) + " |")
    return "\n".join(lines)


def machine() -> dict[str, str]:
    return {"processor": processor(), "python": platform.python_version(), "numpy": np.__version__}


def known(folder: Path) -> list[dict[str, object]]:
    """Return the rows measured before; a new measurement replaces its own."""
    path = folder / "counting.json"
    rows: list[dict[str, object]] = json.loads(path.read_text())["rows"] if path.exists() else []
    return rows


def saved(rows: list[dict[str, object]], folder: Path) -> None:
    """Write what is measured so far."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "counting.json").write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


def plot(rows: list[dict[str, object]], path: Path) -> None:
    """Draw CPU seconds against points, both on logarithmic scales, a colour per engine; stopped runs are left out."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5))
    for engine in dict.fromkeys(str(row["engine"]) for row in rows if "cpu" in row):
        own = [row for row in rows if row["engine"] == engine and row.get("exact")]
        sizes, seconds = [int(str(row["size"])) for row in own], [max(float(str(row["cpu"])), 1e-3) for row in own]
        axes.scatter(sizes, seconds, label=engine, s=14)
    axes.set(xscale="log", yscale="log", xlabel="points in the region", ylabel="CPU seconds (at least 1 ms)")
    axes.legend()
    figure.savefig(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default="", help="only cases whose name contains this")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder for rows and table")
    parser.add_argument("--one", nargs=2, metavar=("CASE", "ENGINE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        case = next(case for case in CASES if case.name == options.one[0])
        print(json.dumps(measured(case, options.one[1])))
        return 0
    rows = known(options.out)
    for case in (case for case in CASES if options.cases in case.name):
        if case.name.startswith("npaq") and not (DATA / "npaq-models").is_dir():
            print(f"skipped {case.name}: no data folder at {DATA}", file=sys.stderr)
            continue
        for engine in options.engines.split(","):
            print(f"{case.name}: {engine}", file=sys.stderr)
            command = [sys.executable, __file__, "--one", case.name, engine]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            new = json.loads(done.stdout)
            measured_now = {(row["case"], row["engine"]) for row in new}
            rows = [row for row in rows if (row["case"], row["engine"]) not in measured_now] + new
            saved(rows, options.out)
    order = [(case.name, engine) for case in CASES for engine in (*ENGINES, "products")]
    rows.sort(key=lambda row: order.index((str(row["case"]), str(row["engine"]))))
    answers = {(row["case"], str(row["counts"])) for row in rows if row.get("exact")}
    if len(answers) > len({name for name, _ in answers}):
        raise SystemExit(f"engines disagree: {sorted(map(str, answers))}")
    text = table(rows)
    print(text)
    (options.out / "counting.md").write_text(f"`python benchmarks/counting.py`, {machine()}\n\n{text}\n")
    plot(rows, options.out / "counting.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
