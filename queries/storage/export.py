"""Rows of a comparison as a table for other programs: CSV or Parquet, by the file's name. The only home of pyarrow.

The columns are those of the store: counts are decimal text, lists are JSON.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bnnverify.errors import BadQuery
from bnnverify.extras import needed
from bnnverify.queries.storage.store import COLUMNS, columns_of
from bnnverify.results.comparison import Outcome

Lines = Sequence[dict[str, Any]]


def exporter(path: Path) -> Callable[[Sequence[Outcome]], None]:
    """Return a function that writes rows to path; what stands in its way is said at once, before any work is done."""
    writers = {".csv": _csv, ".parquet": _parquet}
    if path.suffix not in writers:
        raise BadQuery(f"export: expected a file name that ends in .csv or .parquet, got {path.name}")
    if not path.parent.is_dir():
        raise BadQuery(f"export: expected a file in a folder that exists, got {path}")
    if path.suffix == ".parquet":
        with needed("Parquet", "pyarrow", extra="parquet"):
            import pyarrow.parquet  # noqa: F401
    return lambda rows: writers[path.suffix](path, [columns_of(row) for row in rows])


def _csv(path: Path, lines: Lines) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(COLUMNS))
        writer.writeheader()
        writer.writerows(lines)


def _parquet(path: Path, lines: Lines) -> None:
    import pyarrow as pa
    from pyarrow.parquet import write_table

    kinds = {"INTEGER": pa.int64(), "REAL": pa.float64(), "TEXT": pa.string()}
    layout = pa.schema([(name, kinds[kind.split()[0]]) for name, kind in COLUMNS.items()])
    write_table(pa.Table.from_pylist(list(lines), schema=layout), path)
