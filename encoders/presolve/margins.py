"""Why neurons are constants and classes cannot win: margins that anyone can recompute from the model and the sample.

A neuron whose weighted sum is s at the sample is 1 on the whole region if s less the most that anything can move it still reaches
its bound, and 0 if s with that added does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnverify.encoders.presolve.presolve import Presolved
from bnnverify.model.arrays import Integers
from bnnverify.model.matrix import Matrix, reach
from bnnverify.model.network import Network
from bnnverify.problem.region import Region


@dataclass(frozen=True)
class Margins:
    """folded: per block, (neuron, value, sum, bound, move) of each constant neuron: sum - move >= bound, or sum + move < bound.

    dropped: (class, rival, sum, bound, move) of each class that a rival beats everywhere: to be preferred to that rival, the
    class needs a lead of bound; at the sample it leads by sum, and sum + move < bound.
    """

    folded: tuple[tuple[tuple[int, ...], ...], ...]
    dropped: tuple[tuple[int, ...], ...]


def margins(network: Network, region: Region, solved: Presolved) -> Margins:
    """Return the margins of the neurons and classes that solved leaves out."""
    folded: list[tuple[tuple[int, ...], ...]] = []
    bits, moves = region.center, _Moves(region, None)
    for block, live in zip(network.blocks, solved.open_neurons, strict=True):
        sums, bounds = block.matrix @ bits.astype(np.int64), block.bounds
        down, up = moves.reach(block.matrix, bits)
        one, zero = sums - down >= bounds, sums + up < bounds
        constant = one | zero
        constant[list(live)] = False
        rows = np.stack([np.arange(len(sums)), one, sums, bounds, np.where(one, down, up)], axis=1)[constant]
        folded.append(tuple(map(tuple, rows.tolist())))
        bits, moves = (sums >= bounds).astype(np.uint8), _Moves(None, ~constant)
    dropped = [] if network.head is None else [_beaten(network, c, bits, moves) for c in _missing(network, solved)]
    return Margins(tuple(folded), tuple(margin for margin in dropped if margin))


@dataclass(frozen=True, eq=False)
class _Moves:
    """What can move: the flips of a region, or each of some hidden bits by itself."""

    region: Region | None
    live: NDArray[np.bool_] | None

    def reach(self, weights: Matrix, bits: NDArray[np.uint8]) -> tuple[Integers, Integers]:
        """Return the most by which weights @ x can fall below, and rise above, its value at bits."""
        if self.region is not None:
            low, high = self.region.reach(weights)
            start = weights @ bits.astype(np.int64)
            return start - low, high - start
        low, high = reach((weights * (1 - 2 * bits.astype(np.int64)))[:, self.live])
        return -low, high


def _missing(network: Network, solved: Presolved) -> list[int]:
    return sorted(set(range(network.classes)) - set(solved.classes))


def _beaten(network: Network, c: int, bits: NDArray[np.uint8], moves: _Moves) -> tuple[int, ...]:
    """Return the margin of the first rival that beats class c everywhere; an empty one if there is no such rival."""
    head = network.head
    if head is None:
        return ()
    bounds = head.lead_bounds(c)
    leads = head.leads(c)
    _, up = moves.reach(leads, bits)
    sums = leads @ bits.astype(np.int64)
    for k in np.flatnonzero(sums + up < bounds).tolist():
        return c, k, int(sums[k]), int(bounds[k]), int(up[k])
    return ()
