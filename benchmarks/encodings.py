"""Compare encodings of thresholds and SAT solvers on trained networks; the tables are those of docs/cnf.md.

    python benchmarks/encodings.py               the trained networks need the data folder ($BNNVERIFY_DATA)
    python benchmarks/encodings.py left          only one table: counts, finds, or left, which holds the questions that presolve
                                                 and a short attack leave open
    python benchmarks/encodings.py --cases 784   only the networks or questions whose name contains "784"

About twenty minutes on one core.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections.abc import Iterator
from itertools import product
from multiprocessing.connection import Connection
from pathlib import Path
from unittest.mock import patch

import numpy as np
from pysat.solvers import Solver as PySat

from bnnverify import EachClass, HammingBall, Leaves, Network, Query, Region
from bnnverify.data.samples import read_samples
from bnnverify.encoders.clauses.cardinality import ENCODINGS, Encoding
from bnnverify.encoders.clauses.cnf import Formula, formula
from bnnverify.encoders.clauses.native_cardinality import native
from bnnverify.encoders.presolve.presolve import presolve
from bnnverify.formats import load
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines import sat
from bnnverify.queries.engines.sat import SatEngine
from bnnverify.queries.engines.solver import COUNTS_LITERALS, FAST
from bnnverify.queries.planning.attack_first import short_attack
from bnnverify.queries.planning.posed import Posed

DATA = Path(os.environ.get("BNNVERIFY_DATA") or Path(__file__).parents[2] / "shared" / "data")
LIMIT = 20.0  # seconds for one call of a solver
THREE = ("totalizer", "diagram", "adder")
LOOKS = (1, 256)  # 1: every point is named by the solver, unless a whole surrounding is decided
SOLVERS = ("minisat22", "glucose4", "cadical153", "cadical195")
NETWORKS = {
    "100-20-10": "npaq-models/mnist-100-bnn_1blk_20.pt",
    "100-50-10": "npaq-models/mnist-100-bnn_1blk_50.pt",
    "100-50-20-10": "bnnquanalyst-csv/models/mnist_bnn_2_blk_100_50_20_10",
    "400-100-10": "npaq-models/mnist-400-bnn_1blk_100.pt",
    "400-200-100-100-10": "npaq-models/mnist-400-bnn_3blk_200_100.pt",
    "784-100-10": "bnnquanalyst-csv/models/mnist_bnn_1_blk_784_100_10",
}
FINDS = [  # network, image, radius
    ("100-20-10", 3, 5),
    ("100-50-10", 3, 5),
    ("100-50-20-10", 0, 10),
    ("400-100-10", 0, 5),
    ("400-200-100-100-10", 3, 1),
    ("400-200-100-100-10", 0, 1),
    ("400-200-100-100-10", 3, 2),
    ("400-200-100-100-10", 0, 2),
    ("784-100-10", 3, 5),
    ("784-100-10", 0, 8),
]
LEFT = [  # network, radii, images of MNIST's test part
    ("npaq-models/mnist-100-bnn_1blk_50.pt", (3, 4, 5), 100),
    ("npaq-models/mnist-100-bnn_2blk_25_10.pt", (3, 4, 5), 100),
    ("npaq-models/mnist-400-bnn_2blk_50_20.pt", (3, 4, 5), 20),
    ("npaq-models/mnist-400-bnn_3blk_200_100.pt", (1,), 12),
]
PAIRS = [  # encoding, solver
    *(("totalizer", solver) for solver in SOLVERS),
    ("diagram", FAST),
    ("adder", FAST),
    *(("native", solver) for solver in (COUNTS_LITERALS, "gluecard3", "minicard")),
]
COUNTS = [
    ("100-20-10", 0, 2),
    ("100-20-10", 0, 3),
    ("100-50-10", 0, 1),
    ("100-50-10", 0, 2),
    ("100-50-10", 0, 3),
    ("100-50-10", 0, 4),
    ("784-100-10", 5, 2),
]


def questions(data: Path, cases: list[tuple[str, int, int]], wanted: str) -> Iterator[tuple[str, Network, Region]]:
    """Yield a name that contains the wanted text, a network and a ball around one of the benchmark images."""
    for name, image, radius in cases:
        words = f"{name}, image {image}, r = {radius}"
        if wanted not in words:
            continue
        network = load(data / NETWORKS[name])
        text = (data / "bnnquanalyst-csv" / "inputs" / f"instance_{image}_{network.inputs}.txt").read_text()
        center = (np.array(text.split(), dtype=float) > 0).astype(np.uint8)
        yield words, network, HammingBall(center, radius)


def _solve(encoded: Formula, solver: str, pipe: Connection) -> None:
    started = time.process_time()
    with PySat(solver, bootstrap_with=encoded.clauses + encoded.event) as running:
        for literals, most in encoded.at_mosts:
            running.add_atmost(literals, most)
        answer = "found" if running.solve() else "none"
    pipe.send(f"{answer} {time.process_time() - started:.2f}")


def solved(encoded: Formula, solver: str) -> str:
    """Return the answer and its CPU seconds, or that it took too long."""
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_solve, args=(encoded, solver, there))
    child.start()
    answer = here.recv() if here.poll(LIMIT) else f"> {LIMIT:g}"
    child.kill()
    child.join()
    return str(answer)


def compare_finds(data: Path, wanted: str) -> None:
    """Print size, time to encode and time to solve "the answer changes", for each encoding; the solvers on the default."""
    print("| question | encoding | variables | clauses | encode, s |", " | ".join(SOLVERS), "|\n|" + "---|" * (5 + len(SOLVERS)))
    for (name, network, region), encoding in product(questions(data, FINDS, wanted), THREE):
        question = presolve(network, region)
        label = question.classes.index(network(region.center))
        started = time.process_time()
        encoded = formula(question, frozenset(range(len(question.classes))) - {label}, encoding=ENCODINGS[encoding])
        spent = f"{time.process_time() - started:.2f}"
        times = [solved(encoded, solver) if solver == FAST or encoding == "totalizer" else "" for solver in SOLVERS]
        row = [name, encoding, str(encoded.variables), str(len(encoded.clauses)), spent, *times]
        print("|", " | ".join(row), "|", flush=True)


def counted(query: Query, encoding: str) -> str:
    """Return the CPU seconds of counting every class, or that it took too long."""
    started = time.process_time()
    budget = Budget(3 * LIMIT).start()
    tally = Posed.of(query, budget).count(SatEngine(ENCODINGS[encoding]), budget)
    return f"{time.process_time() - started:.2f}" if all(c.exact for c in tally.counts) else f"> {3 * LIMIT:g}"


def compare_counts(data: Path, wanted: str) -> None:
    """Print the CPU seconds of counting every class, for each encoding, then for different numbers of points per look."""
    print("| question | points |", " | ".join(THREE), *(f"| {look} per look" for look in LOOKS), "|")
    print("|" + "---|" * (2 + len(THREE) + len(LOOKS)))
    for name, network, region in questions(data, COUNTS, wanted):
        query = Query(network, region, EachClass())
        row = [name, str(region.size), *(counted(query, encoding) for encoding in THREE)]
        for look in LOOKS:
            with patch.object(sat, "LOOK", look):
                row.append(counted(query, "by-width"))
        print("|", " | ".join(row), "|", flush=True)
    print()


def left(data: Path, model: str, radius: int, images: int) -> Iterator[Query]:
    """Yield "the answer changes" for the images where neither presolve nor a short attack knows."""
    network = load(data / model)
    for bits in read_samples("mnist", network, data_dir=data, limit=images).bits:
        query = Query(network, HammingBall(bits, radius), Leaves(network(bits)))
        budget = Budget()
        posed = Posed.of(query, budget)
        if posed.clear_finding() is None and short_attack(posed, budget) is None:
            yield query


def compare_left(data: Path, wanted: str) -> None:
    """Print CPU seconds to encode and to solve what is left, summed over the images, for pairs of an encoding and a solver."""
    every = ENCODINGS | {"native": native}
    print("| network | r | left |", " | ".join(f"{encoding}, {solver}" for encoding, solver in PAIRS), "|")
    print("|---|--:|--:|" + "---|" * len(PAIRS))
    for model, radii, images in (case for case in LEFT if wanted in case[0]):
        for radius in radii:
            queries = list(left(data, model, radius, images))
            cells = [_summed(queries, every[encoding], solver) for encoding, solver in PAIRS]
            print(f"| {Path(model).stem} | {radius} | {len(queries)} |", " | ".join(cells), "|", flush=True)


def _summed(queries: list[Query], encoding: Encoding, solver: str) -> str:
    encode, solve, late = 0.0, 0.0, 0
    for query in queries:
        question = presolve(query.network, query.region)
        started = time.process_time()
        targets = frozenset(k for k, label in enumerate(question.classes) if label in query.targets)
        encoded = formula(question, targets, encoding=encoding)
        encode += time.process_time() - started
        answer = solved(encoded, solver)
        late += answer.startswith(">")
        solve += LIMIT if answer.startswith(">") else float(answer.split()[1])
    return f"{encode:.2f} + {solve:.2f}" + (f" ({late} late)" if late else "")


TABLES = {"counts": compare_counts, "finds": compare_finds, "left": compare_left}


def main() -> None:
    """Print the tables that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", choices=TABLES, help="only this one")
    parser.add_argument("--cases", default="", help="only networks or questions whose name contains this")
    options = parser.parse_args()
    for name in [options.table] if options.table else TABLES:
        TABLES[name](DATA, options.cases)


if __name__ == "__main__":
    main()
