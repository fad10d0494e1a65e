"""The one walk over a network; an algebra defines what a bit is: a diagram, a literal, a wire."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from bnnverify.model.network import Head, Network
from bnnverify.model.threshold import Threshold
from bnnverify.problem.region import Region

Bit = TypeVar("Bit")


class Algebra(Protocol[Bit]):
    """What an encoder must define about bits; every sum and bound is a whole number."""

    def inputs(self, n: int) -> list[Bit]:
        """Return n fresh input bits; called once."""

    def negate(self, bit: Bit) -> Bit:
        """Return a bit that is 1 exactly when bit is 0."""

    def all(self, bits: Sequence[Bit]) -> Bit:
        """Return a bit that is 1 exactly when all bits are; of none, the constant 1."""

    def at_least(self, weights: Sequence[int], bits: Sequence[Bit], bound: int) -> Bit:
        """Return a bit that is 1 exactly when the weighted sum of bits reaches bound; of none, a constant."""


def threshold_bit(algebra: Algebra[Bit], threshold: Threshold, bits: Sequence[Bit]) -> Bit:
    """Return the bit that is 1 exactly when the threshold holds over these bits."""
    return algebra.at_least(threshold.weights, [bits[i] for i in threshold.positions], threshold.bound)


def layers(algebra: Algebra[Bit], network: Network, inputs: Sequence[Bit]) -> list[list[Bit]]:
    """Return the inputs, then the bits after each block."""
    every = [list(inputs)]
    for block in network.blocks:
        every.append([threshold_bit(algebra, row, every[-1]) for row in block.rows()])
    return every


def hidden(algebra: Algebra[Bit], network: Network, inputs: Sequence[Bit]) -> list[Bit]:
    """Return the bits after the last block."""
    return layers(algebra, network, inputs)[-1]


def wins(algebra: Algebra[Bit], head: Head, c: int, bits: Sequence[Bit]) -> Bit:
    """Return a bit that is 1 exactly when class c is the answer: one threshold per rival."""
    return algebra.all([threshold_bit(algebra, head.beats(c, k), bits) for k in range(head.classes) if k != c])


def inside(algebra: Algebra[Bit], region: Region, inputs: Sequence[Bit]) -> Bit:
    """Return a bit that is 1 exactly on the region."""
    return algebra.all([threshold_bit(algebra, threshold, inputs) for threshold in region.thresholds()])


def encode(algebra: Algebra[Bit], network: Network, classes: Iterable[int]) -> tuple[list[Bit], dict[int, Bit]]:
    """Return the input bits, and for each of these classes the bit that is 1 exactly when it is the answer."""
    inputs = algebra.inputs(network.inputs)
    last = hidden(algebra, network, inputs)
    head = network.head
    if head is None:
        return inputs, dict(enumerate(last))
    return inputs, {c: wins(algebra, head, c, last) for c in classes}
