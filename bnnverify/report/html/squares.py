"""Pictures made of squares, as SVG elements that take their colours from the page."""

from __future__ import annotations

from collections.abc import Sequence

STATES = {(1, 1): "on", (0, 1): "added", (1, 0): "removed"}
FAINTEST = 0.06


def nearest(sample: Sequence[int], flips: Sequence[int], shape: tuple[int, int]) -> str:
    """Return the picture of a sample (n,) with these positions flipped."""
    flipped = set(flips)
    return changed(sample, [bit ^ (i in flipped) for i, bit in enumerate(sample)], shape)


def changed(before: Sequence[int], after: Sequence[int], shape: tuple[int, int]) -> str:
    """Return the picture of an input (n,), the bits that were switched on or off since before marked."""
    columns = shape[1]
    squares = [
        _square(i, columns, f'class="{STATES[pair]}"') for i, pair in enumerate(zip(before, after, strict=True)) if pair in STATES
    ]
    return _framed(squares, shape)


def heat(counts: Sequence[int], shape: tuple[int, int]) -> str:
    """Return one square per position (n,), from faint at the smallest count to full at the largest."""
    least, most = min(counts), max(counts)
    strengths = [FAINTEST + (1 - FAINTEST) * (count - least) / ((most - least) or 1) for count in counts]
    squares = [_square(i, shape[1], f'class="heat" fill-opacity="{strength:.3f}"') for i, strength in enumerate(strengths)]
    return _framed(squares, shape)


def _square(i: int, columns: int, style: str) -> str:
    row, column = divmod(i, columns)
    return f'<rect x="{column + 0.04:g}" y="{row + 0.04:g}" width="0.92" height="0.92" {style}/>'


def _framed(squares: Sequence[str], shape: tuple[int, int]) -> str:
    rows, columns = shape
    box = f'viewBox="-0.1 -0.1 {columns + 0.2:g} {rows + 0.2:g}"'
    frame = f'<rect x="0" y="0" width="{columns}" height="{rows}" class="frame"/>'
    return f'<svg class="squares" {box} aria-hidden="true">{frame}{"".join(squares)}</svg>'
