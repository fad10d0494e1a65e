"""Answers: frozen, plain data, whole numbers, to and from JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from bnnverify.tally import Count, Tally


class Verdict(StrEnum):
    """What is known of a sample: nothing in its region changes the answer, something does, or it is open."""

    ROBUST = "ROBUST"
    VULNERABLE = "VULNERABLE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Witness:
    """A point where the event happens, replayed through the network; flips are the 0-based positions that differ."""

    bits: tuple[int, ...]
    flips: tuple[int, ...]
    label: int

    @property
    def distance(self) -> int:
        return len(self.flips)


@dataclass(frozen=True)
class Finding:
    """Whether the event happens anywhere in the region: yes with a witness, no (proved), or None (open, with the reason)."""

    happens: bool | None
    witness: Witness | None = None
    reason: str = ""

    @property
    def verdict(self) -> Verdict:
        return {True: Verdict.VULNERABLE, False: Verdict.ROBUST, None: Verdict.UNKNOWN}[self.happens]


@dataclass(frozen=True)
class CountResult:
    """The answer of `count`: the asked number, and as much of every class's share as is known.

    event: what was asked; asked: how many points it happens at (for "classes": where the answer leaves `predicted`).
    reason: why it is not exact, when it is not. seconds: wall clock.
    """

    engine: str
    event: str
    asked: Count
    tally: Tally
    predicted: int
    region: dict[str, Any]
    seconds: float
    reason: str = ""

    @property
    def low(self) -> int:
        return self.asked.low

    @property
    def high(self) -> int:
        return self.asked.high

    @property
    def counts(self) -> tuple[Count, ...]:
        return self.tally.counts

    @property
    def adversarial(self) -> Count:
        """Return how many points do not get the centre's class."""
        return self.tally.of(set(range(len(self.counts))) - {self.predicted})

    @property
    def exact(self) -> bool:
        every = all(c.exact for c in self.counts) if self.event == "classes" else True
        return self.asked.exact and every

    @property
    def density(self) -> Fraction | None:
        """Return asked / size, when asked is exact."""
        return Fraction(self.asked.low, self.tally.size) if self.asked.exact else None

    def to_json(self) -> dict[str, Any]:
        """Return the object that `bnnverify count --json` prints, without version and model."""
        return {
            "engine": self.engine,
            "exact": self.exact,
            "region": self.region,
            "event": self.event,
            "predicted": self.predicted,
            "count": {"low": self.asked.low, "high": self.asked.high},
            "counts": {"low": [c.low for c in self.counts], "high": [c.high for c in self.counts]},
            "adversarial": {"low": self.adversarial.low, "high": self.adversarial.high},
            "shells": [asdict(shares) for shares in self.tally.shells],
            "pruned": self.tally.pruned,
            "confidence": self.asked.confidence,
            "seconds": self.seconds,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class AttackResult:
    """The answer of `attack`: the finding, and who found it."""

    engine: str
    event: str
    finding: Finding
    predicted: int
    region: dict[str, Any]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.finding.verdict.value}


@dataclass(frozen=True)
class Proved:
    """Nothing that costs first..last makes the event happen, by whose proof, and how long that took."""

    first: int
    last: int
    engine: str
    seconds: float


@dataclass(frozen=True)
class Distance:
    """The minimal cost of flips that make the event happen lies in [low, high]; high None: no witness is known.

    searched: the largest cost that was asked about. exact: witness at exactly low, or none within searched.
    norm: how costs add up, "0" for the number of flips; "2" is the sum of squares, without the root.
    changes: pixels and by how much they change, for the witness, where costs are those of pixels. proved: the bound below.
    """

    engine: str
    event: str
    low: int
    high: int | None
    searched: int
    predicted: int
    witness: Witness | None
    seconds: float
    reason: str = ""
    norm: str = "0"
    changes: tuple[tuple[int, int], ...] = ()
    proved: tuple[Proved, ...] = ()

    @property
    def exact(self) -> bool:
        return self.low == self.high or (self.high is None and self.low > self.searched)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "exact": self.exact}


@dataclass(frozen=True)
class Attempt:
    """What a cheap attack found: a replayed point where the event happens, or None, which proves nothing.

    evaluations: how many inputs it put to the network.
    """

    method: str
    event: str
    witness: Witness | None
    evaluations: int
    seed: int
    seconds: float

    @property
    def distance(self) -> int | None:
        """Return an upper bound on the distance, None where nothing was found."""
        return None if self.witness is None else self.witness.distance

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "distance": self.distance}


@dataclass(frozen=True)
class Codes:
    """How many points of a region have each latent code (a tuple of bits). reason: why some are missing, if so."""

    size: int
    counts: dict[tuple[int, ...], int]
    reason: str = ""

    @property
    def exact(self) -> bool:
        return sum(self.counts.values()) == self.size

    def to_json(self) -> dict[str, Any]:
        counts = {"".join(map(str, code)): times for code, times in sorted(self.counts.items())}
        return {"size": self.size, "exact": self.exact, "counts": counts, "reason": self.reason}


@dataclass(frozen=True)
class Row:
    """One sample of `certify`. label: the true class, if known; adversarial: points that leave the predicted class."""

    index: int
    label: int | None
    predicted: int
    verdict: Verdict
    adversarial: Count
    engine: str
    seconds: float
    reason: str = ""

    @property
    def correct(self) -> bool | None:
        return None if self.label is None else self.label == self.predicted

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Row:
        """Return the row that to_json gave; ValueError, KeyError or TypeError where data is something else."""
        row = cls(**{**data, "verdict": Verdict(data["verdict"]), "adversarial": Count.from_json(data["adversarial"])})
        kinds = [(row.index, int), (row.label, int | None), (row.predicted, int), (row.seconds, float), (row.engine, str)]
        if not all(isinstance(value, kind) for value, kind in [*kinds, (row.reason, str)]):
            raise TypeError("row: a field of another type")
        return row


@dataclass(frozen=True)
class Certification:
    """The answer of `certify`: one row per finished sample, and what was asked. Undecided samples stay in every total.

    size: points in each region. wanted: how many samples were asked for; fewer rows mean that it was interrupted.
    """

    rows: tuple[Row, ...]
    wanted: int
    radius: int
    size: int
    seconds: float

    @property
    def decided(self) -> bool:
        return len(self.rows) == self.wanted and all(row.verdict is not Verdict.UNKNOWN for row in self.rows)

    def share(self, verdict: Verdict, *, correct_only: bool = False) -> Fraction | None:
        """Return the share of finished samples with this verdict (and, if asked, the right class)."""
        if not self.rows or (correct_only and not self.labelled):
            return None
        return Fraction(sum(r.verdict is verdict and (bool(r.correct) or not correct_only) for r in self.rows), len(self.rows))

    @property
    def labelled(self) -> bool:
        return all(row.label is not None for row in self.rows)

    @property
    def clean_accuracy(self) -> Fraction | None:
        """Return the share of samples whose class is right, or None without labels."""
        return Fraction(sum(bool(r.correct) for r in self.rows), len(self.rows)) if self.rows and self.labelled else None

    @property
    def certified_accuracy(self) -> Fraction | None:
        """Return the share of samples that are right and ROBUST: a lower bound while any is UNKNOWN."""
        return self.share(Verdict.ROBUST, correct_only=True)

    def to_json(self) -> dict[str, Any]:
        clean, certified = self.clean_accuracy, self.certified_accuracy
        return {
            "radius": self.radius,
            "region_size": self.size,
            "samples": len(self.rows),
            "wanted": self.wanted,
            "clean_accuracy": None if clean is None else [clean.numerator, clean.denominator],
            "certified_accuracy": None if certified is None else [certified.numerator, certified.denominator],
            "verdicts": {v.value: sum(r.verdict is v for r in self.rows) for v in Verdict},
            "seconds": self.seconds,
            "rows": [row.to_json() for row in self.rows],
        }
