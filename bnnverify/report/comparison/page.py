"""One HTML file with everything a comparison found, and how to find it again."""

from __future__ import annotations

from bnnverify.report.comparison import estimates, plots, tables
from bnnverify.report.comparison import sentences as told
from bnnverify.report.html import squares
from bnnverify.report.html.template import filled, ready
from bnnverify.results.comparison import Comparison

__all__ = ["page", "ready"]


def page(comparison: Comparison) -> str:
    """Return the comparison as one HTML text that needs no other file and no script; what it has no data for says so."""
    ready()
    return filled(
        "comparison.html.j2",
        c=comparison,
        level=f"{100 * (1 - comparison.terms.alpha):g} %",
        inputs=len(comparison.samples[0].bits) if comparison.samples else 0,
        samples={sample.index: sample for sample in comparison.samples},
        told=told,
        tables=tables,
        plots=plots,
        estimates=estimates,
        squares=squares,
    )
