"""Finished rows of a comparison in a SQLite file, so that an interrupted or killed run loses nothing that was done.

Table `rows` has one row per (seed, sample, arm, radius). Counts are decimal text, since columns end at 64 bits; lists are JSON.
Every finished sample of a model is one transaction in a write-ahead log: after a kill it is there as a whole or not at all, and
others may read the file meanwhile.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from bnnverify.errors import BadInput
from bnnverify.results.comparison import Outcome
from bnnverify.results.finding import Verdict

OURS = 0x626E6E76  # "bnnv": the application number in the file's head
KEY = ("seed", "sample", "arm", "radius")
COLUMNS = {
    "seed": "INTEGER NOT NULL",
    "sample": "INTEGER NOT NULL",
    "arm": "TEXT NOT NULL",
    "radius": "INTEGER NOT NULL",
    "label": "INTEGER NOT NULL",
    "predicted": "INTEGER NOT NULL",
    "correct": "INTEGER NOT NULL",
    "verdict": "TEXT NOT NULL",
    "size": "TEXT NOT NULL",
    "adversarial_low": "TEXT NOT NULL",
    "adversarial_high": "TEXT NOT NULL",
    "confidence": "REAL NOT NULL",
    "shell": "TEXT",
    "targeted": "TEXT",
    "distance": "INTEGER",
    "beyond": "INTEGER NOT NULL",
    "witness": "TEXT",
    "becomes": "INTEGER",
    "greedy": "INTEGER",
    "gradient": "INTEGER",
    "attacked": "INTEGER NOT NULL",
    "heat": "TEXT",
    "code_radius": "INTEGER",
    "latent": "TEXT",
    "engine": "TEXT NOT NULL",
    "seconds": "REAL NOT NULL",
    "reason": "TEXT NOT NULL",
}
LISTS = ("shell", "targeted", "witness", "heat", "latent")
DESIGN = (
    "CREATE TABLE asked (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    f"CREATE TABLE rows ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())}, PRIMARY KEY ({', '.join(KEY)}))",
)

Case = tuple[str, int, int]  # arm, seed, sample


def columns_of(row: Outcome) -> dict[str, Any]:
    """Return a row as the flat values of its columns."""
    flat = row.to_json()
    count = flat.pop("adversarial")
    flat |= {"adversarial_low": str(count["low"]), "adversarial_high": str(count["high"]), "confidence": count["confidence"]}
    flat |= {"size": str(row.size), "verdict": row.verdict.value, "correct": int(row.correct), "attacked": int(row.attacked)}
    flat |= {name: None if flat[name] is None else json.dumps(flat[name]) for name in LISTS}
    return {name: flat[name] for name in COLUMNS}


def row_of(flat: Mapping[str, Any]) -> Outcome:
    """Return the row that columns_of gave; ValueError, KeyError or TypeError where flat is something else."""
    data = dict(flat)
    low, high, confidence = (data.pop(name) for name in ("adversarial_low", "adversarial_high", "confidence"))
    data["adversarial"] = {"low": int(low), "high": int(high), "confidence": confidence}
    data |= {"size": int(data["size"]), "attacked": bool(data["attacked"])}
    data |= {name: None if data[name] is None else json.loads(data[name]) for name in LISTS}
    return Outcome.from_json(data)


class Store:
    """The finished rows of a file, and a place for new ones. Without a path it remembers nothing.

    asked: what the rows are answers to, by name: radii, and the fingerprint of every model and sample. A file where one of
    these names has another value is refused, never overwritten; new names are added, so that a file can grow by arms, seeds
    and samples.
    """

    def __init__(self, path: Path | None, asked: Mapping[str, str]) -> None:
        self._path, self._asked = path, asked
        self._base: sqlite3.Connection | None = None
        self._closing = ExitStack()

    def __enter__(self) -> Store:
        if self._path is not None:
            with self._refusing(), ExitStack() as stack:
                _lock(self._path, stack)
                base = sqlite3.connect(self._path, isolation_level=None)
                stack.callback(base.close)
                self._open(base)
                self._base, self._closing = base, stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.close()

    def keep(self, rows: Sequence[Outcome]) -> None:
        """Add the rows of a finished case, or put them in place of stopped ones; they are on disk when this returns."""
        if self._base is None:
            return
        holes = ", ".join(f":{name}" for name in COLUMNS)
        with self._refusing(), _whole(self._base):
            self._base.executemany(f"INSERT OR REPLACE INTO rows VALUES ({holes})", [columns_of(row) for row in rows])

    def known(self) -> dict[Case, tuple[Outcome, ...]]:
        """Return the finished rows by arm, seed and sample, nearest radius first."""
        found: dict[Case, list[Outcome]] = {}
        for row in self._read():
            found.setdefault((row.arm, row.seed, row.sample), []).append(row)
        return {case: tuple(rows) for case, rows in found.items()}

    def _read(self) -> Iterator[Outcome]:
        if self._base is None:
            return
        with self._refusing():
            lines = self._base.execute(f"SELECT {', '.join(COLUMNS)} FROM rows ORDER BY {', '.join(KEY)}").fetchall()
        try:
            yield from (row_of(dict(zip(COLUMNS, line, strict=True))) for line in lines)
        except (ValueError, KeyError, TypeError):
            raise BadInput(f"store {self._path}: expected rows of an earlier comparison, got something else") from None

    def _open(self, base: sqlite3.Connection) -> None:
        """Make the tables of a new file; refuse one that is something else or answers something else."""
        (number,) = base.execute("PRAGMA application_id").fetchone()
        (tables,) = base.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and number != OURS:
            raise BadInput(f"store {self._path}: expected rows of an earlier comparison, got another database")
        base.execute("PRAGMA journal_mode = WAL")
        with _whole(base):
            if not tables:
                base.execute(f"PRAGMA application_id = {OURS}")
                for table in DESIGN:
                    base.execute(table)
            known = dict(base.execute("SELECT name, value FROM asked"))
            for name, value in self._asked.items():
                if known.get(name, value) != value:
                    told, came = value[:40], str(known[name])[:40]
                    raise BadInput(f"store {self._path}: expected rows with {name} {told}, got a file with {name} {came}")
            base.executemany("INSERT OR IGNORE INTO asked VALUES (?, ?)", list(self._asked.items()))

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except BlockingIOError:
            raise BadInput(f"store {self._path}: in use by another run") from None
        except (OSError, sqlite3.Error) as error:
            raise BadInput(f"store {self._path}: {getattr(error, 'strerror', None) or error}") from None


def _lock(path: Path, stack: ExitStack) -> None:
    """Keep other runs out until stack closes: to be entered before the database, whose own locks closing this file would drop."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    stack.callback(os.close, file)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def _whole(base: sqlite3.Connection) -> Iterator[None]:
    """Do all of what happens inside, or nothing."""
    base.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        base.execute("ROLLBACK")
        raise
    base.execute("COMMIT")


def is_stopped(row: Outcome, largest: int) -> bool:
    """Return whether something of the row is open that more time would tell: its verdict, its distance, or what its reason names.

    largest: the largest radius that was asked about, within which the distance should be known.
    """
    return bool(row.reason) or row.verdict is Verdict.UNKNOWN or (row.distance is None and row.beyond < largest)


def is_settled(rows: Iterable[Outcome], radii: Sequence[int], *, counting: bool) -> bool:
    """Return whether these are finished rows of all radii, counted where that was asked for: nothing needs to be asked again."""
    settled = [row.radius for row in rows if not is_stopped(row, max(radii)) and (row.adversarial.exact or not counting)]
    return settled == sorted(radii)
