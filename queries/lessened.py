"""A witness without the flips that it does not need."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from bnnverify.encoders.presolve import Presolved
from bnnverify.network import Bits


def lessened(question: Presolved, targets: Collection[int], flips: Bits) -> Bits:
    """Return what is left of flips, where a target is the answer, when they are taken back one by one until none is to spare."""
    spared = True
    while spared:
        spared = False
        for i in np.flatnonzero(flips).tolist():
            fewer = flips.copy()
            fewer[i] = 0
            if fewer in question.region and question.network(fewer) in targets:
                flips, spared = fewer, True
    return flips
