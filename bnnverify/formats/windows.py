"""Convolutions and pools in terms of places: which inputs each output position reads, and the weight rows that follow."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.model.arrays import Integers
from bnnverify.model.matrix import Sparse

Places = NDArray[np.int64]

OUTSIDE = -1  # the place of padding
LARGEST_ARRAY = 2**25  # numbers: 256 MiB


@dataclass(frozen=True)
class Window:
    """A rectangle that slides over rows and columns. pads: top, left, bottom, right."""

    kernel: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilations: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        if min(*self.kernel, *self.strides, *self.dilations) < 1 or min(self.pads) < 0:
            raise BadModel(f"expected a kernel, strides and dilations of at least 1 and pads of at least 0, got {self}")

    def over(self, places: Places) -> Places:
        """Return the places of each position: (channels, rows, columns) to (channels, down, across, kernel rows * columns)."""
        top, left, bottom, right = self.pads
        padded = (places.shape[1] + top + bottom, places.shape[2] + left + right)
        extent = [d * (k - 1) + 1 for d, k in zip(self.dilations, self.kernel, strict=True)]
        if any(r > p for r, p in zip(extent, padded, strict=True)):
            raise BadModel(f"expected a window of at most {padded} after padding, got {tuple(extent)}")
        down, across = ((p - r) // s + 1 for p, r, s in zip(padded, extent, self.strides, strict=True))
        check_size(len(places) * prod(padded), "padded inputs")
        check_size(len(places) * down * across * prod(self.kernel), "inputs of windows")
        framed = np.pad(places, ((0, 0), (top, bottom), (left, right)), constant_values=OUTSIDE)
        inputs = sliding_window_view(framed, extent, axis=(1, 2))[:, :: self.strides[0], :: self.strides[1]]
        return inputs[..., :: self.dilations[0], :: self.dilations[1]].reshape(len(places), down, across, -1)


def check_size(numbers: int, name: str) -> None:
    """Raise BadModel where so many numbers are too many for one array."""
    if numbers > LARGEST_ARRAY:
        most = f"{LARGEST_ARRAY} {name} ({LARGEST_ARRAY >> 17} MiB)"
        raise BadModel(f"expected at most {most}, got {numbers} ({numbers >> 17} MiB)")


def convolution_rows(
    kernel: Integers, window: Window, places: Places, n: int, *, groups: int = 1
) -> tuple[Sparse, tuple[int, int]]:
    """Return one weight row over n inputs per output channel and position, in that order, and how many positions down and across.

    kernel: (channels out, channels in per group, rows, columns). places: (channels in, rows, columns), the input at each.
    Padding counts 0: it is neither -1 nor +1, and its weight is left out. Raises BadModel where shapes do not fit.
    """
    if groups < 1 or len(kernel) % groups or len(places) != groups * kernel.shape[1] or not kernel.size:
        raise BadModel(f"expected {len(places)} input channels in {groups} groups, got a kernel of shape {kernel.shape}")
    inputs = window.over(places)
    (down, across), taps = inputs.shape[1:3], kernel[0].size
    positions = down * across
    check_size(len(kernel) * positions * taps, f"weights of {len(kernel) * positions} rows, {taps} each")
    by_group = inputs.reshape(groups, -1, positions, inputs.shape[3]).transpose(0, 2, 1, 3).reshape(groups, positions, taps)
    columns = np.repeat(by_group, len(kernel) // groups, axis=0)  # (channels out, positions, taps)
    values = np.broadcast_to(kernel.reshape(len(kernel), 1, taps), columns.shape)
    rows = np.broadcast_to(np.arange(len(kernel) * positions).reshape(len(kernel), positions, 1), columns.shape)
    inside = columns != OUTSIDE
    return Sparse.of((len(kernel) * positions, n), rows[inside], columns[inside], values[inside]), (down, across)
