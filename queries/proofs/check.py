"""Do the proofs in a folder show what they claim? Asked of the model file and the proofs alone."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bnnverify.checker.claim import CLAIM, CONSTRAINTS, TRACED, Claim, is_exactly, version_of
from bnnverify.checker.files import COUNTED, plain, record
from bnnverify.checker.sample import checked_claim
from bnnverify.errors import BadInput, BadModel, Rejected
from bnnverify.formats import native
from bnnverify.model.network import Network
from bnnverify.problem.ball import HammingBall
from bnnverify.results.proofs import Checked, Checking

MANIFEST, MODEL = "proof.json", "model.npz"

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
    try:
        model = native.read(plain(folder / MODEL))
    except (BadModel, Rejected) as error:
        raise BadModel(f"{folder / MODEL}: {error}") from error
    for what, sha256 in (("model.npz", model.sha256), ("model", network.sha256 if network else model.sha256)):
        if listed["model_sha256"] != sha256:
            raise BadInput(f"{folder}: expected proofs about {what} {sha256[:12]}, got some about {listed['model_sha256'][:12]}")
    _model_listed(folder, listed)
    rows: list[Checked] = []
    for index in listed["wanted"]:
        if str(index) in listed["rows"]:
            rows.append(_row(folder, model, index, listed["rows"][str(index)], listed))
            report(rows[-1], len(rows), len(listed["wanted"]))
    seconds = time.monotonic() - started
    region = listed["radius"], len(listed["free"])
    return Checking(tuple(rows), len(listed["wanted"]), *region, model.sha256, seconds, len(listed.get(CONSTRAINTS, ())))


def _listed(folder: Path) -> dict[str, Any]:
    """Return what proof.json lists, its form looked at."""
    if not folder.is_dir():
        raise BadInput(f"{folder}: expected a folder of proofs, got {'a file' if folder.exists() else 'nothing'}")
    try:
        listed = record(folder / MANIFEST, digits=COUNTED)
        version_of(listed, MANIFEST)
    except (Rejected, RecursionError) as error:
        raise BadInput(f"{folder}: {_line(error)}") from None
    wanted, free, rows = listed.get("wanted"), listed.get("free"), listed.get("rows")
    whole = isinstance(wanted, list) and isinstance(free, list) and all(type(n) is int and n >= 0 for n in [*wanted, *free])
    named = isinstance(rows, dict) and isinstance(listed.get("model_sha256"), str)
    if not whole or not named or type(listed.get("radius")) is not int:
        raise BadInput(f"{folder}: expected radius, free, wanted and rows in {MANIFEST}, got something else")
    rules = listed.get(CONSTRAINTS, [[]])
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, list) for rule in rules):
        raise BadInput(f"{folder}: expected constraints in {MANIFEST} as a list of rows, or none, got something else")
    if not wanted:
        raise BadInput(f"{folder}: expected at least one wanted sample in {MANIFEST}, got none: there is nothing to check")
    if set(rows or ()) - set(map(str, wanted or ())) or len(set(wanted or ())) < len(wanted or ()):
        raise BadInput(f"{folder}: expected rows of wanted samples in {MANIFEST}, each wanted once")
    return listed


def _row(folder: Path, model: Network, index: int, entry: Any, listed: dict[str, Any]) -> Checked:
    """Return whether this sample's proof is accepted."""
    started = time.monotonic()
    verdict, size = "UNKNOWN", 0
    try:
        verdict = _verdict(entry)
        if verdict == "UNKNOWN":
            return Checked(index, verdict, accepted=False, reason="undecided: there is nothing to check")
        size = _fingerprints(folder / str(index), entry)
        found = checked_claim(folder / str(index), model)
        _agrees(found.claim, index, listed, entry)
    except (OSError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        return Checked(index, verdict, accepted=False, reason=_line(error), bytes=size, seconds=time.monotonic() - started)
    sizes = found.variables, found.clauses, found.lemmas, found.patterns, size
    distance = found.claim.distance if "distance" in entry else None
    return Checked(index, verdict, True, found.claim.by, "", *sizes, time.monotonic() - started, distance)


def _verdict(entry: object) -> str:
    row = entry.get("row") if isinstance(entry, dict) else None
    verdict = row.get("verdict") if isinstance(row, dict) else None
    if verdict not in ("ROBUST", "VULNERABLE", "UNKNOWN"):
        raise Rejected(f"{MANIFEST}: expected the verdict of each row, got {str(verdict)[:20]}")
    return str(verdict)


def _line(error: Exception) -> str:
    """Return what is wrong as one line: words out of a proof's files may hold anything, the look of another row included."""
    words = str(error) if isinstance(error, Rejected) else f"cannot be checked: {type(error).__name__} {error}"
    return " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())


def _model_listed(folder: Path, listed: dict[str, Any]) -> None:
    """Raise BadInput unless model.npz, and nothing else, is listed beside the rows, as it is."""
    try:
        files = listed.get("files")
        if not isinstance(files, dict) or set(files) != {MODEL}:
            raise Rejected(f"{MANIFEST}: expected the size and sha256 of {MODEL} alone under files")
        _fingerprint(folder / MODEL, files[MODEL])
    except Rejected as error:
        raise BadInput(f"{folder}: {_line(error)}") from None


def _fingerprints(place: Path, entry: Any) -> int:
    """Return the bytes of the sample's files, after comparing each with its size and fingerprint."""
    files = entry.get("files")
    if not isinstance(files, dict) or set(files) not in ({CLAIM}, {CLAIM, *TRACED}):
        raise Rejected(f"{MANIFEST}: expected the files {CLAIM}, and with a trace {', '.join(TRACED)}, for each sample")
    if place.is_symlink() or not place.is_dir():
        raise Rejected(f"{place.name}: expected an ordinary folder, got {'a link' if place.is_symlink() else 'none'}")
    return sum(_fingerprint(place / name, told) for name, told in files.items())


def _fingerprint(path: Path, told: object) -> int:
    """Return the bytes of a file, after comparing it with what the list says."""
    with plain(path).open("rb") as file:
        size, sha256 = os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()
    if not is_exactly(told, {"size": size, "sha256": sha256}):
        raise Rejected(f"{path.name}: expected the file that {MANIFEST} lists, got {size} bytes with sha256 {sha256[:12]}")
    return size


def _agrees(claim: Claim, index: int, listed: dict[str, Any], entry: dict[str, Any]) -> None:
    """Raise where the list says of a sample what its proof, which holds, does not."""
    row, robust = entry["row"], claim.verdict == "ROBUST"
    size = 0 if robust else HammingBall(claim.bits, claim.radius, free=list(claim.free)).size
    said: dict[str, tuple[object, object]] = {
        "index": (claim.index, index),
        "index of the row": (claim.index, row.get("index")),
        "verdict": (claim.verdict, row["verdict"]),
        "radius": (claim.radius, listed["radius"]),
        "free": (list(claim.free), listed["free"]),
        "constraints": ([rule.row for rule in claim.constraints] or None, listed.get(CONSTRAINTS)),
        "distance": (list(claim.distance or ()), entry["distance"]) if "distance" in entry else (None, None),
        "predicted": (claim.predicted, row.get("predicted")),
        "label": (claim.label, row.get("label")),
        "adversarial": ({"low": int(not robust), "high": size, "confidence": 1.0}, row.get("adversarial")),
        "sample": (hashlib.sha256(claim.bits.tobytes()).hexdigest(), entry.get("sample")),
        "files": (sorted(claim.files), sorted(entry["files"])),
    }
    for name, (came, told) in said.items():
        if not is_exactly(told, came):
            raise Rejected(f"{CLAIM}: expected the {name} of {MANIFEST}, {str(told)[:20]}, got {str(came)[:20]}")
