"""From pixels to input bits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.errors import BadModel, BadSample
from bnnverify.model.arrays import Bits, Integers, as_integers


@dataclass(frozen=True, eq=False)
class InputCoding:
    """From pixels to bits: bit i is 1 exactly when pixel i >= thresholds[i].

    thresholds: (n,) whole numbers. shape: rows and columns of the picture, when the input is one; images of another
    shape are resized to it. maximum: the largest pixel value (255 for bytes). A threshold of 0 or less is a bit that
    is always 1, one above maximum a bit that is always 0: neither can be flipped by any image.
    """

    thresholds: Integers
    shape: tuple[int, int] | None = None
    maximum: int = 255

    def __post_init__(self) -> None:
        object.__setattr__(self, "thresholds", as_integers(self.thresholds, "input thresholds", 1))
        if self.shape is not None and self.shape[0] * self.shape[1] != len(self.thresholds):
            raise BadModel(f"input coding: expected {self.shape[0]}x{self.shape[1]} thresholds, got {len(self.thresholds)}")

    def bits(self, pixels: ArrayLike) -> Bits:
        """Return the bits of pixels: (..., n) to (..., n)."""
        pixels = np.asarray(pixels)
        if pixels.shape[-1:] != self.thresholds.shape:
            raise BadSample(f"expected {len(self.thresholds)} pixels, got {pixels.shape[-1] if pixels.ndim else 'one number'}")
        return (pixels >= self.thresholds).astype(np.uint8)

    @cached_property
    def flippable(self) -> NDArray[np.bool_]:
        """Return which bits some image can set either way: (n,)."""
        return np.asarray((self.thresholds > 0) & (self.thresholds <= self.maximum))
