"""One sample's proof as files: claim.json, and where margins alone do not decide, formula.cnf, meanings.txt and trace.drup.

docs/proofs.md describes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnnverify.checker.claim import CONSTRAINTS, FORMAT, VERSION
from bnnverify.model.arrays import Bits
from bnnverify.model.coding import InputCoding
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.proofs.evidence import Evidence

CLAIM, FORMULA, MEANINGS, TRACE = "claim.json", "formula.cnf", "meanings.txt", "trace.drup"


@dataclass(frozen=True)
class Written:
    """A finished file: how many bytes it has, and their fingerprint."""

    size: int
    sha256: str

    def to_json(self) -> dict[str, Any]:
        return {"size": self.size, "sha256": self.sha256}

    @classmethod
    def of(cls, path: Path) -> Written:
        """Return what this file holds."""
        with path.open("rb") as file:
            return cls(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def write(
    folder: Path, query: Query, found: Evidence, *, index: int, label: int | None, beyond: Bits | None = None
) -> dict[str, Written]:
    """Write the files of a decided sample into folder, and return what was written by name.

    beyond: (n,) bits of a witness outside a region that is ROBUST, if one is known.
    """
    claim = claimed(query, found, index=index, label=label, beyond=beyond)
    names = [CLAIM]
    _lines(folder / CLAIM, [json.dumps(claim)])
    if found.formula is not None:
        names += [FORMULA, MEANINGS, TRACE]
        _lines(folder / FORMULA, found.formula.dimacs())
        _lines(folder / MEANINGS, found.formula.lines())
        _lines(folder / TRACE, found.trace)
    return {name: Written.of(folder / name) for name in names}


def claimed(query: Query, found: Evidence, *, index: int, label: int | None, beyond: Bits | None) -> dict[str, Any]:
    """Return what is claimed, and every margin it rests on, as plain data."""
    witness, region = found.finding.witness, query.region
    shown = beyond if witness is None else witness.bits
    return {
        "format": FORMAT,
        "version": VERSION,
        "index": index,
        "model_sha256": query.network.sha256,
        "verdict": found.finding.verdict.value,
        "by": found.by,
        "predicted": query.network(region.center),
        "label": label,
        "radius": region.outer,
        "bits": "".join(map(str, region.center.tolist())),
        "free": region.positions.tolist(),
        "pixels": _pixels(query.network.coding),
        "witness": None if shown is None else "".join(map(str, shown)),
        "classes": list(found.classes),
        "folded": found.margins.folded if witness is None else [],
        "dropped": found.margins.dropped if witness is None else [],
        **constraint_rows(region),
    }


def constraint_rows(region: Region) -> dict[str, Any]:
    """Return the constraints of a region as rows of bound, weight, position, weight, position, ..., if there are any."""
    rows = [
        [row.bound, *(number for pair in zip(row.weights, row.positions, strict=True) for number in pair)]
        for row in region.constraints
    ]
    return {CONSTRAINTS: rows} if rows else {}


def _pixels(coding: InputCoding | None) -> dict[str, Any] | None:
    """Return the mapping from bits to pixels: bit i is 1 exactly when pixel i reaches thresholds[i]."""
    if coding is None:
        return None
    return {"shape": coding.shape, "maximum": coding.maximum, "thresholds": coding.thresholds.tolist()}


def _lines(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in lines)
