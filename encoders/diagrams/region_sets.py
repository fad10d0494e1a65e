"""A bit is a decision diagram: the set of points of a region where it is 1.

Sizes decide everything here. A set of points inside a region has a diagram of at most points × bits nodes, while the same bit
over the whole space may have exponentially many; so every bit is cut down to a set of points that matters (`care`) as soon as
it is made, and the classes are separated by a tournament in which each match is played only where the champion still leads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from bnnverify.encoders.adder import binary_sum, reaches
from bnnverify.encoders.diagrams.packages import PACKAGES, Node, Package
from bnnverify.encoders.diagrams.threshold import ThresholdDiagram, threshold_diagram
from bnnverify.encoders.walk import hidden, inside, threshold_bit
from bnnverify.errors import BadModel, BadQuery, Disagreement
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Head, Network
from bnnverify.model.threshold import normal_weights, positive
from bnnverify.problem.region import Region

MEMORY = 4 << 30  # bytes for nodes when no limit is given; they are touched only as they are needed
LARGEST_DIAGRAM = 1 << 16  # nodes of one threshold over inputs; a larger one is added up inside the region instead
NODES_PER_DIGIT = 6  # a diagram with more nodes than this per added digit costs more than adders do (docs/bdd.md)


@dataclass(frozen=True, eq=False)
class Inside:
    """The Algebra of sets of points within care. inputs: the variables themselves, the only bits that may leave care.

    pause: called before each threshold; it may raise to stop the work.
    """

    package: Package
    care: Node
    variables: frozenset[Node]
    pause: Callable[[], None]

    def inputs(self, n: int) -> list[Node]:
        return self.package.variables(n)

    def negate(self, bit: Node) -> Node:
        return self.package.minus(self.care, bit)

    def all(self, bits: Sequence[Node]) -> Node:
        """Return the conjunction within care, paired like a tree: the parts stay small until late."""
        level = list(bits)
        while len(level) > 1:
            pairs = [a & b for a, b in zip(level[::2], level[1::2], strict=False)]
            level = pairs + level[len(level) & ~1 :]
        return level[0] & self.care if level else self.care

    def at_least(self, weights: Sequence[int], bits: Sequence[Node], bound: int) -> Node:
        """Return the threshold within care: of inputs as its own diagram, of other bits whichever way costs less."""
        self.pause()
        weights, bound = normal_weights(weights, bound)
        plain = self.variables.issuperset(bits)
        digits = sum(abs(w).bit_length() for w in weights)
        diagram = threshold_diagram(weights, bound, LARGEST_DIAGRAM if plain else NODES_PER_DIGIT * digits)
        if diagram is None:
            return self._added(weights, [bit & self.care for bit in bits], bound)
        top = self.package.true if plain else self.care
        composed = self._composed(diagram, bits, top)
        return composed & self.care if plain else composed

    def _composed(self, diagram: ThresholdDiagram, bits: Sequence[Node], top: Node) -> Node:
        """Return the diagram with bits in place of its variables and top in place of true."""
        nodes = [self.package.false, top]
        for bit, low, high in diagram.steps:
            nodes.append(self.package.choose(bits[bit], nodes[high], nodes[low]))
        return nodes[diagram.root]

    def _added(self, weights: Sequence[int], bits: Sequence[Node], bound: int) -> Node:
        """Return where the sum, added up digit by digit, reaches bound."""
        sizes, bits, bound = positive(weights, bits, bound, self.negate)
        if not 0 < bound <= sum(sizes):
            return self.care if bound <= 0 else self.package.false
        digits = binary_sum(zip(sizes, bits, strict=True), self.package.false, self._full_adder)
        return reaches(digits, bound, self.care, lambda a, b: a & b, lambda a, b: a | b)

    def _full_adder(self, a: Node, b: Node, c: Node) -> tuple[Node, Node]:
        odd = self.package.either(a, b)
        carry = self.package.choose(odd, c, a)
        return self.package.either(odd, c), carry

    def within(self, care: Node) -> Inside:
        return replace(self, care=care)


@dataclass(frozen=True, eq=False)
class _LastLayer:
    """A region as a diagram, and the bits that the head reads there."""

    algebra: Inside
    head: Head
    bits: list[Node]

    def compared(self, c: int, k: int, care: Node) -> tuple[Node, Node]:
        """Return care in two: where class c is preferred to class k, and where not."""
        algebra = self.algebra.within(care)
        ahead = threshold_bit(algebra, self.head.beats(c, k), self.bits)
        return ahead, algebra.negate(ahead)

    def winner(self, c: int) -> Node:
        """Return where class c is the answer."""
        leads = self.algebra.care
        for k in range(self.head.classes):
            if k != c and leads != self.algebra.package.false:
                leads, _ = self.compared(c, k, leads)
        return leads

    def winners(self) -> list[Node]:
        """Return where each class is the answer: each new class is compared with every earlier one, where that one leads."""
        leads = [self.algebra.care]
        for k in range(1, self.head.classes):
            taken = self.algebra.package.false
            for c in range(k):
                if leads[c] != self.algebra.package.false:
                    leads[c], lost = self.compared(c, k, leads[c])
                    taken |= lost
            leads.append(taken)
        return leads


def opened(package: str, memory: int | None) -> Package:
    """Return a fresh node table. package: "oxidd" or "cudd"; memory: bytes for nodes."""
    if package not in PACKAGES:
        raise BadQuery(f"diagram package must be one of {', '.join(PACKAGES)}, got {package!r}")
    return PACKAGES[package](memory or MEMORY)


def placed(package: Package, region: Region, pause: Callable[[], None]) -> tuple[Inside, list[Node]]:
    """Return the algebra inside a region, and its inputs."""
    everywhere = Inside(package, package.true, frozenset(package.variables(region.n)), pause)
    inputs = everywhere.inputs(region.n)
    algebra = everywhere.within(inside(everywhere, region, inputs))
    size = package.count(algebra.care, region.n)
    if size != region.size:
        raise Disagreement(f"diagrams: expected a region of {region.size} points, got {size}")
    return algebra, inputs


def class_sizes(package: Package, region: Region, classes: Sequence[Node]) -> list[int]:
    """Return how many points each class has, after a check that no point is missing or counted twice."""
    sizes = [package.count(points, region.n) for points in classes]
    if sum(sizes) != region.size:
        raise Disagreement(f"diagrams: expected the classes to share {region.size} points, got {sum(sizes)}")
    return sizes


@contextmanager
def memory_errors(package: Package) -> Iterator[None]:
    """Turn the error of a package that is full into a MemoryError with a sentence."""
    try:
        yield
    except Exception as error:
        if package.out_of_memory(error):
            raise MemoryError("the diagrams do not fit into the memory they may use") from error
        raise


class Diagrams:
    """Answers about a network on a region, from one node table of a diagram package that lives as long as this object.

    package: "oxidd" or "cudd". memory: bytes for nodes. Regions and networks are presolved ones: inputs are flips.
    """

    def __init__(self, package: str, memory: int | None = None) -> None:
        self._package = opened(package, memory)

    def shares(self, network: Network, region: Region, pause: Callable[[], None] = lambda: None) -> list[int]:
        """Return at how many points of the region each class is the answer."""
        with self._last_layer(network, region, pause) as last:
            return class_sizes(self._package, region, last.winners())

    def example(
        self, network: Network, region: Region, classes: Collection[int], pause: Callable[[], None] = lambda: None
    ) -> Bits | None:
        """Return a point of the region, (n,), whose class is one of classes; None if there is none."""
        with self._last_layer(network, region, pause) as last:
            for points in _candidates(last, classes):
                if points != self._package.false:
                    return np.array(self._package.pick(points, region.n), dtype=np.uint8)
        return None

    @contextmanager
    def _last_layer(self, network: Network, region: Region, pause: Callable[[], None]) -> Iterator[_LastLayer]:
        if network.head is None:
            raise BadModel("diagrams: expected a network with a head, got a prefix")
        with memory_errors(self._package):
            algebra, inputs = placed(self._package, region, pause)
            yield _LastLayer(algebra, network.head, hidden(algebra, network, inputs))


def _candidates(last: _LastLayer, classes: Collection[int]) -> Iterator[Node]:
    """Yield sets that together hold every point whose class is one of classes, and no other point."""
    others = set(range(last.head.classes)) - set(classes)
    if len(others) == 1:
        yield last.algebra.negate(last.winner(others.pop()))
    else:
        yield from (last.winner(c) for c in sorted(classes))
