"""Confidence intervals of means over seeds and samples, by resampling both.

Every model sees the same samples, so seeds and samples are crossed, not nested: a replicate draws seeds with replacement, then
one set of samples for all of them (Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 2007, section 3). Drawing
samples anew within each seed would take 10 looks at one picture for 10 pictures; its intervals would be too narrow.

Numbers that are all alike (0 of 12) say nothing by resampling: every replicate is the same, and the interval has no width. There
the interval is exact: with n distinct samples all alike, at most a share of 1 - alpha^(1/n) of all samples is otherwise (Clopper
and Pearson 1934, one-sided; about 3/n at alpha = 0.05, the rule of three), and these may be as far off as the number can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np
from numpy.typing import NDArray

from bnnverify.results.comparison import Estimate, Terms

BLOCK = 1_000  # replicates at a time, so that what is drawn is all that is kept
CELLS = 2**24  # samples drawn at most, over all replicates, beyond the resamples asked for: a second or two
Grid = NDArray[np.float64]  # (seeds, samples), NaN where there is no row
Reach = tuple[float, float] | None  # smallest and largest possible value; None: no such limits


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
        """Return the mean of every replicate that met any row: at most (B,).

        Sums of whole numbers stay whole here, so that a mean of exactly 0 is 0.
        """
        there = ~np.isnan(grid)
        known, ones, found = np.where(there, grid, 0.0), there.astype(np.float64), []
        for seeds, samples in self._times:
            sums, rows = (((seeds.astype(np.float64) @ part) * samples).sum(axis=1) for part in (known, ones))
            found.append(sums[rows > 0] / rows[rows > 0])
        return np.concatenate(found)

    def estimate(self, low: Grid, high: Grid, *, alpha: float | None = None, reach: Reach = None) -> Estimate:
        """Return the mean between both grids (equal where nothing is UNKNOWN) and its percentile interval, level 1 - alpha.

        reach: the smallest and the largest possible value; where it is known and a grid is all alike, that end of the interval is
        exact instead, one-sided, level 1 - alpha of the terms.
        """
        alpha = self.terms.alpha if alpha is None else alpha
        lower = float(np.quantile(self.means(low), alpha / 2))
        upper = float(np.quantile(self.means(high), 1 - alpha / 2))
        if reach is not None:
            lower = _toward(reach[0], low, lower, self.terms.alpha)
            upper = _toward(reach[1], high, upper, self.terms.alpha)
        return Estimate(float(np.nanmean(low)), float(np.nanmean(high)), lower, upper)

    def p(self, low: Grid, high: Grid) -> float:
        """Return the two-sided p-value of a mean of 0: that of the end nearer to 0; 1 where the ends lie on both sides."""
        if np.sign(np.nanmean(low)) != np.sign(np.nanmean(high)):
            return 1.0
        return max(_two_sided(self.means(low)), _two_sided(self.means(high)))


def unseen(samples: int, alpha: float) -> float:
    """Return the largest share of otherwise samples that none among so many still allows, with error probability alpha."""
    from scipy import stats

    return float(stats.binomtest(0, samples, alternative="less").proportion_ci(1 - alpha, method="exact").high)


def distinct(grid: Grid) -> int:
    """Return how many samples have any row: seeds that look at the same sample are no further evidence."""
    return int((~np.isnan(grid)).any(axis=0).sum())


def _toward(limit: float, grid: Grid, end: float, alpha: float) -> float:
    """Return an end of an interval: as it is, or, where the grid is all alike, as near to limit as unseen samples may draw it."""
    value = float(np.nanmin(grid))
    return end if value != np.nanmax(grid) else value + (limit - value) * unseen(distinct(grid), alpha)


def _drawn(random: np.random.Generator, n: int, times: int) -> NDArray[np.uint16]:
    """Return how often each of n is drawn when n are drawn with replacement, so many times: (times, n)."""
    return random.multinomial(n, np.full(n, 1 / n), times).astype(np.uint16)


def _two_sided(means: Grid) -> float:
    rarer = min(int((means <= 0).sum()), int((means >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(means) + 1))
