"""Arms side by side: the measurements of every model around the same samples, and the conclusions about one arm against another.

An arm is one way of making a network ("no_pen", "bin_enc-D3"); each arm has a model per seed; all models are measured on the same
samples at the same radii. `queries.comparison` makes comparisons, `report.comparison` draws them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from bnnverify.results.finding import Verdict
from bnnverify.results.outcome import Outcome

FEWEST_SEEDS = 5  # of two arms: with fewer, the comparison concludes nothing about arms, only about these models


class Conclusion(StrEnum):
    """How one arm stands against another. collapsed: one of them has a network whose answer hardly depends on its input."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent within margin"
    UNDECIDED = "undecided"
    COLLAPSED = "collapsed"


@dataclass(frozen=True)
class ComparedModel:
    """One model of the comparison. record: that of its training (may be empty). widths: of its layers.

    collapsed: a sentence why its answer hardly depends on its input, or "". separation: Hamming distance between the most common
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
class Metric:
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
class SeedTest:
    """The exact McNemar test of one seed: certified in this arm only, in the other only, and the two-sided p-value."""

    seed: int
    only: int
    other_only: int
    p: float


@dataclass(frozen=True)
class PairedComparison:
    """One arm against another at a radius: certified accuracy of arm minus that of other, paired by (seed, sample).

    wide: the interval of the two one-sided tests, level 1 - 2 alpha. p: of the two-level bootstrap; holm: the same corrected
    over all paired comparisons. wilcoxon: p-value over seeds, None with fewer than two. equivalent: wide lies within the
    margin, and there are enough samples to conclude so (not corrected for being many). over_seeds: Student's interval over the
    mean differences of the seeds, level 1 - alpha, None with fewer than two.
    """

    arm: str
    other: str
    radius: int
    difference: Estimate
    wide: Estimate
    mcnemar: tuple[SeedTest, ...]
    wilcoxon: float | None
    p: float
    holm: float
    equivalent: bool
    conclusion: Conclusion
    over_seeds: Estimate | None = None


@dataclass(frozen=True)
class Sample:
    """An input on which all models are measured."""

    index: int
    label: int
    bits: tuple[int, ...]


@dataclass(frozen=True)
class Terms:
    """The terms of the statistics: error probability alpha, margin of equivalence as a share, bootstrap resamples and their seed.

    For p-values that are corrected for being many, there may be more resamples.
    """

    alpha: float = 0.05
    margin: float = 0.05
    resamples: int = 10_000
    seed: int = 0


@dataclass(frozen=True)
class Comparison:
    """The finished rows and the conclusions from them. Undecided rows stay in every total.

    wanted: how many rows there should be. shape: rows and columns of the picture, when an input is one.
    commands: the commands that repeat the comparison.
    """

    data: str
    radii: tuple[int, ...]
    arms: tuple[str, ...]
    samples: tuple[Sample, ...]
    shape: tuple[int, int] | None
    models: tuple[ComparedModel, ...]
    rows: tuple[Outcome, ...]
    metrics: tuple[Metric, ...]
    paired_comparisons: tuple[PairedComparison, ...]
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
        return tuple(sorted({model.seed for model in self.models}))

    def of(self, arm: str, radius: int | None = None) -> Iterator[Outcome]:
        """Yield the rows of an arm, at one radius if given."""
        return (row for row in self.rows if row.arm == arm and radius in (None, row.radius))

    def metric(self, arm: str, name: str, radius: int | None = None) -> Estimate | None:
        """Return the estimate of this metric of an arm (radius None: at its only radius), or None where it is not known."""
        found = (m.estimate for m in self.metrics if (m.arm, m.name) == (arm, name) and radius in (None, m.radius))
        return next(found, None)

    def collapsed(self, arm: str) -> tuple[str, ...]:
        """Return why models of this arm count as collapsed, a sentence each."""
        return tuple(f"seed {model.seed}: {model.collapsed}" for model in self.models if model.arm == arm and model.collapsed)

    def to_json(self) -> dict[str, Any]:
        """Return plain data: numbers, texts, lists and objects."""
        return {**asdict(self), "decided": self.decided, "rows": [row.to_json() for row in self.rows]}
