"""The results of writing a proof of a distance, and of checking a folder of proofs, one row per sample. Plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bnnverify.results.finding import Verdict


@dataclass(frozen=True)
class Proven:
    """Whether folder holds a proof that at most radius flips change nothing: ROBUST; else UNKNOWN, with the reason."""

    folder: str
    radius: int
    verdict: Verdict
    seconds: float
    reason: str = ""

    @property
    def holds(self) -> bool:
        return self.verdict is Verdict.ROBUST

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Checked:
    """One sample's proof. verdict: the claimed one; by: the ground it rests on; reason: why it is not accepted, when it is not.

    variables, clauses, lemmas: the size of the formula and its trace; patterns: how many of the first block were checked;
    0 where the proof has no such part. bytes: of its files. distance: where that was claimed, between how many flips it is
    shown to lie, None above for no witness.
    """

    index: int
    verdict: str
    accepted: bool
    by: str = ""
    reason: str = ""
    variables: int = 0
    clauses: int = 0
    lemmas: int = 0
    patterns: int = 0
    bytes: int = 0
    seconds: float = 0.0
    distance: tuple[int, int | None] | None = None


@dataclass(frozen=True)
class Checking:
    """The answer of `check`. wanted: how many samples the proofs were written for; radius and free: the region of each.

    constraints: how many cut each region.
    """

    rows: tuple[Checked, ...]
    wanted: int
    radius: int
    free: int
    model_sha256: str
    seconds: float
    constraints: int = 0

    @property
    def accepted(self) -> bool:
        """Return whether every sample of the list has a proof that holds."""
        return len(self.rows) == self.wanted and all(row.accepted for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        verdicts = sorted({row.verdict for row in self.rows})
        return {
            "accepted": self.accepted,
            "radius": self.radius,
            "free": self.free,
            **({"constraints": self.constraints} if self.constraints else {}),
            "samples": len(self.rows),
            "wanted": self.wanted,
            "verdicts": {v: sum(row.verdict == v and row.accepted for row in self.rows) for v in verdicts},
            "seconds": self.seconds,
            "rows": [asdict(row) for row in self.rows],
        }
