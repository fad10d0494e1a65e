"""Plots as SVG texts (the only home of matplotlib)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from io import StringIO
from typing import Any

from bnnverify.extras import needed
from bnnverify.result import Certification, Verdict


def ready() -> None:
    """Raise MissingExtra unless matplotlib can be imported."""
    with needed("the report", "matplotlib", extra="report"):
        import matplotlib.figure  # noqa: F401


def _axes(title: str, across: str, up: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=across, ylabel=up)
    axes.grid(alpha=0.3)
    return figure, axes


def _svg(figure: Any) -> str:
    """Return the figure as one SVG element, the same text for the same figure."""
    from matplotlib import rc_context

    text = StringIO()
    with rc_context({"svg.hashsalt": "bnnverify"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def accuracy_plot(certifications: Sequence[Certification]) -> str:
    """Return certified accuracy over the radius; radius 0 is the clean accuracy, UNKNOWN samples are a band above."""
    known = [(c.radius, c.certified_accuracy, c.share(Verdict.UNKNOWN, correct_only=True)) for c in certifications]
    points = [(radius, low, low + extra) for radius, low, extra in known if low is not None and extra is not None]
    clean = certifications[0].clean_accuracy
    if clean is not None:
        points.insert(0, (0, clean, clean))
    radii, low, high = [p[0] for p in points], [_percent(p[1]) for p in points], [_percent(p[2]) for p in points]
    figure, axes = _axes("Certified accuracy", "radius (flipped bits)", "percent of samples")
    axes.fill_between(radii, low, high, alpha=0.3, label="UNKNOWN")
    axes.plot(radii, low, marker="o", label="right and ROBUST")
    axes.set_ylim(0, 100)
    axes.set_xticks(radii)
    axes.legend()
    return _svg(figure)


def density_plot(certifications: Sequence[Certification]) -> str:
    """Return each sample's adversarial density, most robust first, one line per radius.

    Exact zeros lie on the floor, open counts at their upper end.
    """
    figure, axes = _axes("Adversarial density per sample", "samples, most robust first", "adversarial share (lowest line: none)")
    floor = min(Fraction(1, c.size) for c in certifications) / 2
    for certification in certifications:
        densities = sorted(Fraction(row.adversarial.high, certification.size) for row in certification.rows)
        axes.plot([float(max(d, floor)) for d in densities], drawstyle="steps-mid", label=f"radius {certification.radius}")
    axes.set_yscale("log")
    axes.legend()
    return _svg(figure)


def _percent(part: Fraction) -> float:
    return float(part * 100)
