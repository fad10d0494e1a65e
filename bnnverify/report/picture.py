"""An input as a picture of characters, alone or beside a changed input."""

from __future__ import annotations

from collections.abc import Sequence

MARKS = {(0, 0): ".", (1, 1): "#", (0, 1): "+", (1, 0): "-"}
LEGEND = ". is 0, # is 1, + was switched on, - was switched off"
GAP = "     "


def picture(before: Sequence[int], after: Sequence[int], shape: tuple[int, int]) -> list[str]:
    """Return one line per picture row, with marks where the two inputs (n,) differ."""
    rows, columns = shape
    marks = [MARKS[pair] for pair in zip(before, after, strict=True)]
    return ["".join(marks[row * columns : (row + 1) * columns]) for row in range(rows)]


def side_by_side(before: Sequence[int], after: Sequence[int], shape: tuple[int, int]) -> list[str]:
    """Return the pictures of both inputs next to each other, the changes marked in the second."""
    left, right = picture(before, before, shape), picture(before, after, shape)
    return [f"{a}{GAP}{b}" for a, b in zip(left, right, strict=True)]


def original(bits: Sequence[int], flips: Sequence[int]) -> tuple[int, ...]:
    """Return bits with the flips undone."""
    flipped = set(flips)
    return tuple(bit ^ (i in flipped) for i, bit in enumerate(bits))
