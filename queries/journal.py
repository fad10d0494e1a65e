"""Finished rows on disk, one JSON line each, so that an interrupted or killed certification loses nothing."""

from __future__ import annotations

import fcntl
import hashlib
import json
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from bnnverify.errors import BadInput
from bnnverify.network import Bits
from bnnverify.result import Row


class Journal:
    """The rows of a file, and a place for new ones. Without a path it remembers nothing.

    The first line says what was asked; a file about another question is refused, never overwritten.
    """

    def __init__(self, path: Path | None, asked: dict[str, Any]) -> None:
        self._path, self._asked = path, asked
        self._rows: dict[tuple[int, str], Row] = {}
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Journal:
        if self._path is not None:
            try:
                with ExitStack() as stack:
                    file = stack.enter_context(self._path.open("a+b"))
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._read(file)
                    stack.pop_all()
            except BlockingIOError:
                raise BadInput(f"resume file {self._path}: in use by another run") from None
            except OSError as error:
                raise BadInput(f"resume file {self._path}: {error.strerror}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def row(self, index: int, bits: Bits) -> Row | None:
        """Return the finished row of a sample, if the file has one for exactly these bits."""
        return self._rows.get((index, _print_of(bits)))

    def keep(self, row: Row, bits: Bits) -> None:
        """Add a finished row; it is on its way to the disk when this returns."""
        self._write({"bits": _print_of(bits), **row.to_json()})

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(_line(line))
            self._file.flush()

    def _read(self, file: IO[bytes]) -> None:
        file.seek(0)
        content = file.read()
        whole = content.rfind(b"\n") + 1  # what follows the last line end was cut off by a kill
        lines = content[:whole].splitlines()
        if lines:
            self._rows = self._understood(lines)
        elif not _line(self._asked).startswith(content):
            raise BadInput(f"resume file {self._path}: expected rows of an earlier certify run, got something else")
        file.truncate(whole)
        self._file = file
        if not lines:
            self._write(self._asked)

    def _understood(self, lines: list[bytes]) -> dict[tuple[int, str], Row]:
        try:
            first, *rest = map(json.loads, lines)
            rows = {(line["index"], line.pop("bits")): Row.from_json(line) for line in rest}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BadInput(f"resume file {self._path}: expected rows of an earlier certify run, got something else") from None
        if first != self._asked:
            raise BadInput(f"resume file {self._path}: expected rows for {_told(self._asked)}, got {_told(first)}")
        return rows


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def _told(asked: Any) -> str:
    if not isinstance(asked, dict) or "model" not in asked:
        return "another file"
    return f"model {str(asked['model'])[:12]}, radius {asked.get('radius')}, free positions and counting as there"


def _print_of(bits: Bits) -> str:
    return hashlib.sha256(bits.tobytes()).hexdigest()[:32]
