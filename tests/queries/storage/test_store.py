"""store: what is kept comes back to the last digit, whatever ends the program; rows of another question are refused."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bnnverify import BadInput, BadQuery
from bnnverify.queries.storage.export import exporter
from bnnverify.queries.storage.store import COLUMNS, Store, columns_of, is_settled, is_stopped, row_of
from bnnverify.results.comparison import Outcome
from tests.support.results import ASKED, FULL, HUGE, outcome


def kept(path: Path, rows: list[Outcome], asked: dict[str, str] = ASKED) -> None:
    with Store(path, asked) as store:
        for row in rows:
            store.keep([row])


def known(path: Path, asked: dict[str, str] = ASKED) -> list[Outcome]:
    with Store(path, asked) as store:
        return [row for rows in store.known().values() for row in rows]


def test_rows_come_back_to_the_last_digit(tmp_path: Path) -> None:
    rows = [FULL, outcome("a", 0, 17, "UNKNOWN"), outcome("a", 0, 3)]
    kept(tmp_path / "rows.sqlite", rows)
    assert sorted(known(tmp_path / "rows.sqlite"), key=lambda row: row.key) == sorted(rows, key=lambda row: row.key)
    assert row_of(columns_of(FULL)) == FULL


def test_the_table_is_flat_and_counts_are_decimal_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    kept(path, [FULL])
    base = sqlite3.connect(path)
    names = [line[1] for line in base.execute("PRAGMA table_info(rows)")]
    found = base.execute("SELECT arm, seed, sample, radius, correct, size, typeof(size), adversarial_low FROM rows").fetchone()
    (mode,) = base.execute("PRAGMA journal_mode").fetchone()
    base.close()
    assert names == list(COLUMNS)
    assert found == ("bin_enc-D3", 2, 17, 1, 1, str(HUGE), "text", str(HUGE - 1))
    assert mode == "wal"


def test_a_case_is_kept_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    broken = replace(FULL, radius=2, arm=None)  # type: ignore[arg-type]
    with Store(path, ASKED) as store, pytest.raises(BadInput, match="NOT NULL"):
        store.keep([FULL, broken])
    assert known(path) == []


def test_undecided_rows_make_place_for_decided_ones(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    open_ = outcome("a", 0, 17, "UNKNOWN")
    kept(path, [open_])
    kept(path, [outcome("a", 0, 17, beyond=1)])
    assert known(path) == [outcome("a", 0, 17, beyond=1)]
    assert is_settled(known(path), (1,), counting=True)
    assert not is_settled([open_], (1,), counting=False)
    assert not is_settled(known(path), (1, 2), counting=False)
    assert not is_settled([FULL], (1,), counting=True)  # vulnerable, but not counted
    assert is_settled([replace(FULL, reason="")], (1,), counting=False)


def test_stopped_rows_are_asked_again() -> None:
    """Decided is not finished: a reason says that something is open, as does a distance neither known nor excluded."""
    vulnerable = outcome("a", 0, 17, "VULNERABLE", distance=1)
    assert not is_stopped(vulnerable, 1)
    assert not is_settled([FULL], (1,), counting=False)
    assert is_stopped(replace(vulnerable, reason="stopped after 1 s"), 1)
    open_ = replace(vulnerable, distance=None, beyond=2, radius=4)
    assert is_stopped(open_, 4)
    assert not is_settled([open_], (4,), counting=True)
    assert not is_stopped(outcome("a", 0, 17, beyond=1), 1)


@pytest.mark.parametrize("name", ASKED)
def test_rows_of_another_question_are_refused_and_kept(tmp_path: Path, name: str) -> None:
    path = tmp_path / "rows.sqlite"
    kept(path, [FULL])
    with pytest.raises(BadInput, match=f"expected rows with {name} other, got a file with {name} {ASKED[name]}"):
        kept(path, [], {**ASKED, name: "other", "sample 18": "new"})
    assert known(path) == [FULL]
    assert known(path, {**ASKED, "sample 18": "old"}) == [FULL]  # the refused run left nothing; further samples are welcome


def test_foreign_files_are_refused_and_kept(tmp_path: Path) -> None:
    text, other = tmp_path / "text", tmp_path / "other.sqlite"
    text.write_text("something else, and long enough to be no empty database\n" * 20)
    before = text.read_bytes()
    with pytest.raises(BadInput, match="file is not a database"):
        known(text)
    assert text.read_bytes() == before
    base = sqlite3.connect(other)
    base.execute("CREATE TABLE rows (x)")
    base.close()
    with pytest.raises(BadInput, match="expected rows of an earlier comparison, got another database"):
        known(other)
    with pytest.raises(BadInput, match="Is a directory"):
        known(tmp_path)


DAMAGE = [("size", "many"), ("verdict", "FINE"), ("latent", "{}"), ("adversarial_low", "-1")]


@pytest.mark.parametrize(("column", "value"), DAMAGE)
def test_damaged_rows_are_refused(tmp_path: Path, column: str, value: str) -> None:
    path = tmp_path / "rows.sqlite"
    kept(path, [FULL])
    base = sqlite3.connect(path)
    with base:
        base.execute(f"UPDATE rows SET {column} = ?", (value,))
    base.close()
    with pytest.raises(BadInput, match="expected rows of an earlier comparison"):
        known(path)


def test_one_run_at_a_time_but_anybody_may_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    with Store(path, ASKED) as store:
        with pytest.raises(BadInput, match="in use by another run"):
            known(path)
        store.keep([FULL])
        base = sqlite3.connect(path)
        assert base.execute("SELECT count(*) FROM rows").fetchone() == (1,)
        base.close()
    assert known(path) == [FULL]


def test_without_a_file_nothing_is_remembered() -> None:
    with Store(None, ASKED) as store:
        store.keep([FULL])
        assert store.known() == {}


WRITING = """
import sys
from dataclasses import replace
from pathlib import Path
from bnnverify.queries.storage.store import Store
from tests.support.results import ASKED
from tests.support.results import FULL

with Store(Path(sys.argv[1]), ASKED) as store:
    for sample in range(10**9):
        store.keep([replace(FULL, sample=sample, radius=radius) for radius in (1, 2, 3)])
        print(sample, flush=True)
"""


def test_a_kill_loses_no_finished_case_and_leaves_no_half_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", WRITING, str(path)], stdout=subprocess.PIPE, text=True, cwd=root) as writer:
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 20:
            pass
        writer.send_signal(signal.SIGKILL)
        said = 20 + len(writer.stdout.read().splitlines())
    found = known(path)
    assert len(found) % 3 == 0
    assert len(found) // 3 in (said + 1, said + 2)  # the last one may have been kept but not said
    assert found[:3] == [replace(FULL, sample=0, radius=radius) for radius in (1, 2, 3)]


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
    exporter(tmp_path / "rows.parquet")([FULL, outcome("a", 0, 1)])
    found = parquet.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [row_of(line) for line in found] == [FULL, outcome("a", 0, 1)]
