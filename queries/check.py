"""Do the proofs in a folder show what they claim? Asked of the model file and the proofs alone."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bnnverify.checker.claim import version_of
from bnnverify.checker.files import plain, record
from bnnverify.checker.sample import Shown, shown
from bnnverify.checking import Checked, Checking
from bnnverify.errors import BadInput, Rejected
from bnnverify.formats import native
from bnnverify.network import Network

MANIFEST, MODEL = "proof.json", "model.npz"
FILES = ("claim.json", "formula.cnf", "meanings.txt", "trace.drup")

Heard = Callable[[Checked, int, int], None]


def unheard(row: Checked, done: int, wanted: int) -> None:
    """Drop a report."""


def check(folder: Path, *, network: Network | None = None, report: Heard = unheard) -> Checking:
    """Return one row per sample of a folder that `prove` wrote: accepted, or why not.

    network: the model that the proofs should be about; None: the one beside them. Raises BadInput where the folder holds no
    proofs of a known version, or proofs about another model. report(row, done, wanted) is called for each row.
    """
    started = time.monotonic()
    listed = _listed(folder)
    model = native.read(plain(folder / MODEL))
    for what, sha256 in (("model.npz", model.sha256), ("model", network.sha256 if network else model.sha256)):
        if listed["model_sha256"] != sha256:
            raise BadInput(f"{folder}: expected proofs about {what} {sha256[:12]}, got some about {listed['model_sha256'][:12]}")
    rows: list[Checked] = []
    for index in listed["wanted"]:
        if str(index) in listed["rows"]:
            rows.append(_row(folder, model, index, listed["rows"][str(index)], listed))
            report(rows[-1], len(rows), len(listed["wanted"]))
    seconds = time.monotonic() - started
    return Checking(tuple(rows), len(listed["wanted"]), listed["radius"], len(listed["free"]), model.sha256, seconds)


def _listed(folder: Path) -> dict[str, Any]:
    """Return what proof.json lists, its form looked at."""
    if not folder.is_dir():
        raise BadInput(f"{folder}: expected a folder of proofs, got {'a file' if folder.exists() else 'nothing'}")
    try:
        listed = record(folder / MANIFEST)
        version_of(listed, MANIFEST)
    except Rejected as error:
        raise BadInput(f"{folder}: {error}") from None
    wanted, free, rows = listed.get("wanted"), listed.get("free"), listed.get("rows")
    whole = isinstance(wanted, list) and isinstance(free, list) and all(type(n) is int and n >= 0 for n in [*wanted, *free])
    named = isinstance(rows, dict) and isinstance(listed.get("model_sha256"), str)
    if not whole or not named or type(listed.get("radius")) is not int:
        raise BadInput(f"{folder}: expected radius, free, wanted and rows in {MANIFEST}, got something else")
    if set(rows or ()) - set(map(str, wanted or ())) or len(set(wanted or ())) < len(wanted or ()):
        raise BadInput(f"{folder}: expected rows of wanted samples in {MANIFEST}, each wanted once")
    return listed


def _row(folder: Path, model: Network, index: int, entry: object, listed: dict[str, Any]) -> Checked:
    """Return whether this sample's proof is accepted."""
    started = time.monotonic()
    verdict, size = "UNKNOWN", 0
    try:
        verdict = _verdict(entry)
        if verdict == "UNKNOWN":
            return Checked(index, verdict, accepted=False, reason="undecided: there is nothing to check")
        size = _fingerprints(folder / str(index), entry)
        found = shown(folder / str(index), model)
        _agrees(found, index, verdict, listed)
    except Rejected as error:
        return Checked(index, verdict, accepted=False, reason=str(error), bytes=size, seconds=time.monotonic() - started)
    except (OSError, RecursionError, MemoryError, OverflowError) as error:
        reason = f"cannot be checked: {type(error).__name__} {error}"
        return Checked(index, verdict, accepted=False, reason=reason, bytes=size, seconds=time.monotonic() - started)
    sizes = found.variables, found.clauses, found.lemmas, found.patterns, size
    return Checked(index, verdict, True, found.claim.by, "", *sizes, time.monotonic() - started)


def _verdict(entry: object) -> str:
    row = entry.get("row") if isinstance(entry, dict) else None
    verdict = row.get("verdict") if isinstance(row, dict) else None
    if verdict not in ("ROBUST", "VULNERABLE", "UNKNOWN"):
        raise Rejected(f"{MANIFEST}: expected the verdict of each row, got {str(verdict)[:20]}")
    return str(verdict)


def _fingerprints(place: Path, entry: Any) -> int:
    """Return the bytes of the sample's files, after comparing each with its fingerprint."""
    files = entry.get("files")
    if not isinstance(files, dict) or not set(files) <= set(FILES) or FILES[0] not in files:
        raise Rejected(f"{MANIFEST}: expected {FILES[0]} and others of {', '.join(FILES[1:])} for each sample")
    total = 0
    for name, told in files.items():
        with plain(place / name).open("rb") as file:
            came = hashlib.file_digest(file, "sha256").hexdigest()
        total += (place / name).stat().st_size
        if not isinstance(told, dict) or told.get("sha256") != came:
            raise Rejected(f"{name}: expected the file that {MANIFEST} lists, got one with sha256 {came[:12]}")
    return total


def _agrees(found: Shown, index: int, verdict: str, listed: dict[str, Any]) -> None:
    """Raise where what was shown is not what the list says."""
    claim = found.claim
    came = {"index": claim.index, "verdict": claim.verdict, "radius": claim.radius, "free": list(claim.free)}
    told = {"index": index, "verdict": verdict, "radius": listed["radius"], "free": listed["free"]}
    for name, value in told.items():
        if came[name] != value:
            raise Rejected(f"claim.json: expected the {name} of {MANIFEST}, {str(value)[:20]}, got {str(came[name])[:20]}")
