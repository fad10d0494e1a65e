"""One arm against another: tests, intervals, and a plain word. The only home of scipy and statsmodels.

Certified accuracy is compared in pairs, by (seed, sample). A word is only given where it holds whatever UNKNOWN rows are:

- better, worse: the two-level bootstrap interval of the difference lies on one side of 0, and its p-value still is at most alpha
  after Holm's correction over all duels of the comparison
- equivalent within margin: not that, and the interval of level 1 - 2 alpha lies within the margin: two one-sided tests, read
  off the interval (Schuirmann 1987); and there are so many pairs that a difference as large as the margin would have shown in
  some of them, since resampling pairs that are all alike gives an interval without width
- collapsed: a network of one of the arms hardly looks at its input; whatever it seems to withstand is no merit
- undecided: anything else
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnnverify.comparison import Duel, Estimate, Judgement, Seedwise, Terms
from bnnverify.extras import needed
from bnnverify.queries.figures import Grids, certified
from bnnverify.queries.resampling import Grid, Resampling

FLIPS = 2**14  # of the signs of seed differences, in a Wilcoxon test: up to 14 seeds all of them, so that it is exact


def ready() -> None:
    """Raise MissingExtra unless the statistics packages can be imported."""
    with needed("judging arms", "scipy and statsmodels", extra="compare"):
        import scipy.stats  # noqa: F401
        import statsmodels.stats.multitest  # noqa: F401


def duels(
    grids: Grids, pairs: Sequence[tuple[str, str]], radii: Sequence[int], terms: Terms, *, collapsed: Iterable[str] = ()
) -> tuple[Duel, ...]:
    """Return arm against other at every radius, for pairs that have rows in common; collapsed: arms that are never praised."""
    fought = [duel for arm, other in pairs for r in radii for duel in _duel(grids, arm, other, r, terms)]
    corrected = holm([duel.p for duel in fought])
    dead = set(collapsed)
    return tuple(_worded(replace(duel, holm=p), terms, dead) for duel, p in zip(fought, corrected, strict=True))


def _duel(grids: Grids, arm: str, other: str, radius: int, terms: Terms) -> Iterator[Duel]:
    """Yield the duel without its word, or nothing where no (seed, sample) has both arms."""
    (low, high), (other_low, other_high) = (grids.of(name, radius, certified) for name in (arm, other))
    least, most = low - other_high, high - other_low
    if np.isnan(least).all():
        return
    resampling = Resampling(len(grids.seeds), len(grids.samples), terms)
    wide = resampling.estimate(least, most, alpha=2 * terms.alpha)
    yield Duel(
        arm,
        other,
        radius,
        difference=resampling.estimate(least, most),
        wide=wide,
        mcnemar=tuple(_seedwise(grids.seeds, least, most)),
        wilcoxon=wilcoxon(_by_seed(least), _by_seed(most), seed=terms.seed),
        p=resampling.p(least, most),
        holm=1.0,
        equivalent=-terms.margin <= wide.lower and wide.upper <= terms.margin and _is_telling(least, terms),
        judgement=Judgement.UNDECIDED,
    )


def _is_telling(differences: Grid, terms: Terms) -> bool:
    """Return whether pairs that differ as often as margin says would all be missed with a probability of at most alpha."""
    pairs = int((~np.isnan(differences)).sum())
    return (1 - min(terms.margin, 1.0)) ** pairs <= terms.alpha


def _worded(duel: Duel, terms: Terms, collapsed: set[str]) -> Duel:
    dead = bool({duel.arm, duel.other} & collapsed)
    return replace(duel, judgement=word(duel.difference, duel.holm, terms, equivalent=duel.equivalent, collapsed=dead))


def word(difference: Estimate, p: float, terms: Terms, *, equivalent: bool, collapsed: bool) -> Judgement:
    """Return the plain word that the head of this file explains."""
    if collapsed:
        return Judgement.COLLAPSED
    if p <= terms.alpha and difference.lower > 0:
        return Judgement.BETTER
    if p <= terms.alpha and difference.upper < 0:
        return Judgement.WORSE
    return Judgement.EQUIVALENT if equivalent else Judgement.UNDECIDED


def _by_seed(differences: Grid) -> Grid:
    """Return the mean difference of every seed that has any."""
    there = ~np.isnan(differences).all(axis=1)
    return np.asarray(np.nanmean(differences[there], axis=1))


def _seedwise(seeds: Sequence[int], least: Grid, most: Grid) -> Iterator[Seedwise]:
    """Yield each seed's test of the completion of UNKNOWN rows that says least."""
    for seed, low, high in zip(seeds, least, most, strict=True):
        if np.isnan(low).all():
            continue
        ends = [(int((end == 1).sum()), int((end == -1).sum())) for end in (low, high)]
        p, (only, other_only) = max((mcnemar(*end), end) for end in ends)
        sides = {np.sign(a - b) for a, b in ends}
        yield Seedwise(seed, only, other_only, p if len(sides) == 1 else 1.0)


def mcnemar(only: int, other_only: int) -> float:
    """Return the exact two-sided p-value of so many pairs that differ one way and the other (McNemar 1947)."""
    from statsmodels.stats.contingency_tables import mcnemar as test

    return float(test([[0, only], [other_only, 0]], exact=True).pvalue)


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
    from scipy import stats

    if not differences.any():
        return 1.0
    method: Any = stats.PermutationMethod(n_resamples=FLIPS, rng=np.random.default_rng(seed))
    return float(stats.wilcoxon(differences, method=method, zero_method="zsplit").pvalue)


def holm(ps: Sequence[float]) -> list[float]:
    """Return p-values corrected for being this many (Holm 1979)."""
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(ps, method="holm")[1]] if ps else []


def collapse(predicted: Sequence[int], labels: Sequence[int], classes: int, terms: Terms) -> str:
    """Return in a sentence why a model that says this to samples of these labels hardly looks at its input, or ""."""
    from scipy import stats

    if len(set(predicted)) == 1 and len(set(labels)) > 1:
        return f"the same class, {predicted[0]}, for all {len(predicted)} samples that no training touched"
    right, chance = sum(p == q for p, q in zip(predicted, labels, strict=True)), 1 / classes
    telling = chance ** len(predicted) < terms.alpha  # with very few samples even no mistake proves nothing
    if telling and stats.binomtest(right, len(predicted), chance, alternative="greater").pvalue >= terms.alpha:
        return f"{right} of {len(predicted)} samples right that no training touched, no more than chance among {classes} classes"
    return ""
