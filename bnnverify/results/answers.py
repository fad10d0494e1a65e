"""Answers: frozen, plain data, whole numbers, to and from JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from bnnverify.results.counts import Count, Tally
from bnnverify.results.finding import Finding, Witness


@dataclass(frozen=True)
class CountResult:
    """The answer of `count`: the number of points of the event, and of every class as far as it is known.

    event_count: at how many points the event happens (for "classes": where the answer leaves `predicted`).
    reason: why it is not exact, when it is not. seconds: wall clock. decider_class: the centre's class among those of the tally,
    where these are not the classes of the model (None: `predicted`).
    """

    engine: str
    event: str
    event_count: Count
    tally: Tally
    predicted: int
    region: dict[str, Any]
    seconds: float
    reason: str = ""
    decider_class: int | None = None

    @property
    def low(self) -> int:
        return self.event_count.low

    @property
    def high(self) -> int:
        return self.event_count.high

    @property
    def counts(self) -> tuple[Count, ...]:
        return self.tally.counts

    @property
    def center(self) -> int:
        """Return the centre's class among those of the tally."""
        return self.predicted if self.decider_class is None else self.decider_class

    @property
    def adversarial(self) -> Count:
        """Return how many points do not get the centre's class."""
        return self.tally.of(set(range(len(self.counts))) - {self.center})

    @property
    def exact(self) -> bool:
        every = all(c.exact for c in self.counts) if self.event == "classes" else True
        return self.event_count.exact and every

    @property
    def density(self) -> Fraction | None:
        """Return event_count / size, when event_count is exact and there are points."""
        return Fraction(self.event_count.low, self.tally.size) if self.event_count.exact and self.tally.size else None

    def to_json(self) -> dict[str, Any]:
        """Return the object that `bnnverify count --json` prints, without version and model."""
        return {
            "engine": self.engine,
            "exact": self.exact,
            "region": self.region,
            "event": self.event,
            "predicted": self.predicted,
            "count": {"low": self.event_count.low, "high": self.event_count.high},
            "counts": {"low": [c.low for c in self.counts], "high": [c.high for c in self.counts]},
            "adversarial": {"low": self.adversarial.low, "high": self.adversarial.high},
            "shells": [asdict(shares) for shares in self.tally.shells],
            "pruned": self.tally.pruned,
            "confidence": self.event_count.confidence,
            "seconds": self.seconds,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class AttackResult:
    """The answer of `attack`: the finding, and the engine that found it."""

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
    """No flips of cost first..last make the event happen: the engine that proved it, and its seconds."""

    first: int
    last: int
    engine: str
    seconds: float


@dataclass(frozen=True)
class Distance:
    """The minimal cost of flips that make the event happen lies in [low, high]; high None: no witness is known.

    searched: the largest cost of the question. exact: witness at exactly low, or none within searched.
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
    """The result of a local search: a replayed point where the event happens, or None, which proves nothing.

    evaluations: how many inputs the network classified.
    """

    method: str
    event: str
    witness: Witness | None
    evaluations: int
    seed: int
    seconds: float

    @property
    def distance(self) -> int | None:
        """Return an upper bound on the distance, None without a witness."""
        return None if self.witness is None else self.witness.distance

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "distance": self.distance}
