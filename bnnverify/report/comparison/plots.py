"""Plots of a comparison, as addresses to put into an HTML file; arms are drawn a little apart, so that none hides another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bnnverify.report.comparison import tables
from bnnverify.report.html.drawing import COLORS, MARKERS, drawn
from bnnverify.results.comparison import Comparison, Estimate

APART, SPREAD = 0.06, 0.5  # of a radius: between neighbouring arms, and between the outermost at most
DISTANCES = {"distance": "exact", "gradient": "gradient attack", "greedy": "greedy attack"}
LATIN_ENDS = "\u0250"
Known = Sequence[tuple[float, Estimate]]


def certified_plot(comparison: Comparison) -> str:
    """Return certified accuracy over the radius with intervals; radius 0 is the accuracy."""

    def draw(axes: Any) -> None:
        for arm, aside, style in _arms(comparison):
            known = [(0, comparison.metric(arm, "accuracy"))]
            known += [(radius, comparison.metric(arm, "certified", radius)) for radius in comparison.radii]
            _bars(axes, [(x + aside, e) for x, e in known if e], **style)
        axes.set_ylim(-2, 102)
        axes.set_xticks((0, *comparison.radii))

    return drawn("radius (flipped bits)", "right and ROBUST, percent", draw)


def survival_plot(comparison: Comparison) -> str:
    """Return in steps how many percent of the rows have a larger distance; open rows are a band, intervals are bars."""
    spread = {survival.arm: survival for survival in tables.survival(comparison)}
    across = (*range(comparison.radii[-1] + 1), comparison.radii[-1] + 0.5)

    def draw(axes: Any) -> None:
        for arm, aside, style in _arms(comparison):
            if arm in spread:
                low, high = ([float(100 * share) for share in (*ends, ends[-1])] for ends in (spread[arm].low, spread[arm].high))
                axes.plot(across, low, drawstyle="steps-post", color=style["color"], linestyle=style["linestyle"], marker="")
                axes.fill_between(across, low, high, step="post", alpha=0.3, color=style["color"], linewidth=0)
            known = [(radius + aside, comparison.metric(arm, "stable", radius)) for radius in comparison.radii]
            _bars(axes, [(x, e) for x, e in known if e], **{**style, "linestyle": ""})
        axes.set_ylim(-2, 102)
        axes.set_xlim(0, across[-1])
        axes.set_xticks(across[:-1])

    return drawn("r (flipped bits)", "distance larger than r, percent", draw)


def density_plot(comparison: Comparison) -> str:
    """Return the adversarial share per distance on a logarithmic scale; none at all is an arrow below, open is a bar upwards."""
    shells = list(tables.shells(comparison))
    floor = min((shell.adversarial.high / shell.size for shell in shells if shell.adversarial.high), default=1.0) / 10

    def draw(axes: Any) -> None:
        for arm, aside, style in _arms(comparison):
            mine = [(shell.distance + aside, shell.adversarial, shell.size) for shell in shells if shell.arm == arm]
            across = [x for x, _, _ in mine]
            low = [max(count.low / size, floor) for _, count, size in mine]
            axes.plot(across, low, markevery=[i for i, (_, count, _) in enumerate(mine) if count.low], **style)
            high = [max(count.high / size, floor) for _, count, size in mine]
            axes.vlines(across, low, high, color=style["color"], linewidth=2)
            none = [x for x, count, _ in mine if count.high == 0]
            arrows = {"marker": r"$\downarrow$", "markersize": 14, "linestyle": "", "color": style["color"]}
            axes.plot(none, [floor] * len(none), gid=f"none-{style['color']}", **arrows)
        axes.set_yscale("log")
        axes.set_xticks(comparison.radii)

    return drawn("distance (flipped bits, exactly)", "adversarial share", draw)


def attack_plot(comparison: Comparison) -> str:
    """Return for every arm the mean distance, exact and as found by two attacks, with intervals."""

    def draw(axes: Any) -> None:
        for i, (name, label) in enumerate(DISTANCES.items()):
            known = [(y + 0.2 * (i - 1), comparison.metric(arm, name)) for y, arm in enumerate(comparison.arms)]
            found = [(y, e) for y, e in known if e]
            means, ends = [e.low for _, e in found], _error_bars(found, 1)
            axes.errorbar(means, [y for y, _ in found], xerr=ends, linestyle="", capsize=3, label=label)
        axes.set_yticks(range(len(comparison.arms)), [_label(comparison, arm) for arm in comparison.arms])
        axes.invert_yaxis()

    return drawn("mean distance (flipped bits)", "", draw)


def _arms(comparison: Comparison) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """Yield every arm with its place beside the others and its style; collapsed arms are dotted and say so."""
    for i, arm in enumerate(comparison.arms):
        aside = min(APART, SPREAD / len(comparison.arms)) * (i - (len(comparison.arms) - 1) / 2)
        line = ":" if comparison.collapsed(arm) else "-"
        color, marker = COLORS[i % len(COLORS)], MARKERS[(i + i // len(COLORS)) % len(MARKERS)]
        yield arm, aside, {"label": _label(comparison, arm), "linestyle": line, "color": color, "marker": marker}


def _label(comparison: Comparison, arm: str) -> str:
    """Return an arm's name as matplotlib can set it: no formula, not hidden by an underscore, no letter its font lacks."""
    plain = "".join(letter if letter.isprintable() and letter < LATIN_ENDS else "?" for letter in arm).replace("$", r"\$")
    return f"{' ' if plain.startswith('_') else ''}{plain}{' (collapsed)' if comparison.collapsed(arm) else ''}"


def _bars(axes: Any, known: Known, **style: Any) -> None:
    """Draw shares in percent with their intervals, around the lower end where a share is open."""
    shares = [100 * e.low for _, e in known]
    axes.errorbar([x for x, _ in known], shares, yerr=_error_bars(known, 100), capsize=3, elinewidth=1, **style)


def _error_bars(known: Known, scale: float) -> list[list[float]]:
    """Return the lengths of the intervals below and above the numbers."""
    below = [scale * max(e.low - e.lower, 0.0) for _, e in known]
    return [below, [scale * max(e.upper - e.low, 0.0) for _, e in known]]
