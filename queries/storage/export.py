"""Rows of a comparison as a table for other programs: CSV or Parquet, by the file's name. The only importer of pyarrow.

Counts are decimal text, since columns end at 64 bits; lists are JSON.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bnnverify.errors import BadQuery
from bnnverify.extras import needed
from bnnverify.results.outcome import Outcome

COLUMNS = {
    "seed": "INTEGER",
    "sample": "INTEGER",
    "arm": "TEXT",
    "radius": "INTEGER",
    "label": "INTEGER",
    "predicted": "INTEGER",
    "correct": "INTEGER",
    "verdict": "TEXT",
    "size": "TEXT",
    "adversarial_low": "TEXT",
    "adversarial_high": "TEXT",
    "confidence": "REAL",
    "shell": "TEXT",
    "targeted": "TEXT",
    "distance": "INTEGER",
    "beyond": "INTEGER",
    "witness": "TEXT",
    "becomes": "INTEGER",
    "greedy": "INTEGER",
    "gradient": "INTEGER",
    "attacked": "INTEGER",
    "heat": "TEXT",
    "code_radius": "INTEGER",
    "latent": "TEXT",
    "engine": "TEXT",
    "seconds": "REAL",
    "reason": "TEXT",
}
LISTS = ("shell", "targeted", "witness", "heat", "latent")

Lines = Sequence[dict[str, Any]]


def exporter(path: Path) -> Callable[[Sequence[Outcome]], None]:
    """Return a function that writes rows to path; a path or package that prevents it raises here, before any work is done."""
    writers = {".csv": _csv, ".parquet": _parquet}
    if path.suffix not in writers:
        raise BadQuery(f"export: expected a file name that ends in .csv or .parquet, got {path.name}")
    if not path.parent.is_dir():
        raise BadQuery(f"export: expected a file in a folder that exists, got {path}")
    if path.suffix == ".parquet":
        with needed("Parquet", "pyarrow", extra="parquet"):
            import pyarrow.parquet  # noqa: F401
    return lambda rows: writers[path.suffix](path, [columns_of(row) for row in rows])


def columns_of(row: Outcome) -> dict[str, Any]:
    """Return a row as the flat values of its columns."""
    flat = row.to_json()
    count = flat.pop("adversarial")
    flat |= {"adversarial_low": str(count["low"]), "adversarial_high": str(count["high"]), "confidence": count["confidence"]}
    flat |= {"size": str(row.size), "verdict": row.verdict.value, "correct": int(row.correct), "attacked": int(row.attacked)}
    flat |= {name: None if flat[name] is None else json.dumps(flat[name]) for name in LISTS}
    return {name: flat[name] for name in COLUMNS}


def _csv(path: Path, lines: Lines) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(COLUMNS))
        writer.writeheader()
        writer.writerows(lines)


def _parquet(path: Path, lines: Lines) -> None:
    import pyarrow as pa
    from pyarrow.parquet import write_table

    kinds = {"INTEGER": pa.int64(), "REAL": pa.float64(), "TEXT": pa.string()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    write_table(pa.Table.from_pylist(list(lines), schema=schema), path)
