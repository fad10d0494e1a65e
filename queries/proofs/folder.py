"""A folder of proofs: model.npz, proof.json that lists everything, and a folder per decided sample.

A sample's folder appears whole or not at all, and only what proof.json lists counts: a killed run loses what it was busy with.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bnnverify._version import __version__
from bnnverify.checker.claim import CONSTRAINTS, FORMAT, VERSION
from bnnverify.checker.files import COUNTED, record
from bnnverify.errors import BadInput, Rejected
from bnnverify.formats import save
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.problem.region import Region
from bnnverify.queries.proofs.claim_files import Written, constraint_rows
from bnnverify.results.certification import Row
from bnnverify.results.finding import Verdict

MODEL, MANIFEST, DRAFTS = "model.npz", "proof.json", ".draft-"

Bounds = tuple[int, int | None]  # at least so many flips, at most so many, None for no bound


class ProofFolder:
    """Keeps rows and their proofs; open to one run at a time. drafts: where a sample's folder is made before it is kept."""

    def __init__(self, path: Path, network: Network, region: Region, wanted: tuple[int, ...]) -> None:
        self.path, self._network = path, network
        self._asked = {"model_sha256": network.sha256, "radius": region.outer, "free": region.positions.tolist()}
        self._asked |= constraint_rows(region)
        self._wanted = wanted
        self._rows: dict[str, dict[str, Any]] = {}
        self._stack = ExitStack()
        self.drafts = path

    def __enter__(self) -> ProofFolder:
        try:
            with ExitStack() as stack:
                self.path.mkdir(exist_ok=True)
                lock = os.open(self.path, os.O_RDONLY)
                stack.callback(os.close, lock)
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._read()
                for left in self.path.glob(f"{DRAFTS}*"):
                    shutil.rmtree(left)
                self.drafts = Path(stack.enter_context(TemporaryDirectory(dir=self.path, prefix=DRAFTS)))
                save(self._network, self.path / MODEL)
                self._write()
                self._stack = stack.pop_all()
        except BlockingIOError:
            raise BadInput(f"proof folder {self.path}: in use by another run") from None
        except OSError as error:
            raise BadInput(f"proof folder {self.path}: {error.strerror or error}") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def known(self, index: int, bits: Bits) -> Row | None:
        """Return the decided row of an earlier run, None where there is none; another sample of that number is refused."""
        entry = self._rows.get(str(index))
        if entry is None:
            return None
        if entry["sample"] != fingerprint(bits):
            raise BadInput(f"proof folder {self.path}: expected the same samples as before, got another sample {index}")
        row = Row.from_json(entry["row"])
        return row if row.verdict is not Verdict.UNKNOWN and (self.path / str(index)).is_dir() else None

    def keep(self, row: Row, bits: Bits, files: dict[str, Written], distance: Bounds | None = None) -> None:
        """Move a sample's draft to its place, if it has files, and list it. distance: what its proof says of that, if asked."""
        place = self.path / str(row.index)
        if place.exists():
            shutil.rmtree(place)
        if files:
            (self.drafts / str(row.index)).replace(place)
        plain = {name: written.to_json() for name, written in files.items()}
        said = {} if distance is None else {"distance": list(distance)}
        self._rows[str(row.index)] = {"row": row.to_json(), "sample": fingerprint(bits), "files": plain, **said}
        self._write()

    def _read(self) -> None:
        if not (self.path / MANIFEST).exists():
            if any(not left.name.startswith(DRAFTS) for left in self.path.iterdir()):
                raise BadInput(f"proof folder {self.path}: expected an empty folder or proofs of an earlier run, got other files")
            return
        try:
            found = record(self.path / MANIFEST, digits=COUNTED)
            self._rows = {str(int(index)): dict(entry) for index, entry in found["rows"].items()}
            for entry in self._rows.values():
                Row.from_json(entry["row"])
        except (Rejected, ValueError, KeyError, TypeError, AttributeError):
            raise BadInput(f"proof folder {self.path}: expected an earlier run's list in {MANIFEST}, got other text") from None
        asked = {CONSTRAINTS: None, "format": FORMAT, "version": VERSION, **self._asked}
        for name, value in asked.items():
            if found.get(name) != value:
                raise BadInput(f"proof folder {self.path}: expected an earlier run with the same {name.replace('_', ' ')}")

    def _write(self) -> None:
        told = {
            "format": FORMAT,
            "version": VERSION,
            "program": __version__,
            **self._asked,
            "wanted": sorted(set(self._wanted) | set(map(int, self._rows))),
            "commands": ["bnnverify check .", "drat-trim INDEX/formula.cnf INDEX/trace.drup"],
            "files": {MODEL: Written.of(self.path / MODEL).to_json()},
            "rows": self._rows,
        }
        draft = self.drafts / MANIFEST
        draft.write_text(json.dumps(told), encoding="utf-8")
        draft.replace(self.path / MANIFEST)


def unused(path: Path) -> Path:
    """Return path, which is an empty folder, or new in a folder that exists; BadInput where it is not."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        came = "one with files" if path.is_dir() else "a file"
        raise BadInput(f"proof folder {path}: expected a new or empty folder, got {came}")
    if not path.parent.is_dir():
        raise BadInput(f"proof folder {path}: expected a folder in a folder that exists")
    return path


def fingerprint(bits: Bits) -> str:
    """Return what tells samples apart."""
    return hashlib.sha256(bits.tobytes()).hexdigest()
