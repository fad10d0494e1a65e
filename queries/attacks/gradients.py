"""The margin of inputs from an event: of many neighbours at a time, and its straight-through gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.matrix import Dense, exact_products
from bnnverify.model.network import Head, Network

Floats = NDArray[np.float64]

AT_ONCE = 2**24  # bits of one layer, of all points that are evaluated together


class MarginFunction:
    """The margin of a network's inputs, as a function of flips of center; targets are the classes that make the event happen.

    The margin of an input is the lead of its best other class over the best target, tie-breaks included: a whole
    number, below 0 exactly where the event happens.
    """

    def __init__(self, network: Network, center: Bits, positions: NDArray[np.intp], targets: frozenset[int]) -> None:
        self._network, self._center, self._positions = network, center, positions
        order = _head(network).order  # among equal scores the first wins
        inside = np.isin(order, list(targets))
        self._targets, self._others = order[inside], order[~inside]
        self.freedom = len(positions)
        self._head = _head(network)
        first = network.blocks[0].matrix if network.blocks else Dense(self._head.weights)
        self._rows = first[:, positions] * (1 - 2 * center[positions].astype(np.int64))
        self._moves = self._rows.T  # the change of the first sums by each flip: (freedom, m)
        self._spreads = [np.sqrt(np.maximum(block.matrix.squares, 1)) / 2 for block in network.blocks]
        self._start = first @ center.astype(np.int64)
        self._at_once = 1 + AT_ONCE // max(1, *network.widths)

    def points(self, flips: Bits) -> Bits:
        """Return the inputs that flips (..., freedom) stand for: (..., n)."""
        points = np.broadcast_to(self._center, (*flips.shape[:-1], len(self._center))).copy()
        points[..., self._positions] ^= flips
        return points

    def margins(self, flips: Bits) -> Integers:
        """Return the margin of each: (k, freedom) to (k,)."""
        return self._in_batches(flips, lambda chosen: self._start + exact_products(chosen, self._rows))

    def neighbours(self, flips: Bits, which: NDArray[np.intp]) -> Integers:
        """Return the margins after changing one position of which (k,) in flips (freedom,), each on its own: (k,)."""
        sums: Integers = self._start + flips.astype(np.int64) @ self._moves
        signs: Integers = 1 - 2 * flips.astype(np.int64)  # a second flip of a position undoes the first
        return self._in_batches(which, lambda chosen: sums + self._moves[chosen].dense() * signs[chosen, None])

    def _in_batches(self, points: NDArray[Any], sums: Callable[[NDArray[Any]], Integers]) -> Integers:
        """Return the margins of points, whose first-layer sums are computed in batches that fit into memory."""
        parts = range(0, max(1, len(points)), self._at_once)
        return np.concatenate([self._margins_of_sums(sums(points[k : k + self._at_once])) for k in parts])

    def gradient(self, flips: Bits, *, window: float) -> Floats:
        """Return an estimate of the change of the margin by each position's flip, at flips (freedom,): (freedom,).

        By a straight-through gradient (Bengio, Leonard and Courville, "Estimating or propagating gradients through stochastic
        neurons", 2013, section 4): a neuron counts as linear within `window` standard deviations that its sum would have over
        random inputs, and as constant beyond.
        """
        sums = self._start + flips.astype(np.int64) @ self._moves
        derivatives: list[Floats] = []
        bits: Bits = flips[None]
        for i, block in enumerate(self._network.blocks):
            if i:
                sums = exact_products(bits, block.matrix)[0]
            derivatives.append(
                np.where(np.abs(sums - block.bounds + 0.5) <= window * self._spreads[i], 1 / self._spreads[i], 0.0)
            )
            bits = (sums >= block.bounds).astype(np.uint8)[None]
        scores = self._head.scores(bits)[0] if derivatives else sums + self._head.offsets
        best, rival = (group[np.argmax(scores[group])] for group in (self._targets, self._others))
        if not derivatives:
            moves = self._moves.dense()
            return np.asarray(moves[:, rival] - moves[:, best], dtype=np.float64)
        gradient_of_bits: Floats = (self._head.weights[rival] - self._head.weights[best]).astype(np.float64)
        for block, derivative in zip(self._network.blocks[:0:-1], derivatives[:0:-1], strict=True):
            gradient_of_bits = (gradient_of_bits * derivative) @ block.matrix
        return np.asarray(self._moves @ (gradient_of_bits * derivatives[0]))

    def _margins_of_sums(self, sums: Integers) -> Integers:
        """Return the margins at first-layer sums (k, m)."""
        blocks = self._network.blocks
        if not blocks:
            return self._margin(sums + self._head.offsets)
        bits = (sums >= blocks[0].bounds).astype(np.uint8)
        for block in blocks[1:]:
            bits = block(bits)
        return self._margin(self._head.scores(bits))

    def _margin(self, scores: Integers) -> Integers:
        if not len(self._targets) or not len(self._others):
            return np.full(len(scores), 1 if len(self._others) else -1)
        best, rival = (group[np.argmax(scores[:, group], axis=1)] for group in (self._targets, self._others))
        rows = np.arange(len(scores))
        margins: Integers = scores[rows, rival] - scores[rows, best] - self._head.gap(rival, best)
        return margins


def _head(network: Network) -> Head:
    if network.head is None:
        raise BadModel("margin: expected a network with a head, got a prefix without one")
    return network.head
