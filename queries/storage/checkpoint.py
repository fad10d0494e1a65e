"""Finished pieces of long work on disk, one JSON line each, so that an interrupted or killed run loses nothing that was done."""

from __future__ import annotations

import fcntl
import json
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from bnnverify.errors import BadInput


class Checkpoint:
    """The finished pieces of a file by their key, and a place for new ones. Without a path it remembers nothing.

    asked: what the work is, model first: the first line of the file. A file about other work is refused, never overwritten.
    """

    def __init__(self, path: Path | None, asked: dict[str, Any]) -> None:
        self._path, self._asked = path, asked
        self._file: IO[bytes] | None = None
        self.known: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Checkpoint:
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
                raise BadInput(f"resume file {self._path}: {error.strerror or error}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def keep(self, key: str, piece: dict[str, Any]) -> None:
        """Add a finished piece; it is on its way to the disk when this returns."""
        self._write({"key": key, **piece})

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
            self.known = self._understood(lines)
        elif not _line(self._asked).startswith(content):
            raise self._foreign("something else")
        file.truncate(whole)
        self._file = file
        if not lines:
            self._write(self._asked)

    def _understood(self, lines: list[bytes]) -> dict[str, dict[str, Any]]:
        try:
            first, *rest = map(json.loads, lines)
            pieces = {str(line.pop("key")): line for line in rest}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._foreign("something else") from None
        if first != self._asked:
            raise self._foreign(_told(first))
        return pieces

    def _foreign(self, came: str) -> BadInput:
        return BadInput(f"resume file {self._path}: expected an earlier run of {_told(self._asked)}, got {came}")


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def _told(asked: Any) -> str:
    """Return the work in words."""
    if not isinstance(asked, dict) or "work" not in asked or "model" not in asked:
        return "something else"
    rest = ", ".join(f"{key} {value}" for key, value in asked.items() if key not in ("work", "model"))
    return f"{asked['work']} on model {str(asked['model'])[:12]}, {rest}"
