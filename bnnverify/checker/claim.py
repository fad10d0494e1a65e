"""The claim of a proof about one sample, read from claim.json, every field checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnnverify.checker.rules import Rule, rules_of
from bnnverify.errors import Rejected
from bnnverify.model.arrays import Bits
from bnnverify.model.coding import InputCoding
from bnnverify.model.network import Network

FORMAT, VERSION = "bnnverify proof", 1
GROUNDS = ("margins", "trace", "patterns", "codes", "witness")
FIELDS = (
    *("format", "version", "index", "model_sha256", "verdict", "by", "predicted", "label", "radius", "bits", "free"),
    *("pixels", "witness", "classes", "folded", "dropped"),
)
CONSTRAINTS = "constraints"  # a field of claims that have some
CLAIM, TRACED = "claim.json", ("formula.cnf", "meanings.txt", "trace.drup")


@dataclass(frozen=True, eq=False)
class Claim:
    """No point within radius flips of bits, flips of free positions only, leaves the class predicted; or the witness does.

    Under constraints, that is a claim about the points at which all of them hold: bits itself need not be one.
    by: the ground of the claim; where that is no witness, there may be one beyond the radius, by more flips. label:
    the true class according to the writer; the check does not use it.
    folded: per block, (neuron, value, sum, bound, move); dropped: (class, rival, sum, bound, move).
    """

    index: int
    by: str
    bits: Bits
    predicted: int
    label: int | None
    radius: int
    free: tuple[int, ...]
    witness: Bits | None
    classes: tuple[int, ...]
    folded: tuple[tuple[tuple[int, ...], ...], ...]
    dropped: tuple[tuple[int, ...], ...]
    constraints: tuple[Rule, ...] = ()

    @property
    def verdict(self) -> str:
        return "VULNERABLE" if self.by == "witness" else "ROBUST"

    @property
    def files(self) -> frozenset[str]:
        """Return the names of the files of the proof."""
        return frozenset((CLAIM, *TRACED) if self.by == "trace" else (CLAIM,))

    @property
    def flips(self) -> tuple[int, ...]:
        """Return the positions that the witness flips; none without one."""
        return () if self.witness is None else tuple(np.flatnonzero(self.witness != self.bits).tolist())

    @property
    def distance(self) -> tuple[int, int | None] | None:
        """Return the interval of the distance to another class that ROBUST claims, None above for no witness."""
        return (self.radius + 1, len(self.flips) or None) if self.verdict == "ROBUST" else None


def claim_of(found: dict[str, Any], network: Network) -> Claim:
    """Return the claim in this object, about this network; Rejected where it is malformed."""
    version_of(found, "claim.json")
    if set(found) - {CONSTRAINTS} != set(FIELDS):
        field = min((set(found) - {CONSTRAINTS}) ^ set(FIELDS))
        expected, got = ("no", "one") if field in found else ("a", "none")
        raise Rejected(f"claim.json: expected {expected} field {field[:20]}, got {got}")
    if network.head is None:
        raise Rejected("model.npz: expected a network with classes, got one without a head")
    same = {"model_sha256": network.sha256, "pixels": _pixels(network.coding)}
    for name, value in same.items():
        if not is_exactly(found.get(name), value):
            raise Rejected(f"claim.json: expected the {name} of model.npz, got {str(found.get(name))[:20]}")
    claim = Claim(
        index=_integer(found, "index"),
        by=str(found.get("by"))[:20],
        bits=_bits(found, "bits", network.inputs),
        predicted=_integer(found, "predicted"),
        label=None if found.get("label") is None else _integer(found, "label"),
        radius=_integer(found, "radius"),
        free=_row(found.get("free"), "free"),
        witness=None if found.get("witness") is None else _bits(found, "witness", network.inputs),
        classes=_row(found.get("classes"), "classes"),
        folded=tuple(_rows(part, "folded") for part in _list(found.get("folded"), "folded")),
        dropped=_rows(found.get("dropped"), "dropped"),
        constraints=rules_of(found[CONSTRAINTS], network.inputs, "claim.json") if CONSTRAINTS in found else (),
    )
    if claim.by not in GROUNDS or (claim.by == "witness" and claim.witness is None):
        raise Rejected(f"claim.json: expected by to be one of {', '.join(GROUNDS)}, the last with a witness, got {claim.by!r}")
    if found.get("verdict") != claim.verdict:
        raise Rejected(f"claim.json: expected the verdict {claim.verdict}, got {str(found.get('verdict'))[:20]}")
    _check_fits(claim, network)
    return claim


def version_of(found: dict[str, Any], name: str) -> None:
    """Raise unless this is a proof of the version that this checker reads."""
    if not is_exactly([found.get("format"), found.get("version")], [FORMAT, VERSION]):
        got = f"{str(found.get('format'))[:30]!r} version {str(found.get('version'))[:10]}"
        raise Rejected(f"{name}: expected the format {FORMAT!r}, version {VERSION}, got {got}")


def is_exactly(found: object, expected: object) -> bool:
    """Return whether both are the same JSON: unlike in Python, 1, 1.0 and true differ."""
    return found == expected and json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)


def _check_fits(claim: Claim, network: Network) -> None:
    """Raise where the claim is not about the network: positions, classes, and the class that it gives the sample."""
    if list(claim.free) != sorted(set(claim.free) & set(range(network.inputs))):
        raise Rejected(f"claim.json: expected free positions ascending between 0 and {network.inputs - 1}")
    if not 0 <= claim.radius <= len(claim.free):
        raise Rejected(f"claim.json: expected a radius between 0 and {len(claim.free)}, got {claim.radius}")
    if claim.predicted != network(claim.bits):
        raise Rejected(f"claim.json: expected class {network(claim.bits)}, which the model gives the bits, got {claim.predicted}")


def _pixels(coding: InputCoding | None) -> dict[str, Any] | None:
    if coding is None:
        return None
    shape = None if coding.shape is None else list(coding.shape)
    return {"shape": shape, "maximum": coding.maximum, "thresholds": coding.thresholds.tolist()}


def _integer(found: dict[str, Any], name: str) -> int:
    value = found.get(name)
    if type(value) is not int:
        raise Rejected(f"claim.json: expected a whole number for {name}, got {str(value)[:20]}")
    return value


def _bits(found: dict[str, Any], name: str, n: int) -> Bits:
    text = found.get(name)
    if not isinstance(text, str) or len(text) != n or set(text) - {"0", "1"}:
        raise Rejected(f"claim.json: expected {n} characters 0 and 1 for {name}, got {str(text)[:20]!r}")
    return np.array([int(letter) for letter in text], dtype=np.uint8)


def _list(found: object, name: str) -> list[Any]:
    if not isinstance(found, list):
        raise Rejected(f"claim.json: expected a list for {name}, got {str(found)[:20]}")
    return found


def _row(found: object, name: str) -> tuple[int, ...]:
    row = _list(found, name)
    if any(type(number) is not int for number in row):
        raise Rejected(f"claim.json: expected whole numbers in {name}, got something else")
    return tuple(row)


def _rows(found: object, name: str) -> tuple[tuple[int, ...], ...]:
    rows = tuple(_row(row, name) for row in _list(found, name))
    if any(len(row) != 5 for row in rows):
        raise Rejected(f"claim.json: expected rows of 5 whole numbers in {name}, got another length")
    return rows
