"""The margins recomputed: which neurons are constants in the region, and which classes a rival beats everywhere.

In the reduced network a neuron is a weighted sum over flips, or over the neurons before it that are no constants.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnnverify.checker.claim import Claim
from bnnverify.errors import Rejected
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.matrix import Matrix
from bnnverify.model.network import Head, Network
from bnnverify.problem.positions import mask_of


@dataclass(frozen=True)
class ReducedRow:
    """A sum of weights over positions (of input flips, or of neurons of the block before) that must reach bound."""

    weights: dict[int, int]
    bound: int


class ReducedNetwork:
    """The network without the constants and classes that the claim's margins exclude: made only if every margin holds."""

    def __init__(self, network: Network, claim: Claim) -> None:
        self.network, self._claim = network, claim
        self._bits: list[Bits] = [claim.bits]  # at the sample, before each block and before the head
        self._moves = [mask_of(claim.free, network.inputs)]  # which of these bits are no constants
        if len(claim.folded) != len(network.blocks):
            raise Rejected(f"claim.json: expected folded neurons for {len(network.blocks)} blocks, got {len(claim.folded)}")
        for i, block in enumerate(network.blocks):
            sums = block.matrix @ self._bits[-1].astype(np.int64)
            constant = self._constants(i, block.matrix, sums, block.bounds)
            self._bits.append((sums >= block.bounds).astype(np.uint8))
            self._moves.append(~mask_of(sorted(constant), block.outputs))
        self._check_dropped()

    @property
    def head(self) -> Head:
        if self.network.head is None:
            raise Rejected("model.npz: expected a network with classes, got one without a head")
        return self.network.head

    def open(self, block: int) -> list[int]:
        """Return the neurons of this block that are no constants."""
        open_: list[int] = np.flatnonzero(self._moves[block + 1]).tolist()
        return open_

    def first(self) -> Bits:
        """Return the sample's bits after the first block."""
        return self._bits[1]

    def neuron(self, block: int, j: int) -> ReducedRow:
        """Return the reduced row of this neuron."""
        part = self.network.blocks[block]
        positions, weights = part.matrix.row(j)
        return self._reduced(block, dict(zip(positions.tolist(), weights.tolist(), strict=True)), int(part.bounds[j]))

    def preferred(self, c: int, k: int) -> ReducedRow:
        """Return the reduced row of "class c is preferred to class k"."""
        weights, bound = self._lead(c, k)
        return self._reduced(len(self.network.blocks), {i: weight for i, weight in enumerate(weights) if weight}, bound)

    def constraint(self, k: int) -> ReducedRow:
        """Return the reduced row of a constraint of the claim, over flips."""
        rule = self._claim.constraints[k]
        return self._reduced(0, {i: weight for i, weight in rule.weights.items() if weight}, rule.bound)

    def _reduced(self, layer: int, weights: dict[int, int], bound: int) -> ReducedRow:
        """Return the row, weights by ascending position, without constants; of input bits, over flips."""
        bits, moves, reduced = self._bits[layer], self._moves[layer], dict[int, int]()
        for i, weight in weights.items():
            if bits[i] and (layer == 0 or not moves[i]):
                bound -= weight
            if moves[i]:
                reduced[i] = -weight if layer == 0 and bits[i] else weight
        return ReducedRow(reduced, bound)

    def _lead(self, c: int, k: int) -> tuple[list[int], int]:
        head = self.head
        weights = [int(a) - int(b) for a, b in zip(head.weights[c], head.weights[k], strict=True)]
        return weights, int(head.offsets[k]) - int(head.offsets[c]) + int(head.ranks[c] > head.ranks[k])

    def _largest_moves(self, layer: int, rows: Matrix) -> tuple[Integers, Integers]:
        """Return the largest decrease and increase of each row's sum: by at most radius flips, or by any hidden bits."""
        moving = np.flatnonzero(self._moves[layer])
        flips = rows[:, moving] * (1 - 2 * self._bits[layer][moving].astype(np.int64))
        swings = np.sort(flips.packed(0), axis=1)
        most = self._claim.radius if layer == 0 else len(moving)
        falls = -np.minimum(swings[:, :most], 0).sum(axis=1)
        return falls, np.maximum(swings[:, max(0, swings.shape[1] - most) :], 0).sum(axis=1)

    def _constants(self, i: int, weights: Matrix, sums: Integers, bounds: Integers) -> set[int]:
        """Return the folded neurons of this block, after recomputing their margins."""
        falls, rises = self._largest_moves(i, weights)
        constant: set[int] = set()
        for neuron, value, total, bound, move in self._claim.folded[i]:
            name = f"block {i}, neuron {neuron}"
            if not 0 <= neuron < len(sums) or neuron in constant or value not in (0, 1):
                raise Rejected(f"{name}: expected each folded neuron of the block once, with the value 0 or 1")
            own = int(sums[neuron]), int(bounds[neuron]), int((falls if value else rises)[neuron])
            if (total, bound, move) != own:
                raise Rejected(f"{name}: expected sum, bound and move {own}, got {(total, bound, move)}")
            if not (total - move >= bound if value else total + move < bound):
                raise Rejected(f"{name}: expected a margin, but {move} moves the sum {total} across the bound {bound}")
            constant.add(neuron)
        return constant

    def _check_dropped(self) -> None:
        """Raise unless every dropped class is beaten everywhere by the rival that the claim names."""
        layer, classes = len(self.network.blocks), set(range(self.head.classes))
        for c, rival, total, bound, move in self._claim.dropped:
            name = f"dropped class {c}"
            if c not in classes or rival not in range(self.head.classes) or rival == c:
                raise Rejected(f"{name}: expected each dropped class once, and another class as its rival")
            weights, need = self._lead(c, rival)
            swings = [weights[i] * (1 - 2 * int(self._bits[layer][i])) for i in np.flatnonzero(self._moves[layer]).tolist()]
            rises = sorted((swing for swing in swings if swing > 0), reverse=True)
            lead = sum(w for w, bit in zip(weights, self._bits[layer].tolist(), strict=True) if bit)
            own = lead, need, sum(rises[: self._claim.radius] if layer == 0 else rises)
            if (total, bound, move) != own:
                raise Rejected(f"{name}: expected sum, bound and move {own}, got {(total, bound, move)}")
            if not total + move < bound:
                raise Rejected(f"{name}: expected a margin, but {move} moves the lead {total} to the bound {bound}")
            classes.remove(c)
        if classes != set(self._claim.classes):
            classes_given = list(self._claim.classes)[:20]
            raise Rejected(f"claim.json: expected the classes that are left, {sorted(classes)}, got {classes_given}")
