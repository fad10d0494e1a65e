"""A plot is an SVG in the reader's colours, as an address to put into an HTML file (the only home of matplotlib)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import StringIO
from typing import Any

from bnnverify.extras import needed

INK = "#010203"  # becomes the colour of the reader's text
INKED = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color", "hatch.color")
COLORS = ("#3a86c8", "#d9782d", "#2e9e6b", "#c05299", "#8b6fd4", "#b08900", "#d65050", "#2aa3ad", "#8d8d8d", "#7c8f2f")
MARKERS = "osD^vPX*ph"
READER = "<style>svg { color: #222 } @media (prefers-color-scheme: dark) { svg { color: #ddd } }</style>"


def ready() -> None:
    """Raise MissingExtra unless matplotlib can be imported."""
    with needed("the report", "matplotlib", extra="report"):
        import matplotlib.figure  # noqa: F401


def drawn(across: str, up: str, draw: Callable[[Any], None]) -> str:
    """Return a plot with these labels on its axes as a data address; draw(axes) draws everything else.

    The ground is transparent and the ink that of the reader, light or dark. The same plot is always the same text. As an image
    of its own it shares no element names with other plots, as it would inside the page.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.rcsetup import cycler

    cycle = cycler(color=COLORS) + cycler(marker=list(MARKERS))
    style: dict[Any, Any] = dict.fromkeys(INKED, INK) | {"axes.spines.top": False, "axes.spines.right": False}
    with rc_context({**style, "svg.hashsalt": "bnnverify", "axes.prop_cycle": cycle}):
        figure = Figure(figsize=(5, 3.5), layout="constrained")
        axes = figure.add_subplot(xlabel=across, ylabel=up)
        axes.grid(alpha=0.2)
        draw(axes)
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside lower center", ncols=2, frameon=False)
        return _address(_svg(figure))


def _svg(figure: Any) -> str:
    text = StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue().replace(INK, "currentColor")
    start = svg.index(">", svg.index("<svg")) + 1
    return svg[svg.index("<svg") : start] + READER + svg[start:]


def _address(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
