"""Statistics and resampling: numbers that follow by hand or are published, and intervals whose distribution is known."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from bnnverify.queries.comparison import statistics
from bnnverify.queries.comparison.bootstrap import Resampling
from bnnverify.queries.comparison.metrics import Grids, metrics_of
from bnnverify.queries.comparison.models import collapse_of
from bnnverify.results.comparison import Conclusion, Estimate, PairedComparison, Terms
from tests.support.results import outcome, outcomes

TERMS = Terms(resamples=4000)


def pair(arm: list[str], other: list[str], terms: Terms = TERMS, collapsed: tuple[str, ...] = ()) -> PairedComparison:
    grids = Grids([*outcomes("a", arm), *outcomes("b", other)])
    (found,) = statistics.paired_comparisons(grids, [("a", "b")], (1,), terms, collapsed=collapsed)
    return found


@pytest.mark.parametrize(
    ("only", "other_only", "p"),
    [
        (0, 0, 1.0),  # nothing speaks for a difference
        (5, 0, 2 / 2**5),  # all five coins on one side, or all on the other
        (8, 1, 2 * (comb(9, 0) + comb(9, 1)) / 2**9),
        (1, 8, 2 * (comb(9, 0) + comb(9, 1)) / 2**9),
        (3, 3, 1.0),
        (2, 9, 0.06543),  # Fay, "Exact McNemar's test and matching confidence intervals" (R package exact2x2), section 1
        (86, 150, 3.716e-5),  # Agresti, "Categorical data analysis" (1990), table 10.1: approval of a president, asked twice
    ],
)
def test_mcnemar_is_the_binomial_test_of_the_pairs_that_differ(only: int, other_only: int, p: float) -> None:
    assert statistics.mcnemar(only, other_only) == pytest.approx(p, rel=1e-4)


def test_holm_by_hand() -> None:
    # smallest first: 3 * 0.01, then 2 * 0.03, then 1 * 0.04, which may not be smaller than the one before
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([0.9, 0.8]) == [1.0, 1.0]
    assert statistics.holm([]) == []


def test_holm_of_published_p_values() -> None:
    """Benjamini and Hochberg, J. R. Statist. Soc. B 57 (1995), section 3.2: three of 15 are left."""
    ps = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    corrected = statistics.holm(ps)
    assert corrected[:4] == pytest.approx([15 * 0.0001, 14 * 0.0004, 13 * 0.0019, 12 * 0.0095])
    assert [p <= 0.05 for p in corrected] == [True] * 3 + [False] * 12
    assert statistics.holm(ps[::-1]) == corrected[::-1]


def signed_rank(*differences: float) -> float | None:
    values = np.array(differences)
    return statistics.wilcoxon(values, values)


def test_wilcoxon_by_hand() -> None:
    assert signed_rank(0.1, 0.2, 0.3, 0.4, 0.5) == pytest.approx(2 / 32)  # one of 2^5 ways to put the signs, and its opposite
    assert signed_rank(0.1, 0.1, 0.1) == pytest.approx(2 / 8)  # ties
    assert signed_rank(0.0, 0.0) == 1.0
    assert signed_rank(0.3) is None
    # ranks 1 2 3 4 with the 1 negative: sums of at most 1 in 2 of 16 ways, and as many on the other side
    assert signed_rank(-0.1, 0.2, 0.3, 0.4) == pytest.approx(4 / 16)


def test_wilcoxon_between_unknown_ends() -> None:
    low, high = np.array([-0.1, -0.1]), np.array([0.2, 0.3])
    assert statistics.wilcoxon(low, high) == 1.0
    strong, weak = np.array([0.1, 0.2, 0.3, 0.4]), np.array([-0.1, 0.2, 0.3, 0.4])
    assert statistics.wilcoxon(weak, strong) == statistics.wilcoxon(weak, weak)


def test_resampling_of_equal_pairs_has_no_width() -> None:
    resampling = Resampling(3, 5, TERMS)
    zero = np.zeros((3, 5))
    assert resampling.estimate(zero, zero) == Estimate(0.0, 0.0, 0.0, 0.0)
    assert resampling.p(zero, zero) == 1.0
    assert resampling.estimate(zero + 1, zero + 1) == Estimate(1.0, 1.0, 1.0, 1.0)
    assert resampling.p(zero + 1, zero + 1) == pytest.approx(2 / 4001)


def test_resampling_draws_seeds_and_samples_with_replacement() -> None:
    """Two seeds of one sample each: mean 0, 1/2 or 1 with chances 1/4, 1/2, 1/4; two samples of one seed likewise."""
    for grid in (np.array([[0.0], [1.0]]), np.array([[0.0, 1.0]])):
        means = Resampling(*grid.shape, Terms(resamples=20_000)).means(grid)
        assert [np.mean(means == value) for value in (0, 0.5, 1)] == pytest.approx([0.25, 0.5, 0.25], abs=0.02)


def test_all_seeds_see_the_same_drawn_samples() -> None:
    """Every seed agrees on each of two samples: were samples drawn anew per seed, means of 1/4 would occur."""
    grid = np.array([[0.0, 1.0]] * 4)
    assert set(Resampling(4, 2, TERMS).means(grid).tolist()) == {0.0, 0.5, 1.0}


def test_missing_rows_are_left_out_not_counted_as_0() -> None:
    grid = np.array([[1.0, np.nan], [1.0, 1.0]])
    assert Resampling(2, 2, TERMS).estimate(grid, grid) == Estimate(1.0, 1.0, 1.0, 1.0)


def test_replicates_follow_from_the_seed_alone() -> None:
    grid = np.random.default_rng(3).integers(0, 2, (3, 9)).astype(float)
    one, two = (Resampling(3, 9, Terms(resamples=500, seed=seed)).means(grid) for seed in (1, 2))
    assert np.array_equal(one, Resampling(3, 9, Terms(resamples=500, seed=1)).means(grid))
    assert not np.array_equal(one, two)


MANY = 70  # pairs from which on 5 points would have shown: 0.95^59 < 0.05


def test_better_and_worse() -> None:
    strong, weak = ["+" * 12] * 5, ["+" * 3 + "-" * 9] * 5
    found = pair(strong, weak)
    assert found.conclusion is Conclusion.BETTER
    assert found.difference.low == found.difference.high == 0.75
    assert 0 < found.difference.lower < 0.75 < found.difference.upper <= 1
    assert [(test.only, test.other_only, test.p) for test in found.mcnemar] == [(9, 0, pytest.approx(2 / 2**9))] * 5
    assert found.wilcoxon == pytest.approx(2 / 32)
    assert pair(weak, strong).conclusion is Conclusion.WORSE


def test_equivalent_needs_enough_distinct_samples_and_seeds() -> None:
    assert pair(["+" * MANY] * 5, ["+" * MANY] * 5).conclusion is Conclusion.EQUIVALENT
    assert pair(["+" * MANY] * 4, ["+" * MANY] * 4).conclusion is Conclusion.UNDECIDED
    assert pair(["-" * 30] * 5, ["-" * 30] * 5).conclusion is Conclusion.UNDECIDED  # 150 rows, but 30 samples
    assert pair(["+" * 20] * 5, ["+" * 20] * 5, Terms(margin=0.2, resamples=1000)).conclusion is Conclusion.EQUIVALENT
    assert not pair(["+" * MANY] * 5, ["+" * MANY] * 5, Terms(margin=0.0, resamples=1000)).equivalent
    # one sample of 70 differs: the interval has a width of its own, and 30 samples would not have been enough
    assert not pair(["+" * 29 + "-"] * 5, ["+" * 30] * 5, Terms(margin=0.09, resamples=1000)).equivalent


def test_few_seeds_or_seeds_that_disagree_leave_it_undecided() -> None:
    assert pair(["+" * 12] * 4, ["-" * 12] * 4).conclusion is Conclusion.UNDECIDED
    assert pair(["+" * 12] * 5, ["-" * 12] * 5).conclusion is Conclusion.BETTER
    luck = pair(["+" * 60] * 3 + ["+" * 3 + "-" * 57] * 2, ["-" * 60] * 5)  # seed means 1, 1, 1, 0.05, 0.05
    assert luck.difference.lower > 0
    assert luck.holm <= TERMS.alpha
    assert luck.over_seeds is not None
    assert luck.over_seeds.lower < 0
    assert luck.conclusion is Conclusion.UNDECIDED


def test_students_interval_by_hand() -> None:
    # mean 2, standard deviation 1, 3 seeds: 4.3027 is the 97.5 % point of t with 2 degrees of freedom
    found = statistics.over_seeds(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]), 0.05)
    assert found is not None
    far = 4.3027 / 3**0.5
    assert (found.lower, found.upper) == (pytest.approx(2 - far, abs=1e-4), pytest.approx(2 + far, abs=1e-4))
    assert statistics.over_seeds(np.array([1.0]), np.array([1.0]), 0.05) is None


def test_numbers_that_are_all_alike_have_an_exact_interval() -> None:
    none, share = np.zeros((2, 12)), 1 - 0.05 ** (1 / 12)  # 12 samples, however many seeds look at them
    resampling = Resampling(2, 12, TERMS)
    assert resampling.estimate(none, none, limits=(0, 1)).upper == pytest.approx(share)
    assert resampling.estimate(none + 1, none + 1, limits=(0, 1)).lower == pytest.approx(1 - share)
    apart = resampling.estimate(none, none, limits=(-1, 1))
    assert (apart.lower, apart.upper) == (pytest.approx(-share), pytest.approx(share))
    shown = {f.name: f.estimate for f in metrics_of(Grids(outcomes("a", ["-" * 12])), ("a",), (1,), TERMS)}
    assert (shown["certified"].lower, shown["certified"].upper) == (0.0, pytest.approx(share))
    assert pair(["-" * 12], ["-" * 12]).difference.upper == pytest.approx(share)


def test_resamples_grow_with_the_number_of_tests() -> None:
    grid = np.ones((2, 3))
    many = Resampling(2, 3, Terms(resamples=100), tests=20)
    assert many.resamples == 16_000
    assert many.p(grid, grid) * 20 < 0.05 < Resampling(2, 3, Terms(resamples=100)).p(grid, grid) * 20
    assert Resampling(2, 10_000, Terms(resamples=100), tests=20).resamples == 2**24 // 10_000


def test_undecided_where_little_is_known() -> None:
    found = pair(["+-+-"], ["-++-"])
    assert found.conclusion is Conclusion.UNDECIDED
    assert found.wilcoxon is None
    assert found.difference.low == 0


def test_unknown_rows_count_from_both_ends() -> None:
    strong, weak = ["+" * 12] * 5, ["-" * 12] * 5
    found = pair(["+" * 12] * 5, ["?" * 12] * 5)
    assert (found.difference.low, found.difference.high) == (0.0, 1.0)
    assert found.difference.lower == pytest.approx(0.05 ** (1 / 12) - 1)
    assert found.difference.upper == 1.0
    assert found.p == 1.0
    assert found.conclusion is Conclusion.UNDECIDED
    assert all(test.p == 1.0 for test in found.mcnemar)
    some = pair(["+" * 11 + "?"] * 5, weak)  # better whatever the unknown rows are
    assert some.conclusion is Conclusion.BETTER
    assert [test.only for test in some.mcnemar] == [11] * 5
    assert not pair(["?" * MANY] * 5, ["+" * MANY] * 5).equivalent
    assert pair(strong, ["?" * 12] * 5, collapsed=("a",)).conclusion is Conclusion.COLLAPSED


def test_wrong_answers_are_not_certified() -> None:
    rows = [outcome("a", 0, k, predicted=2) for k in range(8)] + [outcome("b", 0, k) for k in range(8)]
    (found,) = statistics.paired_comparisons(Grids(rows), [("a", "b")], (1,), TERMS)
    assert found.difference.low == found.difference.high == -1.0
    numbers = {(f.arm, f.name): f.estimate.low for f in metrics_of(Grids(rows), ("a", "b"), (1,), TERMS)}
    assert numbers["a", "certified"] == numbers["a", "accuracy"] == 0.0
    assert numbers["a", "stable"] == numbers["b", "stable"] == numbers["b", "certified"] == 1.0


def test_only_pairs_of_the_same_seed_and_sample_are_compared() -> None:
    found = pair(["++++", "...."], ["--..", "++++"])
    assert found.difference.low == found.difference.high == 1.0
    assert len(found.mcnemar) == 1
    assert statistics.paired_comparisons(Grids([*outcomes("a", ["+."]), *outcomes("b", [".+"])]), [("a", "b")], (1,), TERMS) == ()


def test_holm_is_over_all_paired_comparisons_of_the_comparison() -> None:
    rows = [*outcomes("a", ["+" * 12]), *outcomes("b", ["-" * 12]), *outcomes("c", ["+" * 12])]
    found = statistics.paired_comparisons(Grids(rows), [("a", "b"), ("c", "b"), ("a", "c")], (1,), TERMS)
    assert [d.p for d in found] == [pytest.approx(2 / 4001)] * 2 + [1.0]
    assert [d.holm for d in found] == [pytest.approx(6 / 4001)] * 2 + [1.0]


def test_a_collapsed_network_is_never_better() -> None:
    stable, weak = ["+" * 12] * 3, ["-" * 12] * 3
    for arm, other in ((stable, weak), (weak, stable), (stable, stable)):
        for dead in ("a", "b"):
            assert pair(arm, other, collapsed=(dead,)).conclusion is Conclusion.COLLAPSED


def test_collapses() -> None:
    def collapse(predicted: list[int], labels: list[int]) -> str:
        return collapse_of(predicted, labels, 10, TERMS)

    assert collapse([3] * 6, [0, 1, 2, 3, 3, 3]) == "constant: the answer is 3 on all 6 samples that no training touched"
    assert collapse([3] * 6, [3] * 6) == ""  # nothing else was asked for
    assert collapse([0, 1, 2, 3], [0, 1, 2, 3]) == ""
    assert collapse([0, 1, 2, 3, 4], [5, 6, 7, 8, 9]).endswith("no better than one class for all (1, among 10 classes)")
    assert collapse_of([0] * 99 + [1], [0] * 90 + [1] * 10, 2, Terms()).startswith("chance level: 91 of 100 right")
    assert collapse_of([0] * 90 + [1] * 10, [0] * 90 + [1] * 10, 2, Terms()) == ""
    assert "one latent code" in collapse_of([3] * 2, [3] * 2, 10, TERMS, codes=[[0, 1], [0, 1]])
    assert collapse([1], [2]) == ""  # 1 in 10 is right by chance: too few to tell


def test_distances_beyond_the_radius_count_as_one_more() -> None:
    rows = [
        outcome("a", 0, 0, "VULNERABLE", radius=3, distance=2, beyond=1, attacked=True, greedy=3, gradient=None),
        outcome("a", 0, 1, radius=3, beyond=3, attacked=True),
        outcome("a", 0, 2, "UNKNOWN", radius=3, beyond=1, attacked=True),
    ]
    numbers = {f.name: f.estimate for f in metrics_of(Grids(rows), ("a",), (3,), TERMS)}
    assert (numbers["distance"].low, numbers["distance"].high) == (pytest.approx((2 + 4 + 2) / 3), pytest.approx((2 + 4 + 4) / 3))
    assert numbers["greedy"].low == pytest.approx((3 + 4 + 4) / 3)
    assert (numbers["gradient_gap"].low, numbers["gradient_gap"].high) == (pytest.approx(2 / 3), pytest.approx(4 / 3))
    assert "codes" not in numbers


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "least"), [(10, 0.93), (3, 0.86)])
def test_intervals_contain_the_true_difference(seeds: int, least: float) -> None:
    """Networks and pictures drawn at random, with effects of pictures on arms that all seeds share; 50 pictures, level 0.95.

    With few seeds nothing can make up for what was not seen: the interval is then too narrow, and a note says so.
    """
    random = np.random.default_rng(7)
    worlds, hits, truth = 400, 0, np.mean([_difference(random, 100, 1000).mean() for _ in range(40)])
    for _ in range(worlds):
        grid = _difference(random, seeds, 50)
        estimate = Resampling(seeds, 50, Terms(resamples=800)).estimate(grid, grid)
        hits += estimate.lower <= truth <= estimate.upper
    assert least <= hits / worlds <= 0.995


def _difference(random: np.random.Generator, seeds: int, samples: int) -> np.ndarray:
    hardness, arms = random.normal(0, 1.5, samples), []
    for shift in (0.3, 0.0):
        favour, luck = random.normal(0, 1, samples), random.normal(0, 0.4, (seeds, 1))
        arms.append(hardness + favour + luck + random.normal(0, 1, (seeds, samples)) + shift > 0)
    return arms[0].astype(float) - arms[1]
