"""Finished work in a SQLite file, so that an interrupted or killed run loses no finished part. The only importer of sqlite3.

Table `rows` has a key, a value in JSON and a checksum for each finished piece of a count, row of a certification or sample of a
comparison; table `fingerprint` identifies their work. A row goes to a write-ahead log: whatever ends the program, the row
is there or it is not. A power cut may lose the rows of the last moments, never a part of one.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from bnnverify._version import __version__
from bnnverify.errors import BadInput
from bnnverify.queries.storage.exact_json import from_text, to_text
from bnnverify.queries.storage.fingerprint import Fingerprint, Groups

APPLICATION = 0x626E6E76  # "bnnv": the application number in the file's head
SCHEMA_VERSION = 2  # of the tables: the user version in the file's head; 0 was one column per field of a comparison
SCHEMA = {
    "fingerprint": "CREATE TABLE fingerprint (text TEXT NOT NULL)",
    "rows": "CREATE TABLE rows (key TEXT PRIMARY KEY, value TEXT NOT NULL, checksum TEXT NOT NULL) WITHOUT ROWID",
}
LONGEST = 2**24  # bytes of a value
SMALLEST = 512  # bytes of a database
ADVICE = "name a new file, or delete this one"
FOREIGN = "expected finished work of bnnverify, got something else"
EARLIER = f"expected finished work of this version of bnnverify, got a file of an earlier version: {ADVICE}"
LATER = f"expected finished work of this version of bnnverify, got a file of a later version: {ADVICE}"
DAMAGED = f"expected finished work as it was written, got a damaged or edited file: {ADVICE}"
REASONS = {
    sqlite3.SQLITE_BUSY: "in use by another run",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: FOREIGN,
    sqlite3.SQLITE_CANTOPEN: "it or its folder cannot be opened and written",
    sqlite3.SQLITE_READONLY: "it or its folder cannot be written",
    sqlite3.SQLITE_TOOBIG: f"expected values of at most {LONGEST} bytes, got a longer one",
}

Piece = TypeVar("Piece")


class Store:
    """The finished work of a file by key, and a place for more. Without a path nothing is stored.

    fingerprint: everything that the work depends on, by name; the version of this program is added. growing: groups of names
    that may get further members, but no member another value. A file of other work is refused, never overwritten. The file
    belongs to this store while it is open: other runs and readers are kept out.
    """

    def __init__(self, path: Path | None, fingerprint: Mapping[str, object], growing: Groups | None = None) -> None:
        self._path = path
        self._fingerprint = Fingerprint({**fingerprint, "bnnverify": __version__}, growing or {})
        self._database: sqlite3.Connection | None = None
        self._closing = ExitStack()
        self.known: Mapping[str, dict[str, Any]] = {}

    def __enter__(self) -> Store:
        if self._path is not None:
            with self._refusing(), ExitStack() as stack:
                self._database = self._opened(self._path.absolute(), stack)
                self.known, self._closing = _Rows(self._path, self._database), stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.close()

    def recall(self, key: str, parse: Callable[[dict[str, Any]], Piece]) -> Piece | None:
        """Return the parsed piece with this key, None where there is none; BadInput where parse raises."""
        if key not in self.known:
            return None
        try:
            return parse(self.known[key])
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            if isinstance(error, BadInput):
                raise
            raise self._refusal(f"piece {key[:40]}: expected an answer to this question, got something else: {ADVICE}") from None

    def keep(self, key: str, value: Mapping[str, Any]) -> None:
        """Add a finished piece, or put it in place of the one with this key; whatever ends the program later, it is there."""
        if self._database is not None:
            text = to_text(value)
            row = (key, text, self._fingerprint.checksum(key, text))
            with self._refusing():
                self._database.execute("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", row)

    def _opened(self, path: Path, stack: ExitStack) -> sqlite3.Connection:
        """Return the file as a database of this work, which is closed with stack; a new file that stays empty is removed then."""
        is_new = _create(path)
        database = sqlite3.connect(path, timeout=0, isolation_level=None)
        stack.callback(database.close)
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA locking_mode = EXCLUSIVE")  # from the first transaction on, until it is closed
        with _transaction(database):
            if is_new:
                stack.callback(_remove_empty, path)
            self._adopt(database)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")  # the log is written with each row, but not waited for
        return database

    def _adopt(self, database: sqlite3.Connection) -> None:
        """Fill a new file; refuse one that is no store, belongs to other work or is damaged."""
        (application,), (version,) = (
            database.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
        )
        schema = dict(database.execute("SELECT name, sql FROM sqlite_master"))
        if not schema and application in (0, APPLICATION):
            self._fill(database)
        elif application != APPLICATION:
            raise self._refusal(FOREIGN)
        elif version != SCHEMA_VERSION:
            raise self._refusal(EARLIER if version < SCHEMA_VERSION else LATER)
        elif schema != SCHEMA or database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise self._refusal(DAMAGED)
        else:
            self._continue(database)

    def _fill(self, database: sqlite3.Connection) -> None:
        database.execute(f"PRAGMA application_id = {APPLICATION}")
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        for table in SCHEMA.values():
            database.execute(table)
        database.execute("INSERT INTO fingerprint VALUES (?)", (self._fingerprint.text,))

    def _continue(self, database: sqlite3.Connection) -> None:
        """Make the file one of this work too, after a check of every row's checksum."""
        try:
            ((text,),) = database.execute("SELECT text FROM fingerprint").fetchall()
            found = Fingerprint.parsed(text)
            database.create_function("expected", 2, found.checksum)
            changed = database.execute("SELECT key FROM rows WHERE checksum IS NOT expected(key, value) LIMIT 1").fetchone()
        except (AttributeError, TypeError, ValueError, sqlite3.OperationalError):
            raise self._refusal(DAMAGED) from None
        if difference := self._fingerprint.difference(found):
            raise self._refusal(difference)
        if changed:
            raise self._refusal(DAMAGED)
        self._fingerprint = self._fingerprint.joined(found)
        if self._fingerprint.text != found.text:
            database.create_function("expected", 2, self._fingerprint.checksum)
            database.execute("UPDATE fingerprint SET text = ?", (self._fingerprint.text,))
            database.execute("UPDATE rows SET checksum = expected(key, value)")

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Turn errors of a file or of SQLite into a sentence that names the file."""
        try:
            yield
        except OSError as error:
            raise self._refusal(error.strerror or str(error)) from None
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            reason = REASONS.get(code, str(error))
            if reason == FOREIGN and self._path is not None and _is_lines(self._path):
                reason = EARLIER
            raise self._refusal(reason) from None

    def _refusal(self, reason: str) -> BadInput:
        return BadInput(f"resume file {self._path}: {reason}")


class _Rows(Mapping[str, dict[str, Any]]):
    """The values of an open file by key. Each is read when it is used, so that a large file takes no memory."""

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self._path, self._database = path, database

    def __getitem__(self, key: str) -> dict[str, Any]:
        found = self._database.execute("SELECT value FROM rows WHERE key = ?", (key,)).fetchone()
        if found is None:
            raise KeyError(key)
        try:
            value = from_text(found[0])
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise BadInput(f"resume file {self._path}: {DAMAGED}")
        return value

    def __iter__(self) -> Iterator[str]:
        return iter([key for (key,) in self._database.execute("SELECT key FROM rows ORDER BY key")])

    def __len__(self) -> int:
        (number,) = self._database.execute("SELECT count(*) FROM rows").fetchone()
        return int(number)


def _create(path: Path) -> bool:
    """Make the file and return True, or False where a file of this name is there that SQLite may open."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except FileExistsError:
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError("expected a file, got a folder or device") from None
        if not os.access(path, os.R_OK | os.W_OK):
            raise OSError("it cannot be read and written") from None
        if 0 < path.stat().st_size < SMALLEST:  # SQLite would treat it as an empty one
            raise OSError(EARLIER if _is_lines(path) else FOREIGN) from None
        return False
    return True


def _remove_empty(path: Path) -> None:
    with suppress(FileNotFoundError):
        if path.stat().st_size == 0:
            path.unlink()


def _is_lines(path: Path) -> bool:
    """Return whether a file that is no database is one of JSON lines, as versions before this layout wrote them."""
    with path.open("rb") as file:
        return file.read(9) == b'{"work": '


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Commit all statements inside, or none."""
    database.execute("BEGIN EXCLUSIVE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
