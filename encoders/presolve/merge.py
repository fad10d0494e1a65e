"""Equivalent neurons of a block, equal or opposite ones, become one: what reads them reads one bit.

A row means weights @ x >= bound; its negation means -weights @ x >= 1 - bound. Rows are compared in their normal form
(`Block.normal`): rows that share it are equal at every x of 0s and 1s. Not found are rows that agree only at some x: within r
flips, or on codes that occur; nor those whose different weights and bounds hold at the same points (3a + 5b + 7c >= 6, and >= 7).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bnnverify.model.arrays import LARGEST_SUM, Integers
from bnnverify.model.matrix import Dense, Matrix
from bnnverify.model.network import Block, Head, Network

MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: spreads hashes


@dataclass(frozen=True, eq=False)
class Equivalence:
    """The representative of each neuron of a block: the neuron's bit is that of its representative, or the opposite of it.

    representative: (m,), the first of the equivalent neurons; opposite: (m,) yes or no.
    """

    representative: NDArray[np.intp]
    opposite: NDArray[np.bool_]

    @cached_property
    def representatives(self) -> NDArray[np.intp]:
        """Return the neurons that represent themselves, ascending."""
        return np.flatnonzero(self.representative == np.arange(len(self.representative)))

    @property
    def merges(self) -> bool:
        """Return whether some neuron is represented by another one."""
        return len(self.representatives) < len(self.representative)

    def read(self, rows: Matrix) -> tuple[Matrix, Integers]:
        """Return rows, (k, m), over the representatives, (k, representatives), and the rest of their sums, (k,)."""
        signs = np.where(self.opposite, -1, 1)
        columns = np.searchsorted(self.representatives, self.representative)
        return rows.regrouped(columns, signs, len(self.representatives)), rows @ self.opposite.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Merged:
    """A network with the answers of another one but fewer neurons, and for each of its blocks the merged neurons."""

    network: Network
    equivalences: tuple[Equivalence, ...]


def merged(network: Network) -> Merged | None:
    """Return the network with equivalent neurons as one; None if there are none.

    Block by block: where columns were added, more rows of the next block may be equivalent. A merge can leave neurons that are
    constants, or that nothing reads: bounds remove them. The last block of a network without a head keeps all of its neurons.
    """
    blocks: list[Block] = []
    equivalences: list[Equivalence] = []
    for i, block in enumerate(network.blocks):
        if equivalences and equivalences[-1].merges:
            rows, rest = equivalences[-1].read(block.matrix)
            block = Block(rows, block.bounds - rest)
        is_code = network.head is None and i == len(network.blocks) - 1
        found = _no_equivalence(block.outputs) if is_code else equivalence_of(block)
        chosen = found.representatives
        blocks.append(Block(block.matrix[chosen], block.bounds[chosen]) if found.merges else block)
        equivalences.append(found)
    if not any(found.merges for found in equivalences):
        return None
    head = network.head if network.head is None else _over_fewer(network.head, equivalences[-1])
    if head is None and network.head is not None:
        return None
    return Merged(replace(network, blocks=tuple(blocks), head=head), tuple(equivalences))


def _over_fewer(head: Head, equivalence: Equivalence) -> Head | None:
    """Return the head over the representatives; None if its numbers would be too large for one."""
    rows, rest = equivalence.read(Dense(head.weights))
    weights, offsets = rows.dense(), head.offsets + rest
    sizes = np.abs(weights.astype(np.float64)).sum(axis=1) + np.abs(offsets.astype(np.float64))
    return Head(weights, offsets, head.ranks) if sizes.max(initial=0) < LARGEST_SUM else None


def equivalence_of(block: Block) -> Equivalence:
    """Return which neurons of the block are equivalent. A constant is equivalent to none but itself."""
    equivalence = _no_equivalence(block.outputs)
    normal = block.normal()
    rows, bounds = normal.matrix, normal.bounds
    signed = rows @ _hash_factors(block.inputs)  # of a row and its negation, one has a negative hash
    hashes, negated = np.abs(signed).tolist(), (signed < 0).tolist()
    if len(set(hashes)) == len(hashes):
        return equivalence
    times, first = Counter(hashes), dict[tuple[bytes, bytes, int], int]()
    for j in (j for j, number in enumerate(hashes) if times[number] > 1):
        positions, weights = rows.row(j)
        if not weights[weights < 0].sum() < bounds[j] <= weights[weights > 0].sum():
            continue
        sign, bound = (-1, 1 - int(bounds[j])) if negated[j] else (1, int(bounds[j]))
        k = first.setdefault((positions.tobytes(), (sign * weights).tobytes(), bound), j)
        equivalence.representative[j], equivalence.opposite[j] = k, negated[j] != negated[k]
    return equivalence


def _no_equivalence(m: int) -> Equivalence:
    """Return that each neuron represents itself alone."""
    return Equivalence(np.arange(m), np.zeros(m, dtype=np.bool_))


def _hash_factors(n: int) -> Integers:
    """Return n numbers whose sums are rarely equal."""
    numbers = np.arange(1, n + 1, dtype=np.uint64) * MIX
    return ((numbers ^ (numbers >> np.uint64(29))) * MIX).view(np.int64)
