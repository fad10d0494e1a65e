"""Confidence intervals of means over seeds and samples, by resampling both.

Every model has the same samples, so seeds and samples are crossed, not nested: a replicate draws seeds with replacement,
then one set of samples for all of them (Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 2007, section 3). Drawing
samples anew within each seed would count one picture of 10 seeds as 10 pictures; its intervals would be too narrow.

Resampling numbers that are all equal (0 of 12) gives an interval without width: every replicate is the same. There the interval
is exact: with n distinct samples that are all equal, a share of at most 1 - alpha^(1/n) of all samples differs (Clopper and
Pearson 1934, one-sided; about 3/n at alpha = 0.05, the rule of three), and these may be as far off as the number can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bnnverify.results.comparison import Estimate, Terms

BLOCK = 1_000  # replicates drawn at a time, which bounds the memory
CELLS = 2**24  # samples drawn at most, over all replicates, beyond the resamples of the terms: a second or two
Grid = NDArray[np.float64]  # (seeds, samples), NaN where there is no row
Limits = tuple[float, float] | None  # smallest and largest possible value; None: no such limits


@dataclass(frozen=True)
class Resampling:
    """The same replicates for every grid of this shape, so that paired numbers are resampled in pairs."""

    seeds: int
    samples: int
    terms: Terms
    tests: int = 1  # how many p-values are corrected together

    @property
    def resamples(self) -> int:
        """Return the number of replicates: so many that the least p-value, 2 / (B + 1), is still small after correction."""
        enough = ceil(40 * self.tests / self.terms.alpha)
        return max(self.terms.resamples, min(enough, CELLS // self.samples) if self.tests > 1 else 0)

    @cached_property
    def _times(self) -> list[tuple[NDArray[np.uint16], NDArray[np.uint16]]]:
        """Return, in blocks, how often each replicate draws each seed (B, seeds) and each sample (B, samples)."""
        random = np.random.default_rng(self.terms.seed)
        sizes = [min(BLOCK, self.resamples - start) for start in range(0, self.resamples, BLOCK)]
        return [(_drawn(random, self.seeds, size), _drawn(random, self.samples, size)) for size in sizes]

    def means(self, grid: Grid) -> Grid:
        """Return the mean of every replicate that has any row: at most (B,).

        Sums of whole numbers stay whole here, so that a mean of exactly 0 is 0.
        """
        known = ~np.isnan(grid)
        values, ones, means = np.where(known, grid, 0.0), known.astype(np.float64), []
        for seeds, samples in self._times:
            sums, rows = (((seeds.astype(np.float64) @ part) * samples).sum(axis=1) for part in (values, ones))
            means.append(sums[rows > 0] / rows[rows > 0])
        return np.concatenate(means)

    def estimate(self, low: Grid, high: Grid, *, alpha: float | None = None, limits: Limits = None) -> Estimate:
        """Return the mean between both grids (equal where nothing is UNKNOWN) and its percentile interval, level 1 - alpha.

        limits: the smallest and the largest possible value; where they are known and all values of a grid are equal, that end of
        the interval is exact instead, one-sided, level 1 - alpha of the terms.
        """
        alpha = self.terms.alpha if alpha is None else alpha
        lower = float(np.quantile(self.means(low), alpha / 2))
        upper = float(np.quantile(self.means(high), 1 - alpha / 2))
        if limits is not None:
            lower = _toward(limits[0], low, lower, self.terms.alpha)
            upper = _toward(limits[1], high, upper, self.terms.alpha)
        return Estimate(float(np.nanmean(low)), float(np.nanmean(high)), lower, upper)

    def p(self, low: Grid, high: Grid) -> float:
        """Return the two-sided p-value of a mean of 0: that of the end nearer to 0; 1 where the ends lie on both sides."""
        if np.sign(np.nanmean(low)) != np.sign(np.nanmean(high)):
            return 1.0
        return max(_two_sided(self.means(low)), _two_sided(self.means(high)))


def unseen_share(samples: int, alpha: float) -> float:
    """Return the largest share of differing samples that none among these many allows, with error probability alpha."""
    return float(stats.binomtest(0, samples, alternative="less").proportion_ci(1 - alpha, method="exact").high)


def distinct(grid: Grid) -> int:
    """Return how many samples have any row: further seeds of the same sample are no further evidence."""
    return int((~np.isnan(grid)).any(axis=0).sum())


def _toward(limit: float, grid: Grid, end: float, alpha: float) -> float:
    """Return an end of an interval; where all values of the grid are equal, the exact end, drawn to limit by unseen samples."""
    value = float(np.nanmin(grid))
    return end if value != np.nanmax(grid) else value + (limit - value) * unseen_share(distinct(grid), alpha)


def _drawn(random: np.random.Generator, n: int, times: int) -> NDArray[np.uint16]:
    """Return how often each of n is drawn when n are drawn with replacement, for each of times replicates: (times, n)."""
    return random.multinomial(n, np.full(n, 1 / n), times).astype(np.uint16)


def _two_sided(means: Grid) -> float:
    rarer = min(int((means <= 0).sum()), int((means >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(means) + 1))
