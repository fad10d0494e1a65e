"""One HTML file with everything that a comparison found, and the commands that repeat it."""

from __future__ import annotations

from bnnverify.report.comparison import codes, estimates, plots, sentences, tables
from bnnverify.report.html import squares
from bnnverify.report.html.template import filled, ready
from bnnverify.results.comparison import Comparison

__all__ = ["page", "ready"]


def page(comparison: Comparison) -> str:
    """Return the comparison as one HTML text that needs no other file and no script; a section without data says so."""
    ready()
    return filled(
        "comparison.html.j2",
        c=comparison,
        level=f"{100 * (1 - comparison.terms.alpha):g} %",
        inputs=len(comparison.samples[0].bits) if comparison.samples else 0,
        samples={sample.index: sample for sample in comparison.samples},
        sentences=sentences,
        tables=tables,
        codes=codes,
        plots=plots,
        estimates=estimates,
        squares=squares,
    )
