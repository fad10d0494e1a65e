"""What can be seen of a model before it is read: enough to say which format it is."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bnnverify.errors import BadModel
from bnnverify.model.network import Network


@dataclass(frozen=True)
class Glimpse:
    """A path, the first bytes of its file, and the names inside: of zip members, or of what a folder holds."""

    path: Path
    folder: bool
    start: bytes
    names: frozenset[str]


@dataclass(frozen=True)
class Format:
    """One kind of model file: what it is called, whether a glimpse fits it, and how it becomes a Network.

    read may raise BadModel (its sentence need not name the file) or MissingExtra, and nothing else.
    """

    name: str
    fits: Callable[[Glimpse], bool]
    read: Callable[[Path], Network]


def glimpse(path: Path) -> Glimpse:
    """Return what can be seen of path; raise BadModel where nothing can."""
    try:
        if path.is_dir():
            return Glimpse(path, True, b"", frozenset(entry.name for entry in path.iterdir()))
        if not path.exists():
            raise BadModel("expected a model file or folder, but there is nothing at this path")
        if not path.is_file():
            raise BadModel("expected a model file or folder, got something that is neither")
        with path.open("rb") as file:
            start = file.read(16)
        return Glimpse(path, False, start, _members(path) if start.startswith(b"PK") else frozenset())
    except OSError as error:
        raise BadModel(f"expected a readable model file or folder, got: {error.strerror or error}") from error


def _members(path: Path) -> frozenset[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return frozenset(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise BadModel("expected a whole archive, got one that is truncated or damaged") from error
