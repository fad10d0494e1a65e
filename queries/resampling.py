"""Confidence intervals of means over seeds and samples, by resampling both.

Every model sees the same samples, so seeds and samples are crossed, not nested: a replicate draws seeds with replacement, then
one set of samples for all of them (Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 2007, section 3). Drawing
samples anew within each seed would take 10 looks at one picture for 10 pictures; its intervals would be too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bnnverify.comparison import Estimate, Terms

Grid = NDArray[np.float64]  # (seeds, samples), NaN where there is no row


@dataclass(frozen=True)
class Resampling:
    """The same replicates for every grid of this shape, so that paired numbers are resampled in pairs."""

    seeds: int
    samples: int
    terms: Terms

    @cached_property
    def _times(self) -> tuple[Grid, Grid]:
        """Return how often each replicate draws each seed (B, seeds) and each sample (B, samples): whole numbers."""
        random = np.random.default_rng(self.terms.seed)
        drawn = [random.multinomial(n, np.full(n, 1 / n), self.terms.resamples) for n in (self.seeds, self.samples)]
        return drawn[0].astype(np.float64), drawn[1].astype(np.float64)

    def means(self, grid: Grid) -> Grid:
        """Return the mean of every replicate that met any row: at most (B,).

        Sums of whole numbers stay whole here, so that a mean of exactly 0 is 0.
        """
        seeds, samples = self._times
        there = ~np.isnan(grid)
        sums = ((seeds @ np.where(there, grid, 0.0)) * samples).sum(axis=1)
        rows = ((seeds @ there.astype(np.float64)) * samples).sum(axis=1)
        return np.asarray(sums[rows > 0] / rows[rows > 0])

    def estimate(self, low: Grid, high: Grid, *, alpha: float | None = None) -> Estimate:
        """Return the mean between both grids (equal where nothing is UNKNOWN) and its percentile interval, level 1 - alpha."""
        alpha = self.terms.alpha if alpha is None else alpha
        lower, upper = np.quantile(self.means(low), alpha / 2), np.quantile(self.means(high), 1 - alpha / 2)
        return Estimate(float(np.nanmean(low)), float(np.nanmean(high)), float(lower), float(upper))

    def p(self, low: Grid, high: Grid) -> float:
        """Return the two-sided p-value of a mean of 0: that of the end nearer to 0; 1 where the ends lie on both sides."""
        if np.sign(np.nanmean(low)) != np.sign(np.nanmean(high)):
            return 1.0
        return max(_two_sided(self.means(low)), _two_sided(self.means(high)))


def _two_sided(means: Grid) -> float:
    rarer = min(int((means <= 0).sum()), int((means >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(means) + 1))
