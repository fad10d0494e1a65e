"""The signature of a model file, by which its format is recognised before the file is read."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bnnverify.errors import BadModel
from bnnverify.model.network import Network


@dataclass(frozen=True)
class Signature:
    """A path, the first bytes of its file, and the names inside: of zip members, or of the entries of a folder."""

    path: Path
    folder: bool
    start: bytes
    names: frozenset[str]


@dataclass(frozen=True)
class Format:
    """One kind of model file: its name, whether a signature is one of this format, and how a file becomes a Network.

    read may raise BadModel (its sentence need not name the file) or MissingExtra, and nothing else.
    """

    name: str
    matches: Callable[[Signature], bool]
    read: Callable[[Path], Network]


def signature_of(path: Path) -> Signature:
    """Return the signature of the file or folder at path; raise BadModel where there is none."""
    try:
        if path.is_dir():
            return Signature(path, True, b"", frozenset(entry.name for entry in path.iterdir()))
        if not path.exists():
            raise BadModel("expected a model file or folder, but there is nothing at this path")
        if not path.is_file():
            raise BadModel("expected a model file or folder, got something that is neither")
        with path.open("rb") as file:
            start = file.read(16)
        return Signature(path, False, start, _members(path) if start.startswith(b"PK") else frozenset())
    except OSError as error:
        raise BadModel(f"expected a readable model file or folder, got: {error.strerror or error}") from error


def _members(path: Path) -> frozenset[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return frozenset(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise BadModel("expected a complete archive, got one that is truncated or damaged") from error
