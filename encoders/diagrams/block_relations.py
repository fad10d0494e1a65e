"""The classical composition: each block is a relation between its input bits and its output bits, and relations are joined.

The encoding of Zhang, Zhao, Chen and Song, "BDD4BNN: A BDD-based Quantitative Analysis Framework for Binarized Neural Networks"
(CAV 2021, arXiv 2103.07224), sections 4 and 5, with input propagation: a block is encoded only for the inputs that the
blocks before it can produce. It is here to be compared with: `Frontier` and `Diagrams` are faster (docs/bdd.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from bnnverify.encoders.diagrams.packages import Node
from bnnverify.encoders.diagrams.region_sets import Inside, class_sizes, memory_errors, opened, placed
from bnnverify.encoders.walk import threshold_bit, wins
from bnnverify.errors import BadModel
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Block, Network
from bnnverify.problem.region import Region


@dataclass(frozen=True, eq=False)
class _Chain:
    """Blocks joined so far.

    relation: between the region's points and the last bits. reached: which last bits occur. hidden: the last bits, if they are
    not the inputs themselves, to be forgotten by a join.
    """

    relation: Node
    reached: Inside
    bits: list[Node]
    hidden: list[Node]

    def then(self, block: Block, outputs: list[Node]) -> _Chain:
        """Return the chain with one more block, whose outputs are these fresh variables."""
        package = self.reached.package
        fires = [threshold_bit(self.reached, row, self.bits) for row in block.rows()]
        pairs = zip(outputs, fires, strict=True)
        own = self.reached.all([package.choose(out, fire, self.reached.negate(fire)) for out, fire in pairs])
        relation = package.joined(self.relation, own, self.hidden)
        reached = package.joined(self.reached.care, own, self.bits)
        return _Chain(relation, Inside(package, reached, frozenset(outputs), self.reached.pause), outputs, outputs)


class Relations:
    """What `Diagrams` does, composed block by block."""

    def __init__(self, package: str, memory: int | None = None) -> None:
        self._package = opened(package, memory)

    def shares(self, network: Network, region: Region, pause: Callable[[], None] = lambda: None) -> list[int]:
        """Return at how many points of the region each class is the answer."""
        with memory_errors(self._package):
            return class_sizes(self._package, region, self._classes(network, region, pause))

    def example(
        self, network: Network, region: Region, classes: Collection[int], pause: Callable[[], None] = lambda: None
    ) -> Bits | None:
        """Return a point of the region, (n,), whose class is one of classes; None if there is none."""
        with memory_errors(self._package):
            sets = self._classes(network, region, pause)
            for c in classes:
                if sets[c] != self._package.false:
                    return np.array(self._package.pick(sets[c], region.n), dtype=np.uint8)
        return None

    def _classes(self, network: Network, region: Region, pause: Callable[[], None]) -> list[Node]:
        """Return where each class is the answer."""
        if network.head is None:
            raise BadModel("diagrams: expected a network with a head, got a prefix")
        head, (algebra, inputs) = network.head, placed(self._package, region, pause)
        fresh = self._package.variables(region.n + sum(block.outputs for block in network.blocks))[region.n :]
        chain = _Chain(algebra.care, algebra, inputs, [])
        for block in network.blocks:
            outputs, fresh = fresh[: block.outputs], fresh[block.outputs :]
            chain = chain.then(block, outputs)
        sets = (wins(chain.reached, head, c, chain.bits) for c in range(head.classes))
        return [self._package.joined(chain.relation, points, chain.hidden) for points in sets]
