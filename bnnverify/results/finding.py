"""Whether an event happens in a region, and a replayed point where it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, combinations

import numpy as np

from bnnverify.errors import WitnessRejected
from bnnverify.model.arrays import Bits
from bnnverify.model.threshold import Threshold
from bnnverify.problem.query import Query


class Verdict(StrEnum):
    """The verdict on a sample: no point of its region changes the answer, some point does, or the question is open."""

    ROBUST = "ROBUST"
    VULNERABLE = "VULNERABLE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Witness:
    """A point where the event happens, replayed through the network; flips are the 0-based positions that differ."""

    bits: tuple[int, ...]
    flips: tuple[int, ...]
    label: int

    @property
    def distance(self) -> int:
        return len(self.flips)


@dataclass(frozen=True)
class Finding:
    """Whether the event happens anywhere in the region: yes with a witness, no (proved), or None (open, with the reason)."""

    happens: bool | None
    witness: Witness | None = None
    reason: str = ""

    @property
    def verdict(self) -> Verdict:
        return {True: Verdict.VULNERABLE, False: Verdict.ROBUST, None: Verdict.UNKNOWN}[self.happens]


def without_spare_flips(
    flips: Bits,
    happens: Callable[[Bits], bool],
    order: Iterable[int] | None = None,
    constraints: Iterable[Threshold] = (),
) -> Bits:
    """Return the flips (n,), less those taken back one after the other until the event needs each that is left.

    This is the rule of all witnesses: no single flip can be spared. Under constraints also no two of one constraint: a group that
    exchanges its bit has two flips more, and cannot spare one of them. order: the positions in which they are tried, default
    ascending.
    """
    tried = list(range(len(flips)) if order is None else order)
    pairs = chain.from_iterable(combinations([i for i in tried if flips[i] and i in row.positions], 2) for row in constraints)
    groups = [*((i,) for i in tried if flips[i]), *dict.fromkeys(pairs)]
    spared = True
    while spared:
        spared = False
        for group in map(list, groups):
            fewer = flips.copy()
            fewer[group] = 0
            if flips[group].all() and happens(fewer):
                flips, spared = fewer, True
    return flips


def confirmed(query: Query, point: Bits) -> Witness:
    """Return point as a witness, or raise WitnessRejected if the network itself disagrees."""
    label = query.network(point)
    if point not in query.region or not query.happens(point):
        raise WitnessRejected(
            f"expected a point of the region where {query.event} holds, "
            f"got class {label} at distance {query.region.distance(point)}"
        )
    flips = tuple(np.flatnonzero(point != query.region.center).tolist())
    return Witness(tuple(int(b) for b in point), flips, label)
