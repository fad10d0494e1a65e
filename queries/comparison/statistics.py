"""One arm against another: paired tests, intervals, and a conclusion.

Certified accuracy is compared in pairs, by (seed, sample). A conclusion is drawn only where it holds whatever UNKNOWN rows are:

- better, worse: the two-level bootstrap interval of the difference lies on one side of 0, and its p-value still is at most alpha
  after Holm's correction over all paired comparisons; Student's interval over the seeds lies on the same side, since the
  bootstrap is too narrow with few seeds; and both arms have at least FEWEST_SEEDS seeds in common
- equivalent within margin: not that, and the interval of level 1 - 2 alpha lies within the margin: two one-sided tests, read
  off the interval (Schuirmann 1987), and Student's interval of the same level too; as many seeds as above; and enough distinct
  samples that a difference as large as the margin would have appeared in some of them. Not corrected for being one of many
- collapsed: the answer of a network of one of the arms hardly depends on its input; its stability is no merit
- undecided: anything else
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from bnnverify.queries.comparison.bootstrap import Grid, Resampling, distinct
from bnnverify.queries.comparison.metrics import Grids, certified
from bnnverify.results.comparison import FEWEST_SEEDS, Conclusion, Estimate, PairedComparison, SeedTest, Terms

FLIPS = 2**14  # of the signs of seed differences, in a Wilcoxon test: up to 14 seeds all of them, so that it is exact


def paired_comparisons(
    grids: Grids, pairs: Sequence[tuple[str, str]], radii: Sequence[int], terms: Terms, *, collapsed: Iterable[str] = ()
) -> tuple[PairedComparison, ...]:
    """Return arm against other at every radius, for pairs that have rows in common; collapsed: arms without a conclusion."""
    resampling = Resampling(len(grids.seeds), len(grids.samples), terms, tests=len(pairs) * len(radii))
    found = [pair for arm, other in pairs for radius in radii for pair in _paired(grids, arm, other, radius, resampling)]
    corrected = holm([pair.p for pair in found])
    without = set(collapsed)
    return tuple(_concluded(replace(pair, holm=p), terms, without) for pair, p in zip(found, corrected, strict=True))


def _paired(grids: Grids, arm: str, other: str, radius: int, resampling: Resampling) -> Iterator[PairedComparison]:
    """Yield the paired comparison without its conclusion, or nothing where no (seed, sample) has both arms."""
    (low, high), (other_low, other_high) = (grids.of(name, radius, certified) for name in (arm, other))
    least, most = low - other_high, high - other_low
    if np.isnan(least).all():
        return
    terms, limits = resampling.terms, (-1.0, 1.0)
    wide = resampling.estimate(least, most, alpha=2 * terms.alpha, limits=limits)
    seeds = _by_seed(least), _by_seed(most)
    intervals = wide, over_seeds(*seeds, 2 * terms.alpha)
    yield PairedComparison(
        arm,
        other,
        radius,
        difference=resampling.estimate(least, most, limits=limits),
        wide=wide,
        mcnemar=tuple(_seed_tests(grids.seeds, least, most)),
        wilcoxon=wilcoxon(*seeds, seed=terms.seed),
        p=resampling.p(least, most),
        holm=1.0,
        equivalent=all(_is_within(interval, terms) for interval in intervals) and _has_enough_samples(least, terms),
        conclusion=Conclusion.UNDECIDED,
        over_seeds=over_seeds(*seeds, terms.alpha),
    )


def _has_enough_samples(differences: Grid, terms: Terms) -> bool:
    """Return whether, if a share `margin` of samples differs, these miss all such samples with probability at most alpha."""
    return (1 - min(terms.margin, 1.0)) ** distinct(differences) <= terms.alpha


def _is_within(interval: Estimate | None, terms: Terms) -> bool:
    return interval is not None and -terms.margin <= interval.lower and interval.upper <= terms.margin


def _concluded(pair: PairedComparison, terms: Terms, collapsed: set[str]) -> PairedComparison:
    any_collapsed = bool({pair.arm, pair.other} & collapsed)
    return replace(pair, conclusion=Conclusion.COLLAPSED if any_collapsed else conclusion_of(pair, terms))


def conclusion_of(pair: PairedComparison, terms: Terms) -> Conclusion:
    """Return the conclusion by the rules at the head of this file, for arms without a collapsed network."""
    if len(pair.mcnemar) < FEWEST_SEEDS or pair.over_seeds is None:
        return Conclusion.UNDECIDED
    if pair.holm <= terms.alpha and min(pair.difference.lower, pair.over_seeds.lower) > 0:
        return Conclusion.BETTER
    if pair.holm <= terms.alpha and max(pair.difference.upper, pair.over_seeds.upper) < 0:
        return Conclusion.WORSE
    return Conclusion.EQUIVALENT if pair.equivalent else Conclusion.UNDECIDED


def over_seeds(least: Grid, most: Grid, alpha: float) -> Estimate | None:
    """Return Student's interval, level 1 - alpha, of the mean over seeds, whatever UNKNOWN rows are; None with fewer than two."""
    if len(least) < 2:
        return None
    factor = float(stats.t.ppf(1 - alpha / 2, len(least) - 1)) / len(least) ** 0.5
    low, high = float(least.mean()), float(most.mean())
    return Estimate(low, high, low - factor * float(least.std(ddof=1)), high + factor * float(most.std(ddof=1)))


def _by_seed(differences: Grid) -> Grid:
    """Return the mean difference of every seed that has any."""
    known = ~np.isnan(differences).all(axis=1)
    return np.asarray(np.nanmean(differences[known], axis=1))


def _seed_tests(seeds: Sequence[int], least: Grid, most: Grid) -> Iterator[SeedTest]:
    """Yield each seed's test, for the completion of UNKNOWN rows with the larger p-value."""
    for seed, low, high in zip(seeds, least, most, strict=True):
        if np.isnan(low).all():
            continue
        ends = [(int((end == 1).sum()), int((end == -1).sum())) for end in (low, high)]
        p, (only, other_only) = max((mcnemar(*end), end) for end in ends)
        sides = {np.sign(a - b) for a, b in ends}
        yield SeedTest(seed, only, other_only, p if len(sides) == 1 else 1.0)


def mcnemar(only: int, other_only: int) -> float:
    """Return the exact two-sided p-value of pairs of which only and other_only differ one way and the other (McNemar 1947)."""
    return min(1.0, 2 * float(stats.binom.cdf(min(only, other_only), only + other_only, 0.5)))


def wilcoxon(least: Grid, most: Grid, *, seed: int = 0) -> float | None:
    """Return the larger signed-rank p-value of the seeds' differences at both ends; None with fewer than two seeds.

    Signs are flipped in all ways (at random beyond 14 seeds), so that ties and zeros need no approximation.
    """
    if len(least) < 2:
        return None
    if np.sign(least.mean()) != np.sign(most.mean()):
        return 1.0
    return max(_signed_rank(least, seed), _signed_rank(most, seed))


def _signed_rank(differences: Grid, seed: int) -> float:
    if not differences.any():
        return 1.0
    method: Any = stats.PermutationMethod(n_resamples=FLIPS, rng=np.random.default_rng(seed))
    return float(stats.wilcoxon(differences, method=method, zero_method="zsplit").pvalue)


def holm(ps: Sequence[float]) -> list[float]:
    """Return p-values corrected for being this many, in their order: step down from the smallest, each at most 1 (Holm 1979)."""
    order = np.argsort(ps, kind="stable")
    corrected = np.empty(len(ps))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(np.sort(ps) * np.arange(len(ps), 0, -1)))
    return [float(p) for p in corrected]
