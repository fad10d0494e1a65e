"""store: files that are something else, are broken or cannot be written are refused in a sentence, and left as they are."""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bnnverify import BadInput
from bnnverify.queries.storage.store import APPLICATION, SCHEMA_VERSION, Store
from tests.support.misbehaving import beside

SAME = {"verb": "certify", "radius": 3}
VALUES = {str(n): {"n": n, "text": "robust " * 9} for n in range(60)}


def stored(path: Path) -> bytes:
    with Store(path, SAME) as store:
        for key, value in VALUES.items():
            store.keep(key, value)
    return path.read_bytes()


def known(path: Path) -> dict[str, dict[str, Any]]:
    with Store(path, SAME) as store:
        return dict(store.known)


EARLIER = "expected finished work of this version of bnnverify, got a file of an earlier version: name a new file, or delete"
FOREIGN = "expected finished work of bnnverify, got something else"
TEXTS = [
    ('{"work": "count", "model": "ab", "place": "cd"}\n{"key": "0", "size": 3}\n', EARLIER),
    ('{"work": "certify", "model": "ab"}', EARLIER),
    ('{"other": 1}\n', FOREIGN),
    ("x", FOREIGN),
    ("\0" * 5000, FOREIGN),
    ("something else, and long enough to be no empty database\n" * 20, FOREIGN),
]


@pytest.mark.parametrize(("text", "sentence"), TEXTS)
def test_text_is_refused_and_left_unchanged(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "rows"
    path.write_text(text)
    with pytest.raises(BadInput, match=f"resume file {path}: {sentence}"):
        known(path)
    assert path.read_text() == text
    assert beside(path) == ["rows"]


DATABASES = [
    (APPLICATION, 0, "rows (seed INTEGER NOT NULL, verdict TEXT NOT NULL)", EARLIER),
    (APPLICATION, SCHEMA_VERSION + 1, "rows (x)", "got a file of a later version"),
    (APPLICATION, SCHEMA_VERSION, "rows (x)", "got a damaged or edited file"),
    (0, SCHEMA_VERSION, "rows (x)", FOREIGN),
    (77, SCHEMA_VERSION, "", FOREIGN),
]


@pytest.mark.parametrize(("application", "version", "table", "sentence"), DATABASES)
def test_other_databases_are_refused_and_left_unchanged(
    tmp_path: Path, application: int, version: int, table: str, sentence: str
) -> None:
    path = tmp_path / "rows"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA application_id = {application}")
        database.execute(f"PRAGMA user_version = {version}")
        if table:
            database.execute(f"CREATE TABLE {table}")
    before = path.read_bytes()
    with pytest.raises(BadInput, match=sentence):
        known(path)
    assert path.read_bytes() == before


def test_truncated_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    content = stored(path)
    assert len(content) > 3 * 4096
    for length in (1, 15, 16, 50, 99, 100, 101, 511, 512, 2000, 4095, 4096, 4097, 8192, 12288, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(BadInput, match=f"resume file {path}: "):
            known(path)
        assert path.read_bytes() == content[:length]
    path.write_bytes(b"")
    assert known(path) == {}


def test_a_flipped_byte_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    path, chance = tmp_path / "rows", random.Random(3)
    content = stored(path)
    rows = [place for n in VALUES for place in (content.find(f'"n": {n}'.encode()) + 5,)]
    places = [*range(0, 112, 3), *rows, *chance.sample(range(len(content)), 200)]
    refused = 0
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        found = outcome(path)
        assert found in ("", f"resume file {path}"), place
        refused += found != ""
    assert refused > len(rows)


def outcome(path: Path) -> str:
    """Return nothing where the store gives back what was stored, else what its refusal begins with."""
    try:
        return "" if known(path) == VALUES else "other values"
    except BadInput as error:
        return str(error).partition(": ")[0]


@pytest.mark.parametrize("place", ["row", "checksum"])
def test_a_flipped_byte_in_a_row_is_refused(tmp_path: Path, place: str) -> None:
    path = tmp_path / "rows"
    content = bytearray(stored(path))
    at = content.find(b'"n": 33') + (6 if place == "row" else len('"n": 33, "text": ""}') + len("robust ") * 9 + 4)
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadInput, match=f"resume file {path}: expected finished work as it was written, got a damaged"):
        known(path)


def test_folders_and_devices_are_refused(tmp_path: Path) -> None:
    link, pipe, dangling = tmp_path / "link", tmp_path / "pipe", tmp_path / "dangling"
    link.symlink_to("/dev/zero")
    os.mkfifo(pipe)
    dangling.symlink_to(tmp_path / "nothing")
    for path in (tmp_path, link, pipe, Path("/dev/full")):
        with pytest.raises(BadInput, match=f"resume file {path}: expected a file, got a folder or device"):
            known(path)
    for path in (tmp_path / "nowhere" / "rows", dangling):
        with pytest.raises(BadInput, match="No such file or directory"):
            known(path)


def test_a_name_is_never_a_place_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stored(Path(":memory:"))
    assert known(tmp_path / ":memory:") == VALUES


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_read_only_files_and_folders_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "rows"
    path.parent.mkdir()
    stored(path)
    path.chmod(0o400)
    with pytest.raises(BadInput, match="cannot be read and written"):
        known(path)
    path.chmod(0o600)
    path.parent.chmod(0o500)
    with pytest.raises(BadInput, match=r"its folder cannot be (opened and )?written"):
        known(path)
    with pytest.raises(BadInput, match="Permission denied"):
        known(path.parent / "new")
    path.parent.chmod(0o700)


def fill(path: Path, finished: list[str]) -> None:
    with Store(path, SAME) as store:
        for key, value in VALUES.items():
            store.keep(key, value)
            finished.append(key)


@pytest.mark.parametrize("pages", [1, 2, 3, 4])
def test_a_full_disk_leaves_the_stored_rows(tmp_path: Path, pages: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path, connect = tmp_path / "rows", sqlite3.connect

    def small(*given: Any, **options: Any) -> sqlite3.Connection:
        database = connect(*given, **options)
        database.execute(f"PRAGMA max_page_count = {pages}")
        return database

    finished = list[str]()
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", small)
        with pytest.raises(BadInput, match=f"resume file {path}: database or disk is full"):
            fill(path, finished)
    assert path.exists() == (pages > 2)
    assert known(path).keys() == set(finished)


def test_a_file_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnnverify.queries.storage.store.SCHEMA", {"rows": "CREATE TABLE rows (key TEXT)", "x": "CREATE NOTHING"})
    with pytest.raises(BadInput, match="syntax error"):
        known(tmp_path / "rows")
    assert beside(tmp_path / "rows") == []
