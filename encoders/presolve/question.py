"""What an engine is asked: a presolved network, a region of flips, and the classes that are sought."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from bnnverify.encoders.presolve.presolve import Presolved
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.problem.budget import OutOfBudget
from bnnverify.problem.region import Region
from bnnverify.results.finding import without_spare_flips

FEW = 2**16  # points of a ball, of which the nearest in a region is looked for whatever the constraints are


@dataclass(frozen=True, eq=False)
class Question:
    """At how many points of region is the class one of targets, and is it at any?

    network: what presolve left of the network that was asked about; it reads flips. region: over those flips.
    targets: sought classes of network. each: whether every class is to be counted on its own.
    """

    network: Network
    region: Region
    targets: frozenset[int]
    each: bool = False

    @classmethod
    def about(cls, solved: Presolved, classes: Collection[int], *, each: bool = False) -> Question:
        """Return the question for these classes of the network that was presolved."""
        targets = frozenset(k for k, label in enumerate(solved.classes) if label in classes)
        return cls(solved.network, solved.region, targets, each)

    @property
    def decided(self) -> bool:
        """Return whether one class is left, which then holds on the whole region."""
        return self.network.head is not None and self.network.classes == 1

    @property
    def live(self) -> tuple[int, ...]:
        """Return how many neurons of each block are open."""
        return tuple(block.outputs for block in self.network.blocks)

    @property
    def nearest(self) -> Bits | None:
        """Return the flips of a point with the fewest of them, (freedom,), the first ones; None where finding one takes long."""
        region = self.region
        first = (np.arange(region.n) < region.inner).astype(np.uint8)
        if first in region:
            return first
        if region.size_bound == region.ball.size > FEW:
            return None
        with suppress(OutOfBudget):
            return next((points[0] for points in region.points(1)), None)
        return None

    @property
    def empty(self) -> bool:
        """Return whether the region is known to have no point."""
        return not self.region.size_bound

    def happens(self, flips: Bits) -> bool:
        """Return whether flips (freedom,) lie in the region and their class is sought."""
        return flips in self.region and self.network(flips) in self.targets

    def minimal(self, flips: Bits) -> Bits:
        """Return what is left of flips that happen when those that can be spared are taken back."""
        return without_spare_flips(flips, self.happens, constraints=self.region.constraints)
