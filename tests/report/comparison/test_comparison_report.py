"""The page of a comparison: everything is on it, nothing is rounded away, nothing that collapsed is favoured."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from html import unescape
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from bnnverify import Count, Verdict
from bnnverify.report.comparison import codes, sentences
from bnnverify.report.comparison.page import estimates, page, plots, tables
from bnnverify.report.html import squares
from bnnverify.report.terminal import compare_table
from bnnverify.results.comparison import Comparison, Conclusion, Estimate, Metric
from tests.support.results import ARMS, DEAD, ODD, PLAIN, RADII, Tags, compared

VOID = ("meta", "img", "br")


@pytest.fixture(scope="module")
def html() -> str:
    return page(compared())


def words(html: str) -> str:
    """Return what a reader sees, in one line."""
    return " ".join(unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.S)).split())


def section(html: str, title: str) -> str:
    """Return what a reader sees from this title to the next one."""
    return words(html.split(title, 1)[1].split("<h2>")[0])


def test_the_page_is_one_well_formed_file_without_scripts_or_addresses(html: str) -> None:
    tags = Tags(VOID)
    tags.feed(html)
    assert (tags.open, tags.loaded) == ([], [])
    assert not re.search(r"https?:|<script|<link|@import|@font-face|url\(", html)


def test_every_arm_radius_verdict_number_and_command_is_there(html: str) -> None:
    seen = words(html)
    for word in (*ARMS, *(f"radius {r}" for r in RADII), *(v.value for v in Verdict), "better", "undecided", "collapsed"):
        assert word in seen
    assert "bnnverify compare --radii 1,2 & more" in seen
    assert "scipy 1.17" in seen
    assert "2 seeds: intervals tell little" in seen
    assert "3 arms with 2 seeds, the same 3 samples of tiny, radii 1, 2: 36 of 36 rows finished, 1 of them UNKNOWN" in seen
    assert "peaks distance" in seen
    assert "66.67 % (2 of 3)" in seen


def test_names_are_never_markup(html: str) -> None:
    assert "<i>odd" not in html
    assert "&lt;i&gt;odd&lt;/i&gt;&amp;$x_中" in html


def test_the_page_is_the_same_for_the_same_comparison(html: str) -> None:
    assert page(compared()) == html


def test_open_rows_are_seen_wherever_they_count(html: str) -> None:
    assert "50.00 % .. 62.50 % [37.50 %, 75.00 %]" in section(html, "Accuracy and certified accuracy")
    assert f"{ODD} 2 2 3 1 6 0 bits 6" not in section(html, "Accuracy and certified accuracy")
    (open_,) = (v for v in tables.verdicts(compared()) if v.times["UNKNOWN"])
    assert (open_.arm, open_.radius, open_.rows, open_.missing) == (ODD, 2, 6, 0)
    assert dict(open_.times) == {"VULNERABLE": 4, "ROBUST": 1, "UNKNOWN": 1}
    assert f"{ODD} 2 1 4 1 6 0 bits 6" in section(html, "Accuracy and certified accuracy")


def test_missing_rows_are_counted() -> None:
    comparison = compared(rows=compared().rows[:-2])
    assert [v.missing for v in tables.verdicts(comparison)] == [0, 0, 0, 0, 1, 1]
    assert "34 of 36 rows finished" in sentences.scope(comparison)


def test_a_collapsed_arm_is_flagged_everywhere_and_no_conclusion(html: str) -> None:
    comparison = compared()
    assert sentences.collapses(comparison) == ["dead, seed 1: the same class, 0, for all 3 samples"]
    assert "dead, seed 1: the same class, 0, for all 3 samples" in words(html.split("<h2>")[0])
    assert f"{DEAD} against {PLAIN}: no conclusion, since {DEAD} collapsed." in sentences.verdicts(comparison)
    assert DEAD not in tables.ranks(comparison, "distance")
    badges = re.findall(r"<td>dead(.*?)</td>", html)
    assert badges
    assert all(badge == "" or "COLLAPSED" in badge for badge in badges)
    assert badges.count("") == 2  # in the list of networks, where a column of its own says why


def test_even_a_conclusion_in_favour_of_a_collapsed_arm_is_not_repeated() -> None:
    favoured = [replace(pair, conclusion=Conclusion.BETTER) for pair in compared().paired_comparisons]
    assert "better" not in next(
        line for line in sentences.verdicts(compared(paired_comparisons=tuple(favoured))) if line.startswith(DEAD)
    )


def test_verdict_sentences_give_word_radius_difference_and_interval() -> None:
    assert sentences.verdicts(compared())[0] == (
        f"{ODD} against {PLAIN}: better at radius 1 (+12.5 [-25.0, +50.0] points); "
        "undecided at radius 2 (+12.5 [-25.0, +50.0] points)."
    )


def test_pairs_show_every_test(html: str) -> None:
    seen = section(html, "Pairs of arms")
    assert f"{ODD} {PLAIN} 1 +12.5 [-25.0, +50.0] better 0.030 0.060 [0.0, +25.0] –" in seen
    assert "2, 1 (0.250) 3, 0 (< 0.001)" in seen


def test_shells_are_summed_and_uncounted_ones_are_open() -> None:
    found = {(shell.arm, shell.distance): shell for shell in tables.shells(compared())}
    assert found[PLAIN, 1] == tables.Shell(PLAIN, 1, Count.exactly(2), 36, 0)
    assert found[PLAIN, 2] == tables.Shell(PLAIN, 2, Count.exactly(4), 90, 0)
    assert found[DEAD, 2].adversarial == Count.exactly(0)
    assert found[ODD, 2] == tables.Shell(ODD, 2, Count(4, 4 + 15), 90, 1)


def test_survival_is_cut_off_and_open_rows_are_a_band() -> None:
    spread = {survival.arm: survival for survival in tables.survival(compared())}
    assert spread[PLAIN].low == spread[PLAIN].high == (Fraction(1), Fraction(2, 3), Fraction(1, 3))
    assert spread[DEAD].low == (Fraction(1),) * 3
    assert (spread[ODD].low[2], spread[ODD].high[2]) == (Fraction(1, 6), Fraction(2, 6))


def test_attacks_that_miss_are_counted() -> None:
    found = {missed.arm: missed for missed in tables.missed(compared())}
    assert found[PLAIN] == tables.Missed(PLAIN, 4, 0, 2)
    assert found[ODD] == tables.Missed(ODD, 4, 0, 0)


def test_rankings_report_misleading_attacks() -> None:
    assert sentences.rankings(compared())[:3] == [
        f"By mean exact distance, largest first: {ODD}, {PLAIN}.",
        f"By the gradient attack alone: {PLAIN}, {ODD}.",
        "The attack misleads: by its distances alone, the order of the arms would change.",
    ]


def test_equal_numbers_share_a_rank() -> None:
    known = [Metric(arm, 2, name, Estimate(1.5, 1.5, 1, 2)) for arm in ARMS for name in ("distance", "gradient")]
    comparison = compared(metrics=tuple(known))
    assert tables.ranks(comparison, "distance") == {PLAIN: 1, ODD: 1}
    assert sentences.rankings(comparison)[0].endswith(f"{PLAIN} = {ODD}.")
    assert sentences.rankings(comparison)[2] == "Both orders are the same."


def test_an_open_number_has_no_rank_and_leaves_others_unsure() -> None:
    ends = {PLAIN: (2.0, 2.0), ODD: (1.5, 2.5)}
    known = tuple(Metric(arm, 2, "distance", Estimate(*end, 1, 3)) for arm, end in ends.items())
    assert tables.ranks(compared(metrics=known), "distance") == {}
    sure = (*known[:1], Metric(ODD, 2, "distance", Estimate(1.0, 1.5, 1, 3)))
    assert tables.ranks(compared(metrics=sure), "distance") == {PLAIN: 1}


def test_the_terminal_marks_collapsed_arms_and_names_its_numbers() -> None:
    console = Console(width=240, record=True, file=StringIO())
    console.print(compare_table(compared(samples=compared().samples[:1])))
    text = console.export_text()
    assert f"{DEAD} (collapsed)" in text
    assert f"{PLAIN} (collapsed)" not in text
    assert "distance (3 if larger)" in text
    assert "1 sample, 2 seeds" in text
    assert "50.0 [37.5, 62.5] of 3 bits" in text


def test_heat_sums_finished_counts_only() -> None:
    found = {heat.arm: heat for heat in tables.heats(compared())}
    assert found[PLAIN] == tables.Heat(PLAIN, 2, (8,) * 6, 8, 6)
    assert found[ODD].rows == 5
    assert found[DEAD].adversarial == 0
    assert found[PLAIN].share(2) == Fraction(1, 4)


def test_latent_bits_are_summed_per_network_most_stable_first() -> None:
    assert list(codes.bit_flips(compared(), PLAIN)) == [codes.BitFlips(seed, (0, 3, 12), 66) for seed in (0, 1)]
    assert codes.largest_share(compared()) == Fraction(12, 66)


def test_separation_is_a_mean_over_the_networks_that_have_both_classes(html: str) -> None:
    found = next(codes.separations(compared()))
    assert (found.width, found.least) == (3, (1, 2))
    assert (found.mean(0, 1), found.mean(0, 2)) == (Fraction(3, 2), None)
    assert f"{PLAIN}, 3 latent bits; bits between the nearest two classes, per seed: 1, 2" in section(html, "Latent codes")


def test_the_nearest_input_of_a_class_is_the_one_with_fewest_flips(html: str) -> None:
    rows = dict(tables.nearest(compared()))
    assert [(nearest.arm, nearest.row and nearest.row.sample) for nearest in rows[0]] == [(PLAIN, 40), (ODD, 40), (DEAD, None)]
    seen = section(html, "Nearest adversarial inputs")
    assert "0 → 2, 1 flip sample 40, seed 0" in seen
    assert "none within 2 flips" in seen


def test_squares_separate_on_from_switched_on_and_off() -> None:
    drawn = squares.nearest((0, 1, 1, 0, 0, 0), (0, 1), (2, 3))
    assert [drawn.count(f'class="{name}"') for name in ("on", "added", "removed", "frame")] == [1, 1, 1, 1]
    assert 'x="0.04" y="0.04" width="0.92" height="0.92" class="added"' in drawn
    assert 'viewBox="-0.1 -0.1 3.2 2.2"' in drawn


def test_heat_reaches_from_faint_to_full_even_when_all_is_alike() -> None:
    assert re.findall(r'fill-opacity="([\d.]+)"', squares.heat((5, 10, 15), (1, 3))) == ["0.060", "0.530", "1.000"]
    assert re.findall(r'fill-opacity="([\d.]+)"', squares.heat((0, 0), (1, 2))) == ["0.060", "0.060"]


def test_estimates_are_not_rounded_to_nothing_or_all() -> None:
    assert str(estimates.share(Estimate(1e-7, 1e-7, 0.0, 1.0))) == "1.0e-05 % [0 %, 100 %]"
    assert str(estimates.points(Estimate(-0.0001, 0.02, -0.5, 0.25))) == "0.0 .. +2.0 [-50.0, +25.0]"
    assert str(estimates.mean(Estimate(2.0, 2.0, 1.5, 2.25))) == "2.00 [1.50, 2.25]"
    assert str(estimates.share(None)) == ""
    assert [estimates.brief(n, 1000) for n in (0, 1, 500, 999, 1000)] == ["0", "< 1", "50", "> 99", "100"]
    assert [estimates.probability(p) for p in (None, 0.0, 0.0009, 0.0312, 1.0)] == ["", "< 0.001", "< 0.001", "0.031", "1.000"]
    assert [estimates.tenths(Fraction(n, 3)) for n in (0, 4, 6)] == ["0", "1.3", "2"]


@pytest.mark.parametrize("plot", [plots.certified_plot, plots.survival_plot, plots.density_plot, plots.attack_plot])
def test_plots_take_the_readers_colours_and_have_no_ground(plot: Callable[[Comparison], str]) -> None:
    svg = base64.b64decode(plot(compared()).split(",", 1)[1]).decode()
    assert "prefers-color-scheme: dark" in svg
    assert "currentColor" in svg
    assert not re.search(r"#010203|fill: #ffffff|<image|<script|href=\"(?!#)|url\((?!#)", svg)


def test_none_at_all_is_an_arrow_in_the_density_plot() -> None:
    def arrows(comparison: Comparison) -> list[int]:
        svg = base64.b64decode(plots.density_plot(comparison).split(",", 1)[1]).decode()
        return [group.split('<g id="')[0].count("<use") for group in svg.split('<g id="none-')[1:]]

    harmed = tuple(replace(row, shell=Count.exactly(1)) if row.arm == DEAD else row for row in compared().rows)
    assert arrows(compared()) == [0, 1, 2]  # nothing of ODD at distance 1, nothing of DEAD at all
    assert arrows(compared(rows=harmed)) == [0, 1, 0]


NOTHING: dict[str, object] = {"rows": (), "metrics": (), "paired_comparisons": ()}
BARE = [
    (NOTHING, ["No row is finished", sentences.NO_PAIRS, "there is no density", "No attack was tried"]),
    ({"shape": None}, ["The inputs are no pictures", "or the inputs are no pictures"]),
    ({"paired_comparisons": ()}, [sentences.NO_PAIRS]),
    ({"commands": (), "versions": {}}, ["bnnverify 0"]),
    ({"samples": (), **NOTHING}, ["the same 0 samples"]),
]


@pytest.mark.parametrize(("others", "expected"), BARE, ids=["rows", "shape", "paired_comparisons", "commands", "samples"])
def test_a_section_without_data_has_a_sentence(others: dict[str, object], expected: list[str]) -> None:
    seen = words(page(compared(**others)))
    assert all(sentence in seen for sentence in expected)


def test_rows_that_were_only_decided_leave_their_sections_empty() -> None:
    nothing: dict[str, Any] = {"shell": None, "latent": None, "heat": None, "witness": None, "attacked": False}
    rows = tuple(replace(row, **nothing) for row in compared().rows)
    bare = tuple(replace(model, separation=None, record={}) for model in compared().models)
    seen = words(page(compared(rows=rows, models=bare)))
    for sentence in ("there is no density", "The latent codes were not counted", "No network of this", "No attack was tried"):
        assert sentence in seen


REASONS = [
    ({"witness": None}, "there is one, but none was stored"),
    ({"witness": None, "verdict": Verdict.UNKNOWN}, "UNKNOWN"),
    ({"witness": None, "verdict": Verdict.ROBUST}, "none within 2 flips"),
    ({"predicted": 2}, "no sample rightly classified"),
]


@pytest.mark.parametrize(("others", "why"), REASONS, ids=["not stored", "unknown", "robust", "wrong"])
def test_a_missing_picture_has_a_reason(others: dict[str, Any], why: str) -> None:
    rows = tuple(replace(row, **others) for row in compared().rows)
    nearest = dict(tables.nearest(compared(rows=rows)))[0][0]
    assert (nearest.row, nearest.why) == (None, why)
