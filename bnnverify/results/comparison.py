"""Arms side by side: what was found around every sample of every model, and what that says of one arm against another.

An arm is one way of making a network ("no_pen", "bin_enc-D3"); each arm has a model per seed; all models are asked about the same
samples at the same radii. Found by `queries.compare`, judged by `queries.judge`, drawn by `report.comparison`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from bnnverify.results.counts import Count
from bnnverify.results.finding import Verdict

FEWEST_SEEDS = 5  # of two arms: with fewer, nothing is said about arms, only about these models


class Judgement(StrEnum):
    """How one arm stands against another. collapsed: one of them has a network that hardly looks at its input."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent within margin"
    UNDECIDED = "undecided"
    COLLAPSED = "collapsed"


@dataclass(frozen=True)
class Latent:
    """What the points within a radius do to the latent code, exactly.

    flips: for each latent bit, at how many points it differs from the centre's. spectrum: how many points have a code at
    distance 0, 1, ..., d from the centre's. codes: how many different codes there are. entropy: of the code in bits, points
    equally likely. margin: how many flipped latent bits the tail surely bears without changing the class (tau). certified: no
    point flips more than that, so that the class is the same for all. bound: at how many points at most the class can change,
    as the flips alone say: their sum / (tau + 1), rounded down.
    """

    flips: tuple[int, ...]
    spectrum: tuple[int, ...]
    codes: int
    entropy: float
    margin: int
    certified: bool
    bound: int

    @property
    def stable(self) -> bool:
        """Return whether every point has the centre's code."""
        return not any(self.spectrum[1:])

    @property
    def farthest(self) -> int:
        """Return the largest distance of a code from the centre's."""
        return max((d for d, points in enumerate(self.spectrum) if points), default=0)


@dataclass(frozen=True)
class Outcome:
    """One row: a seed's model of an arm, a sample, a radius; what was found among the points within that radius.

    sample: index in the data source. size: points within the radius. adversarial: how many leave the predicted class; shell: the
    same at exactly this radius, None where it was not counted by itself; targeted: how many get each class (None: only decided).
    distance: the exact minimal number of flips that change the class; None where there is none within the largest radius asked
    about, or where it is open. beyond: the largest distance up to which it is proved that nothing changes the class.
    witness: the flipped positions of a nearest adversarial input, and becomes: its class; None without one.
    attacked: whether cheap attacks were tried; greedy, gradient: flips of their inputs, None where they found none within the
    largest radius asked about.
    heat: for each position, how many of the adversarial points flip it; None where nobody looked.
    code_radius: the largest radius asked about within which no point has another latent code; None: not looked at.
    seconds: CPU time for this sample and model, all radii together, solvers in processes of their own included.
    reason: why something is open.
    """

    seed: int
    sample: int
    arm: str
    radius: int
    label: int
    predicted: int
    verdict: Verdict
    size: int
    adversarial: Count
    shell: Count | None = None
    targeted: tuple[Count, ...] | None = None
    distance: int | None = None
    beyond: int = 0
    witness: tuple[int, ...] | None = None
    becomes: int | None = None
    greedy: int | None = None
    gradient: int | None = None
    attacked: bool = False
    heat: tuple[int, ...] | None = None
    code_radius: int | None = None
    latent: Latent | None = None
    engine: str = ""
    seconds: float = 0.0
    reason: str = ""

    @property
    def correct(self) -> bool:
        return self.label == self.predicted

    @property
    def key(self) -> tuple[int, int, str, int]:
        return self.seed, self.sample, self.arm, self.radius

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "correct": self.correct}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outcome:
        """Return the row that to_json gave; ValueError, KeyError or TypeError where data is something else."""
        fields: dict[str, Any] = {name: value for name, value in data.items() if name != "correct"}
        fields["verdict"] = Verdict(fields["verdict"])
        fields["adversarial"] = Count.from_json(fields["adversarial"])
        fields["shell"] = _if_any(Count.from_json, fields.get("shell"))
        fields["targeted"] = _if_any(lambda counts: tuple(map(Count.from_json, counts)), fields.get("targeted"))
        fields["witness"] = _if_any(tuple, fields.get("witness"))
        fields["heat"] = _if_any(tuple, fields.get("heat"))
        fields["latent"] = _if_any(_latent, fields.get("latent"))
        return cls(**fields)


def _if_any(made: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else made(value)


def _latent(data: Mapping[str, Any]) -> Latent:
    return Latent(**{**data, "flips": tuple(data["flips"]), "spectrum": tuple(data["spectrum"])})


@dataclass(frozen=True)
class Contender:
    """One model of the comparison. record: what its training wrote down (may be empty). widths: of its layers.

    collapsed: a sentence why it hardly looks at its input, or nothing. separation: Hamming distance between the most common
    latent codes of every two classes, by true label, among the samples of the comparison; -1 for a class without samples; None
    without codes.
    """

    arm: str
    seed: int
    sha256: str
    widths: tuple[int, ...]
    record: Mapping[str, Any] = field(default_factory=dict)
    collapsed: str = ""
    separation: tuple[tuple[int, ...], ...] | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Estimate:
    """A mean known to lie in [low, high] (low < high only while rows are UNKNOWN), and its confidence interval [lower, upper]."""

    low: float
    high: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Figure:
    """One number of an arm, over all its seeds and samples.

    name: accuracy (radius 0); certified, stable, density, code_stable, codes, entropy (per radius); distance, greedy, gradient,
    greedy_gap, gradient_gap, seconds (at the largest radius; a distance that is none within it counts as one more than it, so
    that these means are truncated ones).
    certified: right and ROBUST. stable: ROBUST, right or wrong. density: adversarial share of the points within the radius.
    """

    arm: str
    radius: int
    name: str
    estimate: Estimate


@dataclass(frozen=True)
class Seedwise:
    """The exact McNemar test of one seed: certified in this arm only, in the other only, and the two-sided p-value."""

    seed: int
    only: int
    other_only: int
    p: float


@dataclass(frozen=True)
class PairedComparison:
    """One arm against another at a radius: certified accuracy of arm minus that of other, paired by (seed, sample).

    wide: the interval of the two one-sided tests, level 1 - 2 alpha. p: of the two-level bootstrap; holm: the same corrected
    over all duels of the comparison. wilcoxon: p-value over seeds, None with fewer than two. equivalent: wide lies within the
    margin, and there are enough samples to say so (not corrected for being many). over_seeds: Student's interval over the mean
    differences of the seeds, level 1 - alpha, None with fewer than two.
    """

    arm: str
    other: str
    radius: int
    difference: Estimate
    wide: Estimate
    mcnemar: tuple[Seedwise, ...]
    wilcoxon: float | None
    p: float
    holm: float
    equivalent: bool
    judgement: Judgement
    over_seeds: Estimate | None = None


@dataclass(frozen=True)
class Sample:
    """An input that all models were asked about."""

    index: int
    label: int
    bits: tuple[int, ...]


@dataclass(frozen=True)
class Terms:
    """How numbers are judged: error probability alpha, margin of equivalence as a share, bootstrap resamples and their seed.

    For p-values that are corrected for being many, there may be more resamples.
    """

    alpha: float = 0.05
    margin: float = 0.05
    resamples: int = 10_000
    seed: int = 0


@dataclass(frozen=True)
class Comparison:
    """All rows that are finished, of so many wanted, and what they say. Undecided rows stay in every total.

    shape: rows and columns of the picture, when an input is one. commands: what to type to get the same again.
    """

    data: str
    radii: tuple[int, ...]
    arms: tuple[str, ...]
    samples: tuple[Sample, ...]
    shape: tuple[int, int] | None
    contenders: tuple[Contender, ...]
    rows: tuple[Outcome, ...]
    figures: tuple[Figure, ...]
    duels: tuple[PairedComparison, ...]
    terms: Terms
    wanted: int
    seconds: float
    notes: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def decided(self) -> bool:
        return len(self.rows) == self.wanted and all(row.verdict is not Verdict.UNKNOWN for row in self.rows)

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(sorted({contender.seed for contender in self.contenders}))

    def of(self, arm: str, radius: int | None = None) -> Iterator[Outcome]:
        """Yield the rows of an arm, at one radius if given."""
        return (row for row in self.rows if row.arm == arm and radius in (None, row.radius))

    def figure(self, arm: str, name: str, radius: int | None = None) -> Estimate | None:
        """Return this number of an arm (radius None: at whatever radius it stands), or None where it is not known."""
        found = (f.estimate for f in self.figures if (f.arm, f.name) == (arm, name) and radius in (None, f.radius))
        return next(found, None)

    def collapsed(self, arm: str) -> tuple[str, ...]:
        """Return why models of this arm count as collapsed, a sentence each."""
        return tuple(f"seed {c.seed}: {c.collapsed}" for c in self.contenders if c.arm == arm and c.collapsed)

    def to_json(self) -> dict[str, Any]:
        """Return plain data: numbers, texts, lists and objects."""
        return {**asdict(self), "decided": self.decided, "rows": [row.to_json() for row in self.rows]}
