"""Results made by hand: counts, certifications, a study, rows of comparisons, and a small comparison.

The comparison: three arms, two seeds, three samples of 2x3 bits, radii 1 and 2.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from typing import Any

import numpy as np

from bnnverify import Count, InputCoding, Network, Verdict
from bnnverify.report.html.study import Study
from bnnverify.results.answers import AttackResult, CountResult, Distance, Tally
from bnnverify.results.certification import Certification, Row
from bnnverify.results.comparison import (
    ComparedModel,
    Comparison,
    Conclusion,
    Estimate,
    Metric,
    PairedComparison,
    Sample,
    SeedTest,
    Terms,
)
from bnnverify.results.finding import Finding, Witness
from bnnverify.results.outcome import Latent, Outcome
from tests.support.zoo import majority

ODD = "<i>odd</i>&$x_中"  # a name that is markup, a formula and more
PLAIN, DEAD = "_plain", "dead"
ARMS, RADII, SIZES = (PLAIN, ODD, DEAD), (1, 2), {1: 7, 2: 22}
SAMPLES = (Sample(40, 0, (0, 0, 0, 1, 1, 1)), Sample(41, 1, (1, 1, 1, 0, 0, 0)), Sample(42, 1, (1, 0, 1, 0, 1, 0)))
DISTANCES = {PLAIN: (1, 2, None), ODD: (2, 2, None), DEAD: (None, None, None)}  # per sample; None: larger than 2


def latent(radius: int) -> Latent:
    """Return codes of three bits, of which the first never moves."""
    away = 2 * radius
    return Latent((0, away, 1), (SIZES[radius] - away, away, 0, 0), 3, 0.5, 1, True, away // 2)


def row(arm: str, seed: int, sample: Sample, distance: int | None, radius: int) -> Outcome:
    """Return a row; the third sample of ODD is UNKNOWN at radius 2 with seed 1."""
    hit = distance is not None and distance <= radius
    known = dict[str, Any](adversarial=Count.exactly(radius * hit), shell=Count.exactly(hit), heat=(radius * hit,) * 6)
    found: dict[str, Any] = {"distance": distance, "beyond": 2 if distance is None else distance - 1}
    found |= {} if distance is None else {"witness": tuple(range(distance)), "becomes": 2}
    found |= {"attacked": True, "greedy": distance, "gradient": None if distance == 1 else distance}
    verdict = Verdict.VULNERABLE if hit else Verdict.ROBUST
    if (arm, seed, sample.index, radius) == (ODD, 1, 42, 2):
        known, verdict, found["beyond"] = {"adversarial": Count(0, 22)}, Verdict.UNKNOWN, 1
    else:
        known["latent"] = latent(radius)
    found |= {"label": sample.label, "predicted": sample.label, "size": SIZES[radius], "engine": "bits"}
    return Outcome(seed=seed, sample=sample.index, arm=arm, radius=radius, verdict=verdict, **known, **found)


def model(arm: str, seed: int) -> ComparedModel:
    """Return a network with class codes for two of three classes, collapsed if it is the second of DEAD."""
    record = {"accuracy": {"test": [2, 3]}, "binarity": {"peaks_distance": 4.25}, "seconds": 7.0} if arm == PLAIN else {}
    collapsed = "the same class, 0, for all 3 samples" if (arm, seed) == (DEAD, 1) else ""
    apart = 1 + seed
    return ComparedModel(arm, seed, f"{seed:064x}", (6, 3, 3), record, collapsed, ((0, apart, -1), (apart, 0, -1), (-1, -1, 0)))


def about(value: float, open_to: float | None = None) -> Estimate:
    high = value if open_to is None else open_to
    return Estimate(value, high, max(value - 0.125, 0.0), high + 0.125)


def metrics(arm: str) -> list[Metric]:
    made = [Metric(arm, 0, "accuracy", about(0.75))]
    for radius in RADII:
        shares = ("certified", "stable", "density", "code_stable")
        made += [Metric(arm, radius, name, about(0.5, 0.625 if arm == ODD and radius == 2 else None)) for name in shares]
        made += [Metric(arm, radius, name, about(3.0)) for name in ("codes", "entropy")]
    distances = {PLAIN: (2.0, 2.5), ODD: (2.25, 2.25), DEAD: (3.0, 3.0)}[arm]
    made += [Metric(arm, 2, name, about(value)) for name, value in zip(("distance", "gradient"), distances, strict=True)]
    return [*made, *(Metric(arm, 2, name, about(0.25)) for name in ("greedy", "greedy_gap", "gradient_gap", "seconds"))]


def pair(arm: str, other: str, radius: int, conclusion: Conclusion) -> PairedComparison:
    tests = (SeedTest(0, 2, 1, 0.25), SeedTest(1, 3, 0, 0.0001))
    return PairedComparison(
        arm, other, radius, Estimate(0.125, 0.125, -0.25, 0.5), about(0.125), tests, None, 0.03, 0.06, False, conclusion
    )


def compared(**others: Any) -> Comparison:
    """Return the comparison, with other fields in place of its own."""
    rows = [
        row(arm, seed, sample, distance, radius)
        for arm in ARMS
        for seed in (0, 1)
        for sample, distance in zip(SAMPLES, DISTANCES[arm], strict=True)
        for radius in RADII
    ]
    pairs = (
        pair(ODD, PLAIN, 1, Conclusion.BETTER),
        pair(ODD, PLAIN, 2, Conclusion.UNDECIDED),
        pair(DEAD, PLAIN, 1, Conclusion.COLLAPSED),
        pair(DEAD, PLAIN, 2, Conclusion.COLLAPSED),
    )
    made = Comparison(
        data="tiny",
        radii=RADII,
        arms=ARMS,
        samples=SAMPLES,
        shape=(2, 3),
        models=tuple(model(arm, seed) for arm in ARMS for seed in (0, 1)),
        rows=tuple(rows),
        metrics=tuple(metric for arm in ARMS for metric in metrics(arm)),
        paired_comparisons=pairs,
        terms=Terms(),
        wanted=len(rows),
        seconds=1.5,
        notes=("2 seeds: intervals tell little",),
        commands=("bnnverify compare --radii 1,2 & more",),
        versions={"bnnverify": "0.1.0", "scipy": "1.17"},
    )
    return replace(made, **others)


BALL = {"kind": "ball", "size": 22, "bits": 6, "free": 6, "inner": 0, "outer": 2}
WITNESS = Witness((0, 1, 1, 1, 0, 0), (0,), 0)


def counted(low: int, high: int, reason: str = "") -> CountResult:
    tally = Tally(22, (Count(low, high), Count(22 - high, 22 - low)), reason)
    return CountResult("bits", "classes", Count(low, high), tally, 1, BALL, 0.25, reason)


def certified(*verdicts: Verdict, wanted: int | None = None, labels: bool = True) -> Certification:
    found = {Verdict.ROBUST: Count(0, 0), Verdict.VULNERABLE: Count(10, 10), Verdict.UNKNOWN: Count(0, 22)}
    rows = [Row(i, 1 if labels else None, 1, verdict, found[verdict], "bits", 0.01) for i, verdict in enumerate(verdicts)]
    return Certification(tuple(rows), wanted or len(rows), 2, 22, 0.5)


def study(*certifications: Certification) -> Study:
    network = Network(majority(6).blocks, majority(6).head, InputCoding(np.full(6, 8), (2, 3)), "<b>&")
    attack = AttackResult("sat", "leaves:1", Finding(True, WITNESS), 1, BALL, 0.1)
    distance = Distance("sat", "leaves:1", 1, 1, 6, 1, WITNESS, 0.1)
    return Study(network, Fraction(1), Fraction(1, 2), "digits:0", counted(10, 10), attack, distance, certifications)


class Tags(HTMLParser):
    """Checks that every element is closed, and collects what would be loaded from elsewhere."""

    def __init__(self, void: tuple[str, ...] = ("meta", "img")) -> None:
        super().__init__()
        self.void = void
        self.open: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.void:
            self.open.append(tag)
        self.loaded += [value for key, value in attrs if key in ("src", "href") and value and not value.startswith("data:")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


COUNTS = {Verdict.ROBUST: Count(0, 0), Verdict.VULNERABLE: Count(3, 3), Verdict.UNKNOWN: Count(0, 65)}


def outcome(arm: str, seed: int, sample: int, verdict: str = "ROBUST", **others: Any) -> Outcome:
    """Return a row at radius 1 among 64 bits; label and predicted class are 1 unless said otherwise."""
    known = Verdict(verdict)
    fields: dict[str, Any] = {"radius": 1, "label": 1, "predicted": 1, "size": 65, "adversarial": COUNTS[known]} | others
    return Outcome(seed=seed, sample=sample, arm=arm, verdict=known, **fields)


def outcomes(arm: str, table: list[str]) -> list[Outcome]:
    """Return the rows that a table of seeds (lines) by samples means: + robust, - vulnerable, ? unknown, . no row."""
    words = {"+": "ROBUST", "-": "VULNERABLE", "?": "UNKNOWN"}
    places = [(seed, sample, mark) for seed, line in enumerate(table) for sample, mark in enumerate(line)]
    return [outcome(arm, seed, sample, words[mark]) for seed, sample, mark in places if mark != "."]


HUGE = 2**80
FULL = outcome(
    "bin_enc-D3",
    2,
    17,
    "VULNERABLE",
    size=HUGE,
    adversarial=Count(HUGE - 1, HUGE),
    shell=Count.exactly(HUGE - 2),
    targeted=(Count.exactly(HUGE), Count(0, 1)),
    distance=1,
    witness=(0, 63),
    becomes=0,
    greedy=1,
    attacked=True,
    heat=(HUGE, 0),
    code_radius=0,
    latent=Latent((HUGE, 1), (1, HUGE, 0), 2, 0.1, 1, True, HUGE // 2),
    engine="bits",
    seconds=0.25,
    reason="it's late; 'quoted'",
)
