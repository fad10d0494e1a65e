"""Plots of a study, as addresses to put into an HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from bnnverify.report.html.drawing import drawn
from bnnverify.results.certification import Certification
from bnnverify.results.finding import Verdict


def accuracy_plot(certifications: Sequence[Certification]) -> str:
    """Return certified accuracy over the radius; radius 0 is the clean accuracy, UNKNOWN samples are a band above."""
    known = [(c.radius, c.certified_accuracy, c.share(Verdict.UNKNOWN, correct_only=True)) for c in certifications]
    points = [(radius, low, low + extra) for radius, low, extra in known if low is not None and extra is not None]
    clean = certifications[0].clean_accuracy
    if clean is not None:
        points.insert(0, (0, clean, clean))
    radii, low, high = [p[0] for p in points], [_percent(p[1]) for p in points], [_percent(p[2]) for p in points]

    def draw(axes: Any) -> None:
        axes.plot(radii, low, label="right and ROBUST")
        axes.fill_between(radii, low, high, alpha=0.3, label="UNKNOWN")
        axes.set_ylim(0, 100)
        axes.set_xticks(radii)

    return drawn("radius (flipped bits)", "percent of samples", draw)


def density_plot(certifications: Sequence[Certification]) -> str:
    """Return each sample's adversarial density, most robust first, one line per radius.

    Exact zeros lie on the floor, open counts at their upper end.
    """
    floor = min(Fraction(1, c.size) for c in certifications) / 2

    def draw(axes: Any) -> None:
        for certification in certifications:
            densities = sorted(Fraction(row.adversarial.high, certification.points(row) or 1) for row in certification.rows)
            heights = [float(max(d, floor)) for d in densities]
            axes.plot(heights, drawstyle="steps-mid", marker="", label=f"radius {certification.radius}")
        axes.set_yscale("log")

    return drawn("samples, most robust first", "adversarial share (lowest line: none)", draw)


def _percent(part: Fraction) -> float:
    return float(part * 100)
