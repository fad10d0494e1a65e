"""The metrics of each arm over all its seeds and samples, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from bnnverify.queries.comparison.bootstrap import Grid, Limits, Resampling
from bnnverify.results.comparison import Metric, Terms
from bnnverify.results.finding import Verdict
from bnnverify.results.outcome import Outcome

Ends = tuple[float, float] | None  # of one row: smallest and largest possible value; None: unknown


def certified(row: Outcome) -> Ends:
    """Return whether the row is right and ROBUST."""
    return row.correct and row.verdict is Verdict.ROBUST, row.correct and row.verdict is not Verdict.VULNERABLE


def _stable(row: Outcome) -> Ends:
    return row.verdict is Verdict.ROBUST, row.verdict is not Verdict.VULNERABLE


def _density(row: Outcome) -> Ends:
    return row.adversarial.low / row.size, row.adversarial.high / row.size


def _distance(row: Outcome) -> Ends:
    """Return the distance, one more than the radius where it is larger than that."""
    beyond = row.radius + 1
    if row.distance is not None:
        return (min(row.distance, beyond),) * 2
    return min(row.beyond + 1, beyond), beyond


def _attacked(flips: int | None, row: Outcome) -> float:
    """Return the flips that an attack needed, one more than the radius where it found no witness within it."""
    return row.radius + 1 if flips is None else min(flips, row.radius + 1)


def _gap(flips: int | None, row: Outcome) -> Ends:
    distance = _distance(row)
    return None if distance is None else (_attacked(flips, row) - distance[1], _attacked(flips, row) - distance[0])


def _exact(value: float | None) -> Ends:
    return None if value is None else (value, value)


Reading = Callable[[Outcome], Ends]
ONCE: Mapping[str, Reading] = MappingProxyType({"accuracy": lambda row: _exact(row.correct)})
EACH_RADIUS: Mapping[str, Reading] = MappingProxyType(
    {
        "certified": certified,
        "stable": _stable,
        "density": _density,
        "code_stable": lambda row: _exact(None if row.latent is None else row.latent.stable),
        "codes": lambda row: _exact(None if row.latent is None else row.latent.codes),
        "entropy": lambda row: _exact(None if row.latent is None else row.latent.entropy),
    }
)
LARGEST_RADIUS: Mapping[str, Reading] = MappingProxyType(
    {
        "distance": _distance,
        "greedy": lambda row: _exact(_attacked(row.greedy, row)) if row.attacked else None,
        "gradient": lambda row: _exact(_attacked(row.gradient, row)) if row.attacked else None,
        "greedy_gap": lambda row: _gap(row.greedy, row) if row.attacked else None,
        "gradient_gap": lambda row: _gap(row.gradient, row) if row.attacked else None,
        "seconds": lambda row: _exact(row.seconds),
    }
)


SHARES = ("accuracy", "certified", "stable", "density", "code_stable")


def limits_of(name: str, radius: int) -> Limits:
    """Return the smallest and the largest value that this metric can have for any sample."""
    limits = dict.fromkeys(SHARES, (0.0, 1.0)) | dict.fromkeys(("distance", "greedy", "gradient"), (1.0, radius + 1.0))
    return limits.get(name)


class Grids:
    """The rows laid out by seed and sample, for any reading of them."""

    def __init__(self, rows: Iterable[Outcome]) -> None:
        self._rows: dict[tuple[str, int], list[Outcome]] = {}
        for row in rows:
            self._rows.setdefault((row.arm, row.radius), []).append(row)
        every = [row for group in self._rows.values() for row in group]
        self.seeds = sorted({row.seed for row in every})
        self.samples = sorted({row.sample for row in every})
        self._place = {s: i for i, s in enumerate(self.seeds)}, {s: i for i, s in enumerate(self.samples)}

    def of(self, arm: str, radius: int, reading: Reading) -> tuple[Grid, Grid]:
        """Return the smallest and the largest possible values, (seeds, samples) each, NaN where nothing is known."""
        low = np.full((len(self.seeds), len(self.samples)), np.nan)
        high = low.copy()
        for row in self._rows.get((arm, radius), []):
            ends = reading(row)
            if ends is not None:
                place = self._place[0][row.seed], self._place[1][row.sample]
                low[place], high[place] = ends
        return low, high


def metrics_of(grids: Grids, arms: Sequence[str], radii: Sequence[int], terms: Terms) -> Iterator[Metric]:
    """Yield every metric of every arm that has a value in any row."""
    resampling = Resampling(len(grids.seeds), len(grids.samples), terms)
    places = [(0, radii[-1], ONCE), *((r, r, EACH_RADIUS) for r in radii), (radii[-1], radii[-1], LARGEST_RADIUS)]
    for arm in arms:
        for metric_radius, radius, readings in places:  # of the metric, and of the rows it is read from
            for name, reading in readings.items():
                low, high = grids.of(arm, radius, reading)
                if not np.isnan(low).all():
                    yield Metric(arm, metric_radius, name, resampling.estimate(low, high, limits=limits_of(name, radius)))
