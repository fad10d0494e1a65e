"""The answer of `certify`: one row per sample."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from bnnverify.results.counts import Count
from bnnverify.results.finding import Verdict


@dataclass(frozen=True)
class Row:
    """One sample of `certify`. label: the true class, if known; adversarial: points that leave the predicted class.

    size: points of its region, where constraints make regions differ and somebody has counted them.
    """

    index: int
    label: int | None
    predicted: int
    verdict: Verdict
    adversarial: Count
    engine: str
    seconds: float
    reason: str = ""
    size: int | None = None

    @property
    def correct(self) -> bool | None:
        return None if self.label is None else self.label == self.predicted

    def to_json(self) -> dict[str, Any]:
        """Return the fields of the row; size only where it is known."""
        return {name: value for name, value in asdict(self).items() if name != "size" or value is not None}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Row:
        """Return the row that to_json wrote; ValueError, KeyError or TypeError for other data."""
        row = cls(**{**data, "verdict": Verdict(data["verdict"]), "adversarial": Count.from_json(data["adversarial"])})
        kinds = [(row.index, int), (row.label, int | None), (row.predicted, int), (row.seconds, float), (row.engine, str)]
        if not all(isinstance(value, kind) for value, kind in [*kinds, (row.reason, str), (row.size, int | None)]):
            raise TypeError("row: a field of another type")
        return row


@dataclass(frozen=True)
class Certification:
    """The answer of `certify`: one row per finished sample, and the question. Undecided samples stay in every total.

    size: points in each region, constraints aside. wanted: how many samples the question has; fewer rows mean that it was
    interrupted. constraints: how many there are; rows then say how many points their regions have.
    """

    rows: tuple[Row, ...]
    wanted: int
    radius: int
    size: int
    seconds: float
    constraints: int = 0

    def points(self, row: Row) -> int:
        """Return how many points the region of a row has; at most, where nobody counted what constraints leave."""
        return self.size if row.size is None else row.size

    @property
    def decided(self) -> bool:
        return len(self.rows) == self.wanted and all(row.verdict is not Verdict.UNKNOWN for row in self.rows)

    def share(self, verdict: Verdict, *, correct_only: bool = False) -> Fraction | None:
        """Return the share of finished samples with this verdict, or with it and the right class."""
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
            **({"constraints": self.constraints} if self.constraints else {}),
            "samples": len(self.rows),
            "wanted": self.wanted,
            "clean_accuracy": None if clean is None else [clean.numerator, clean.denominator],
            "certified_accuracy": None if certified is None else [certified.numerator, certified.denominator],
            "verdicts": {v.value: sum(r.verdict is v for r in self.rows) for v in Verdict},
            "seconds": self.seconds,
            "rows": [row.to_json() for row in self.rows],
        }
