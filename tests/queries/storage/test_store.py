"""store: stored values come back to the last digit; other work, edited rows and files that cannot be used are refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bnnverify import BadInput, Count, Row, Verdict, __version__
from bnnverify.queries.comparison.settled import value_of
from bnnverify.queries.storage.store import Store
from bnnverify.results.counts import Shares, Tally
from tests.support.misbehaving import alter, beside, rewrite
from tests.support.results import FULL, HUGE

SAME = {"verb": "certify", "model": "ab" * 32, "radius": 3, "counting": None}
VALUES: dict[str, dict[str, Any]] = {  # one of each of the three users
    "0": Tally(HUGE, (Count.exactly(HUGE - 1), Count.exactly(1)), shells=(Shares(0, (1, 0)),)).to_json(),
    "17 ab": Row(17, None, 1, Verdict.VULNERABLE, Count(HUGE, 10**6000), "bits", 0.1, "late").to_json(),
    "sample 17 of bin_enc-D3 seed 2": value_of([FULL, FULL]),
}
PLAIN = {key: value for key, value in VALUES.items() if "bin" not in key}


def stored(path: Path, values: dict[str, dict[str, Any]], **others: object) -> None:
    with Store(path, {**SAME, **others}) as store:
        for key, value in values.items():
            store.keep(key, value)


def known(path: Path, **others: object) -> dict[str, dict[str, Any]]:
    with Store(path, {**SAME, **others}) as store:
        return dict(store.known)


def test_values_are_restored_to_the_last_digit(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    stored(path, VALUES)
    with Store(path, SAME) as store:
        assert len(store.known) == 3
        assert list(store.known) == sorted(VALUES)
        assert "1" not in store.known
        assert store.recall("17 ab", Row.from_json) == Row.from_json(VALUES["17 ab"])
        assert store.recall("0", Tally.from_json) == Tally.from_json(VALUES["0"])
        assert store.recall("1", Tally.from_json) is None
        assert store.known["sample 17 of bin_enc-D3 seed 2"]["rows"][0]["heat"] == [HUGE, 0]
    assert beside(path) == ["rows.sqlite"]


def test_a_value_makes_place_for_another(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    stored(path, {"1": {"verdict": "UNKNOWN"}, "2": {"verdict": "ROBUST"}})
    stored(path, {"1": {"verdict": "ROBUST"}})
    assert known(path) == {"1": {"verdict": "ROBUST"}, "2": {"verdict": "ROBUST"}}


def test_without_a_file_nothing_is_remembered() -> None:
    with Store(None, SAME) as store:
        store.keep("1", {"a": 1})
        assert store.known == {}
        assert store.recall("1", Tally.from_json) is None


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    path, link = tmp_path / "rows.sqlite", tmp_path / "link"
    path.touch()
    link.symlink_to(path)
    stored(link, PLAIN)
    assert known(path)["0"]["size"] == HUGE


def test_the_file_is_a_log_in_front_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    with Store(path, SAME) as store:
        store.keep("1", {"a": 1})
        assert beside(path) == ["rows.sqlite", "rows.sqlite-wal"]
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("SELECT key, value FROM rows").fetchall() == [("1", '{"a": 1}')]
    database.close()


def test_other_work_is_refused_and_left_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    stored(path, PLAIN)
    for other, sentence in (
        ({"radius": 4}, "expected finished work with radius 4, got a file with radius 3"),
        ({"verb": "count", "radius": 4}, "expected finished work with verb count, got a file with verb certify"),
        ({"more": 1}, "expected finished work with more 1, got a file with nothing called more"),
    ):
        with pytest.raises(BadInput, match=f"resume file {path}: {sentence}"):
            stored(path, {"new": {}}, **other)
    assert known(path).keys() == PLAIN.keys()


def test_work_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.sqlite"
    stored(path, PLAIN)
    monkeypatch.setattr("bnnverify.queries.storage.store.__version__", "0.0.9")
    with pytest.raises(BadInput, match=f"with bnnverify 0.0.9, got a file with bnnverify {__version__}"):
        known(path)


def test_a_file_grows_by_members_of_groups(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"

    def grown(**models: str) -> dict[str, dict[str, Any]]:
        with Store(path, SAME, growing={"model": models}) as store:
            store.keep(" ".join(models), models)
            return dict(store.known)

    grown(a="1")
    assert grown(b="2") == {"a": {"a": "1"}, "b": {"b": "2"}}
    with pytest.raises(BadInput, match="expected finished work with model a 2, got a file with model a 1"):
        grown(a="2", c="3")
    assert grown(c="4").keys() == {"a", "b", "c"}  # the refused run left nothing


def test_one_run_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    with Store(path, SAME) as store:
        store.keep("1", {})
        with pytest.raises(BadInput, match="in use by another run"):
            known(path)
        code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('SELECT * FROM rows')"
        other = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
        assert "database is locked" in other.stderr  # the refused run of this process did not take the lock away
        store.keep("2", {})
    assert known(path).keys() == {"1", "2"}


EDITS = [
    "UPDATE rows SET value = replace(value, '1', '2')",
    "UPDATE rows SET value = substr(value, 1, 9)",
    "UPDATE rows SET value = CAST(value AS BLOB)",
    "UPDATE rows SET value = 7",
    "UPDATE rows SET key = '1' WHERE key = '0'",
    "UPDATE rows SET checksum = ''",
    "INSERT INTO rows SELECT '1', value, checksum FROM rows WHERE key = '0'",
    "UPDATE fingerprint SET text = '[1, 2]'",
    "UPDATE fingerprint SET text = '[{}, {\"a\": 1}]'",
    "UPDATE fingerprint SET text = CAST(x'ff00' AS TEXT)",
    "UPDATE rows SET value = CAST(x'ff00' AS TEXT)",
    "DELETE FROM fingerprint",
    "INSERT INTO fingerprint SELECT text FROM fingerprint",
    "CREATE TRIGGER t AFTER INSERT ON rows BEGIN DELETE FROM rows; END",
    "ALTER TABLE rows ADD COLUMN more TEXT",
    "DROP TABLE rows",
]


@pytest.mark.parametrize("edit", EDITS)
def test_edited_files_are_refused(tmp_path: Path, edit: str) -> None:
    path = tmp_path / "rows.sqlite"
    stored(path, PLAIN)
    alter(path, edit)
    with pytest.raises(BadInput, match=f"resume file {path}: expected finished work as it was written, got a damaged"):
        known(path)


def test_rows_are_bound_to_their_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    stored(path, PLAIN)
    assert alter(path, "UPDATE fingerprint SET text = replace(text, '\"radius\": 3', '\"radius\": 4')") == 1
    with pytest.raises(BadInput, match="got a file with radius 4"):
        known(path)
    with pytest.raises(BadInput, match="damaged or edited"):
        known(path, radius=4)


def test_rows_of_another_file_are_refused(tmp_path: Path) -> None:
    """Each row is right by itself, but for another radius."""
    path, other = tmp_path / "rows.sqlite", tmp_path / "other.sqlite"
    stored(path, PLAIN)
    stored(other, {"1": {}}, radius=4)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("ATTACH ? AS other", (str(other),))
    database.execute("INSERT INTO rows SELECT * FROM other.rows")
    database.close()
    with pytest.raises(BadInput, match="damaged or edited"):
        known(path)


@pytest.mark.parametrize("value", ["[" * 200_000, "1" * 100_000, "[1]", "null", '{"a": '])
def test_values_that_are_no_objects_are_refused(tmp_path: Path, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where somebody made the checksums right."""
    path = tmp_path / "rows.sqlite"
    stored(path, {"1": {}})
    with monkeypatch.context() as patch:
        patch.setattr("bnnverify.queries.storage.store.to_text", lambda _: value)
        stored(path, {"1": {}})
    with pytest.raises(BadInput, match=f"resume file {path}: expected finished work as it was written"):
        known(path)


def refusing(error: type[Exception]) -> Callable[[dict[str, Any]], None]:
    def parse(data: dict[str, Any]) -> None:
        raise error(str(data))

    return parse


@pytest.mark.parametrize("error", [ValueError, KeyError, TypeError, AttributeError, OverflowError])
def test_pieces_that_their_user_refuses_are_refused(tmp_path: Path, error: type[Exception]) -> None:
    path = tmp_path / "rows.sqlite"
    stored(path, {"1": {}})
    rewrite(path, lambda key, _: {"key": key})
    sentence = f"resume file {path}: piece 1: expected an answer to this question, got something else"
    with Store(path, SAME) as store, pytest.raises(BadInput, match=sentence):
        store.recall("1", refusing(error))
