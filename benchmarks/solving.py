"""Is the network robust around the first test images of MNIST? Verdicts and seconds of every engine, radius by radius.

    python benchmarks/solving.py                                          everything: hours, most of them for what stays open
    python benchmarks/solving.py --images 20 --limit 20 --radii 1,2,3     less

Needs the data folder ($BNNVERIFY_DATA). Rows are kept in benchmarks/results/solving.json between runs; solving.md is the table
of all. Two engines that contradict each other end it with an error. bits is asked only where its estimate is below the limit.
The engine "exact" is asked where its solver is installed (pip install 'bnnverify[exact]'; AGPL).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from statistics import mean, median
from typing import Any

from bnnverify import Budget, HammingBall, Leaves, Network, Query, certify
from bnnverify.data.samples import Samples, read_samples
from bnnverify.encoders.enumeration.cost_model import evaluation_seconds
from bnnverify.encoders.presolve.presolve import presolve
from bnnverify.formats import load
from bnnverify.model.arrays import Bits
from bnnverify.queries.planning.calibration import slowness

DATA = Path(os.environ.get("BNNVERIFY_DATA") or Path(__file__).parents[2] / "shared" / "data")
RESULTS = Path(__file__).parent / "results"
MODELS = {
    "100-50-10": "npaq-models/mnist-100-bnn_1blk_50.pt",
    "100-25-10-10": "npaq-models/mnist-100-bnn_2blk_25_10.pt",
    "400-50-20-10": "npaq-models/mnist-400-bnn_2blk_50_20.pt",
    "400-200-100-100-10": "npaq-models/mnist-400-bnn_3blk_200_100.pt",
    "TFC-1W1A": "finn-tfc/TFC_1W1A.onnx",
}
ENGINES = ("auto", "codes", "sat", "sat:diagram", "sat:adder", "sat:native", "bits", "exact")
Row = dict[str, Any]


def main() -> None:
    """Ask what the command line says, save every row as it comes, and fail on a contradiction."""
    options = _options()
    rows = _read(options.out)
    for name, radius, engine in cases(options):
        network = load(DATA / MODELS[name])
        samples = read_samples("mnist", network, data_dir=DATA, limit=options.images)
        row = row_of(network, samples, radius, engine, options)
        rows = [old for old in rows if _key(old) != _key(row | {"model": name})] + [row | {"model": name}]
        rows.sort(key=_key)
        _save(options.out, rows)
        print(f"{name} r={radius} {engine}: {' | '.join(_cells(row))}", flush=True)
    wrong = contradictions(rows)
    print("\n".join(wrong) if wrong else "no two engines contradict each other")
    sys.exit(bool(wrong))


def cases(options: argparse.Namespace) -> Iterator[tuple[str, int, str]]:
    """Yield what can be asked here: model, radius, engine."""
    for name in options.models.split(","):
        if not (DATA / MODELS[name]).exists():
            print(f"{name}: not in {DATA}")
            continue
        for radius in map(int, options.radii.split(",")):
            for engine in options.engines.split(","):
                if engine == "exact" and find_spec("exact") is None:
                    print("exact: not installed")
                    continue
                yield name, radius, engine


def row_of(network: Network, samples: Samples, radius: int, engine: str, options: argparse.Namespace) -> Row:
    """Return the verdicts of one engine at one radius, and the seconds of each."""
    started = time.monotonic()
    queries = {i: _query(network, bits, radius) for i, bits in zip(samples.indices, samples.bits, strict=True)}
    chosen = [i for i in queries if engine != "bits" or _enumeration_seconds(queries[i]) < options.limit]
    answers = dict(_certified(network, samples, radius, engine, options, chosen))
    return {
        "engine": engine,
        "radius": radius,
        "images": len(samples),
        "limit": options.limit,
        "jobs": options.jobs,
        "verdicts": {str(i): verdict for i, (verdict, _, _) in answers.items()},
        "seconds": {str(i): round(seconds, 4) for i, (_, seconds, _) in answers.items()},
        "by": {str(i): by for i, (_, _, by) in answers.items()},
        "wall": round(time.monotonic() - started, 1),
    }


def _enumeration_seconds(query: Query) -> float:
    """Return about how long this machine takes to look at every point."""
    return slowness() * evaluation_seconds(presolve(query.decider, query.region))


def _query(network: Network, bits: Bits, radius: int) -> Query:
    return Query(network, HammingBall(bits, radius), Leaves(network(bits)))


def _certified(
    network: Network, samples: Samples, radius: int, engine: str, options: argparse.Namespace, chosen: Sequence[int]
) -> Iterator[tuple[int, tuple[str, float, str]]]:
    places = [samples.indices.index(i) for i in chosen]
    if not places:
        return
    some = replace(samples, bits=samples.bits[places], labels=None, indices=tuple(chosen))
    limits = {"budget": Budget(options.limit), "jobs": options.jobs}
    done = certify(network, some, radius=radius, engine=engine, counting=False, **limits)
    for row in done.rows:
        yield row.index, (str(row.verdict), row.seconds, row.engine)


def contradictions(rows: Sequence[Row]) -> list[str]:
    """Return a sentence for each question with two answers, and for each image that is robust where a smaller ball is not."""
    known: dict[tuple[str, int, str], tuple[str, str]] = {}
    wrong = []
    for row in rows:
        for i, verdict in row["verdicts"].items():
            if verdict == "UNKNOWN":
                continue
            before, by = known.setdefault((row["model"], row["radius"], i), (verdict, row["engine"]))
            if before != verdict:
                wrong.append(f"{row['model']} image {i} r={row['radius']}: {by} says {before}, {row['engine']} says {verdict}")
    for (model, radius, i), (verdict, by) in known.items():
        wider = known.get((model, radius + 1, i))
        if verdict == "VULNERABLE" and wider and wider[0] == "ROBUST":
            wrong.append(f"{model} image {i}: VULNERABLE at r={radius} ({by}), ROBUST at r={radius + 1} ({wider[1]})")
    return wrong


def _key(row: Row) -> tuple[int, int, int]:
    return list(MODELS).index(row["model"]), row["radius"], ENGINES.index(row["engine"])


def _cells(row: Row) -> list[str]:
    verdicts, seconds = list(row["verdicts"].values()), list(row["seconds"].values())
    counts = [str(verdicts.count(v)) for v in ("ROBUST", "VULNERABLE", "UNKNOWN")]
    times = [f"{value:.3g}" for value in (median(seconds), mean(seconds), max(seconds))] if seconds else ["", "", ""]
    return [str(row["images"]), str(len(verdicts)), *counts, *times, f"{row['limit']:g}"]


def _save(folder: Path, rows: Sequence[Row]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "solving.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    head = ["network", "r", "engine", "images", "asked", "robust", "vulnerable", "unknown"]
    head += ["median s", "mean s", "max s", "limit s"]
    text = ["| " + " | ".join(head) + " |", "|---|--:|---|" + "--:|" * (len(head) - 3)]
    text += ["| " + " | ".join([row["model"], str(row["radius"]), row["engine"], *_cells(row)]) + " |" for row in rows]
    (folder / "solving.md").write_text("\n".join(text) + "\n", encoding="utf-8")


def _read(folder: Path) -> list[Row]:
    path = folder / "solving.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else []


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--radii", default="1,2,3,4,5")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds of wall clock per query")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
