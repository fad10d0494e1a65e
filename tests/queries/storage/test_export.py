"""export: one flat line per row, counts to the last digit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bnnverify import BadQuery
from bnnverify.queries.storage.export import COLUMNS, columns_of, exporter
from tests.support.results import FULL, HUGE, outcome


def test_columns_are_flat_and_counts_are_decimal_text() -> None:
    flat = columns_of(FULL)
    assert list(flat) == list(COLUMNS)
    kinds: dict[str, Any] = {"INTEGER": int, "REAL": float, "TEXT": str}
    assert all(value is None or type(value) is kinds[COLUMNS[name]] for name, value in flat.items())
    assert (flat["size"], flat["adversarial_low"], flat["correct"]) == (str(HUGE), str(HUGE - 1), 1)
    assert json.loads(flat["heat"]) == [HUGE, 0]


def test_export_to_csv(tmp_path: Path) -> None:
    exporter(tmp_path / "rows.csv")([FULL])
    head, line = (tmp_path / "rows.csv").read_text().splitlines()
    assert head == ",".join(COLUMNS)
    assert f",{HUGE},{HUGE - 1},{HUGE}," in line
    with pytest.raises(BadQuery, match=r"ends in \.csv or \.parquet, got rows\.txt"):
        exporter(tmp_path / "rows.txt")
    with pytest.raises(BadQuery, match="in a folder that exists"):
        exporter(tmp_path / "nowhere" / "rows.csv")


def test_export_to_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra parquet")
    rows = [FULL, outcome("a", 0, 1)]
    exporter(tmp_path / "rows.parquet")(rows)
    assert parquet.read_table(tmp_path / "rows.parquet").to_pylist() == [columns_of(row) for row in rows]
