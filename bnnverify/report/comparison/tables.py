"""The contents of the tables of a comparison: exact sums over its rows, nothing rounded yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import comb

from bnnverify.results.comparison import Comparison
from bnnverify.results.counts import Count
from bnnverify.results.finding import Verdict
from bnnverify.results.outcome import Outcome


@dataclass(frozen=True)
class Verdicts:
    """How the rows of an arm at a radius were decided; engines: how many rows each engine answered."""

    arm: str
    radius: int
    times: Counter[str]
    engines: Counter[str]
    rows: int
    missing: int


def verdicts(comparison: Comparison) -> Iterator[Verdicts]:
    """Yield the verdicts of every arm at every radius, with the rows that are missing altogether."""
    models = Counter(model.arm for model in comparison.models)
    for arm in comparison.arms:
        for radius in comparison.radii:
            rows = list(comparison.of(arm, radius))
            missing = models[arm] * len(comparison.samples) - len(rows)
            times = Counter(row.verdict.value for row in rows)
            engines = Counter(row.engine for row in rows if row.engine)
            yield Verdicts(arm, radius, times, engines, len(rows), missing)


@dataclass(frozen=True)
class Shell:
    """How many of an arm's inputs at exactly this distance get another class; open: rows where they were not counted."""

    arm: str
    distance: int
    adversarial: Count
    size: int
    open: int


def shells(comparison: Comparison) -> Iterator[Shell]:
    """Yield the shells of every arm, all seeds and samples together; radii at which nothing was counted are left out."""
    width = len(comparison.samples[0].bits) if comparison.samples else 0
    for arm in comparison.arms:
        for radius in comparison.radii:
            rows, each = list(comparison.of(arm, radius)), comb(width, radius)
            known = [row.shell for row in rows if row.shell is not None]
            missed = len(rows) - len(known)
            low, high = sum(count.low for count in known), sum(count.high for count in known)
            if known:
                yield Shell(arm, radius, Count(low, high + missed * each), len(rows) * each, missed)


@dataclass(frozen=True)
class Survival:
    """For radius 0, 1, ..., the share of an arm's rows with a larger distance: surely, and at most."""

    arm: str
    low: tuple[Fraction, ...]
    high: tuple[Fraction, ...]


def survival(comparison: Comparison) -> Iterator[Survival]:
    """Yield how the exact distances of every arm that has rows are spread, up to the largest radius."""
    largest = comparison.radii[-1]
    for arm in comparison.arms:
        ends = [_distances(row) for row in comparison.of(arm, largest)]
        if ends:
            shares = [tuple(Fraction(sum(end[i] > r for end in ends), len(ends)) for r in range(largest + 1)) for i in (0, 1)]
            yield Survival(arm, *shares)


def _distances(row: Outcome) -> tuple[int, int]:
    """Return the smallest and the largest distance that is possible; beyond the largest radius one is like another."""
    if row.distance is not None:
        return row.distance, row.distance
    return row.beyond + 1, row.radius + 1


@dataclass(frozen=True)
class Missed:
    """The rows of an arm with an adversarial input within the largest radius (vulnerable), and how often an attack found none."""

    arm: str
    vulnerable: int
    greedy: int
    gradient: int


def missed(comparison: Comparison) -> Iterator[Missed]:
    """Yield for every attacked arm how often the attacks found no adversarial input although there is one."""
    for arm in comparison.arms:
        rows = [row for row in comparison.of(arm, comparison.radii[-1]) if row.attacked]
        hit = [row for row in rows if row.verdict is Verdict.VULNERABLE]
        if rows:
            yield Missed(arm, len(hit), sum(row.greedy is None for row in hit), sum(row.gradient is None for row in hit))


def ranks(comparison: Comparison, name: str) -> dict[str, int]:
    """Return the rank of every arm by this metric, the largest first, equal arms with the same rank.

    An arm with a collapsed network has no rank, nor has one whose metric is open, nor one whose rank depends on an open metric.
    """
    known = {arm: f for arm in comparison.arms if not comparison.collapsed(arm) and (f := comparison.metric(arm, name))}
    sure = {a: f.low for a, f in known.items() if f.low == f.high and not any(o.low <= f.low < o.high for o in known.values())}
    places = {arm: 1 + sum(other.low > value for other in known.values()) for arm, value in sure.items()}
    return dict(sorted(places.items(), key=lambda place: place[1]))


@dataclass(frozen=True)
class Nearest:
    """The rightly classified row of a label whose adversarial input takes the fewest flips; without one, why there is none."""

    arm: str
    row: Outcome | None
    why: str = ""


def nearest(comparison: Comparison) -> Iterator[tuple[int, list[Nearest]]]:
    """Yield every label with the nearest adversarial input of each arm."""
    for label in sorted({sample.label for sample in comparison.samples}):
        yield label, [_nearest(comparison, arm, label) for arm in comparison.arms]


def _nearest(comparison: Comparison, arm: str, label: int) -> Nearest:
    largest = comparison.radii[-1]
    rows = [row for row in comparison.of(arm, largest) if row.label == label and row.correct]
    found = [row for row in rows if row.witness is not None]
    if found:
        return Nearest(arm, min(found, key=lambda row: (len(row.witness or ()), row.key)))
    verdicts = {row.verdict for row in rows}
    if not rows:
        return Nearest(arm, None, "no sample rightly classified")
    if Verdict.VULNERABLE in verdicts:
        return Nearest(arm, None, "there is one, but none was stored")
    return Nearest(arm, None, "UNKNOWN" if Verdict.UNKNOWN in verdicts else f"none within {largest} flips")


@dataclass(frozen=True)
class Heat:
    """How many of the adversarial inputs of an arm within the radius flip each position, all seeds and samples together."""

    arm: str
    radius: int
    flips: tuple[int, ...]
    adversarial: int
    rows: int

    def share(self, flips: int) -> Fraction:
        """Return a number of flips as a share of the adversarial inputs."""
        return Fraction(flips, self.adversarial)


def heats(comparison: Comparison) -> Iterator[Heat]:
    """Yield the heat of every arm at the largest radius at which rows have it."""
    for arm in comparison.arms:
        rows = [row for row in comparison.of(arm) if row.heat is not None and row.adversarial.exact]
        radius = max((row.radius for row in rows), default=0)
        used = [row for row in rows if row.radius == radius]
        columns = zip(*(row.heat or () for row in used), strict=True)
        if used:
            yield Heat(arm, radius, tuple(map(sum, columns)), sum(row.adversarial.low for row in used), len(used))
