"""One arm against another: tests, intervals, and a plain word. The only home of scipy and statsmodels.

Certified accuracy is compared in pairs, by (seed, sample). A word is only given where it holds whatever UNKNOWN rows are:

- better, worse: the two-level bootstrap interval of the difference lies on one side of 0, and its p-value still is at most alpha
  after Holm's correction over all duels of the comparison; Student's interval over the seeds lies on the same side, since the
  bootstrap is too narrow with few seeds; and both arms have at least FEWEST_SEEDS seeds in common
- equivalent within margin: not that, and the interval of level 1 - 2 alpha lies within the margin: two one-sided tests, read
  off the interval (Schuirmann 1987), and Student's interval of the same level too; as many seeds as above; and so many distinct
  samples that a difference as large as the margin would have shown in some of them. Not corrected for being one of many
- collapsed: a network of one of the arms hardly looks at its input; whatever it seems to withstand is no merit
- undecided: anything else
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnnverify.extras import needed
from bnnverify.queries.comparison.bootstrap import Grid, Resampling, distinct
from bnnverify.queries.comparison.metrics import Grids, certified
from bnnverify.results.comparison import FEWEST_SEEDS, Estimate, Judgement, PairedComparison, Seedwise, Terms

FLIPS = 2**14  # of the signs of seed differences, in a Wilcoxon test: up to 14 seeds all of them, so that it is exact


def ready() -> None:
    """Raise MissingExtra unless the statistics packages can be imported."""
    with needed("judging arms", "scipy and statsmodels", extra="compare"):
        import scipy.stats  # noqa: F401
        import statsmodels.stats.multitest  # noqa: F401


def duels(
    grids: Grids, pairs: Sequence[tuple[str, str]], radii: Sequence[int], terms: Terms, *, collapsed: Iterable[str] = ()
) -> tuple[PairedComparison, ...]:
    """Return arm against other at every radius, for pairs that have rows in common; collapsed: arms that are never praised."""
    resampling = Resampling(len(grids.seeds), len(grids.samples), terms, tests=len(pairs) * len(radii))
    fought = [duel for arm, other in pairs for r in radii for duel in _duel(grids, arm, other, r, resampling)]
    corrected = holm([duel.p for duel in fought])
    dead = set(collapsed)
    return tuple(_worded(replace(duel, holm=p), terms, dead) for duel, p in zip(fought, corrected, strict=True))


def _duel(grids: Grids, arm: str, other: str, radius: int, resampling: Resampling) -> Iterator[PairedComparison]:
    """Yield the duel without its word, or nothing where no (seed, sample) has both arms."""
    (low, high), (other_low, other_high) = (grids.of(name, radius, certified) for name in (arm, other))
    least, most = low - other_high, high - other_low
    if np.isnan(least).all():
        return
    terms, apart = resampling.terms, (-1.0, 1.0)
    wide = resampling.estimate(least, most, alpha=2 * terms.alpha, reach=apart)
    seeds = _by_seed(least), _by_seed(most)
    yield PairedComparison(
        arm,
        other,
        radius,
        difference=resampling.estimate(least, most, reach=apart),
        wide=wide,
        mcnemar=tuple(_seedwise(grids.seeds, least, most)),
        wilcoxon=wilcoxon(*seeds, seed=terms.seed),
        p=resampling.p(least, most),
        holm=1.0,
        equivalent=all(_is_within(e, terms) for e in (wide, over_seeds(*seeds, 2 * terms.alpha))) and _is_telling(least, terms),
        judgement=Judgement.UNDECIDED,
        over_seeds=over_seeds(*seeds, terms.alpha),
    )


def _is_telling(differences: Grid, terms: Terms) -> bool:
    """Return whether samples that differ as often as margin says would all be missed with a probability of at most alpha."""
    return (1 - min(terms.margin, 1.0)) ** distinct(differences) <= terms.alpha


def _is_within(interval: Estimate | None, terms: Terms) -> bool:
    return interval is not None and -terms.margin <= interval.lower and interval.upper <= terms.margin


def _worded(duel: PairedComparison, terms: Terms, collapsed: set[str]) -> PairedComparison:
    dead = bool({duel.arm, duel.other} & collapsed)
    return replace(duel, judgement=Judgement.COLLAPSED if dead else word(duel, terms))


def word(duel: PairedComparison, terms: Terms) -> Judgement:
    """Return the plain word that the head of this file explains, for arms without a collapsed network."""
    if len(duel.mcnemar) < FEWEST_SEEDS or duel.over_seeds is None:
        return Judgement.UNDECIDED
    if duel.holm <= terms.alpha and min(duel.difference.lower, duel.over_seeds.lower) > 0:
        return Judgement.BETTER
    if duel.holm <= terms.alpha and max(duel.difference.upper, duel.over_seeds.upper) < 0:
        return Judgement.WORSE
    return Judgement.EQUIVALENT if duel.equivalent else Judgement.UNDECIDED


def over_seeds(least: Grid, most: Grid, alpha: float) -> Estimate | None:
    """Return Student's interval, level 1 - alpha, of the mean over seeds, whatever UNKNOWN rows are; None with fewer than two."""
    from scipy import stats

    if len(least) < 2:
        return None
    far = float(stats.t.ppf(1 - alpha / 2, len(least) - 1)) / len(least) ** 0.5
    low, high = float(least.mean()), float(most.mean())
    return Estimate(low, high, low - far * float(least.std(ddof=1)), high + far * float(most.std(ddof=1)))


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


def collapse(
    predicted: Sequence[int], labels: Sequence[int], classes: int, terms: Terms, *, codes: Sequence[Sequence[int]] = ()
) -> str:
    """Return in a sentence why a model that says this to samples of these labels hardly looks at its input, or "".

    Constant in its answers or its latent code (codes, one per sample), or at chance level: no better than always answering the
    commonest class. `training.record` calls the same a collapse.
    """
    from scipy import stats

    seen = f"all {len(predicted)} samples that no training touched"
    if len(set(predicted)) == 1 and len(set(labels)) > 1:
        return f"constant: the answer is {predicted[0]} on {seen}"
    if len(codes) > 1 and len(set(map(tuple, codes))) == 1:
        return f"constant: one latent code on {seen}"
    right, most = sum(p == q for p, q in zip(predicted, labels, strict=True)), max(map(labels.count, set(labels)), default=0)
    chance = most / len(labels) if labels else 1.0
    telling = chance ** len(predicted) < terms.alpha  # with very few samples even no mistake proves nothing
    if telling and stats.binomtest(right, len(predicted), chance, alternative="greater").pvalue >= terms.alpha:
        of = f"{right} of {len(predicted)} right on samples that no training touched"
        return f"chance level: {of}, no better than one class for all ({most}, among {classes} classes)"
    return ""
