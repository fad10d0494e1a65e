"""Cheap attacks: how near an adversarial input can be had without proof, beside the exact distance?

Each flips one bit after the other until the event happens, then takes back every flip that was not needed. What they find is
an upper bound on the distance, replayed; that they find nothing proves nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.errors import BadQuery
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.network import Network
from bnnverify.problem.ball import Subcube
from bnnverify.problem.budget import Budget
from bnnverify.problem.events.base import Event
from bnnverify.problem.events.leaves import Leaves
from bnnverify.problem.query import Query
from bnnverify.queries.attacks.gradients import MarginOracle
from bnnverify.results.answers import Attempt
from bnnverify.results.finding import Witness, confirmed

BEAM = 8  # points of each distance that a beam goes on from the first time

Chosen = NDArray[np.intp]
Random = np.random.Generator


def local_search(
    network: Network,
    center: ArrayLike,
    *,
    method: str = "greedy",
    event: Event | None = None,
    free: ArrayLike | None = None,
    largest: int | None = None,
    walks: int = 8,
    evaluations: int = 20_000,
    seed: int = 0,
    budget: Budget | None = None,
) -> Attempt:
    """Return the nearest point this attack found at which the event happens, with how many inputs it put to the network.

    method: "greedy" flips the bit that lowers the margin most (of equals, the one that the gradient names), "gradient" the
    one that a straight-through gradient names, "random" any; "beam" goes on from the best BEAM points of each distance.
    event: default Leaves(class of the centre). free: positions that may flip, default all. largest: no more flips than this,
    default none. walks: how often it sets out, from the second time on from random flips (a beam: with twice as many points).
    evaluations: no new step is begun beyond so many inputs, or when the budget is spent. seed: of ties and restarts.
    """
    started = time.monotonic()
    if method not in METHODS:
        raise BadQuery(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    bits = network.check(center)
    cube = Subcube(bits, np.arange(len(bits)) if free is None else free)
    region = cube.shell(0, cube.freedom if largest is None else largest)
    query = Query(network, region, event or Leaves(network(bits)))
    search = _Search(query, evaluations, np.random.default_rng(seed), (budget or Budget()).start())
    witness = search.nearest(METHODS[method], walks)
    return Attempt(method, str(query.event), witness, search.spent, seed, time.monotonic() - started)


class _Search:
    """One attack under way: flips are positions within the free ones, spent counts inputs that went through the network."""

    def __init__(self, query: Query, most: int, random: Random, budget: Budget) -> None:
        self.query, self.random, self.spent, self._budget = query, random, 0, budget
        self._most, self.best = most, query.region.outer + 1  # nothing as far away as best is of interest
        self.slope = MarginOracle(query.decider, query.region.center, query.region.positions, query.targets)

    @property
    def over(self) -> bool:
        return self.spent >= self._most or self.best <= 1 or self._budget.spent

    def nearest(self, walk: Walk, walks: int) -> Witness | None:
        """Return the nearest point that walks from the centre end at, each shorter than the one before."""
        found: Bits | None = None
        if self.margins(np.zeros((1, self.slope.freedom), dtype=np.uint8))[0] < 0:
            return confirmed(self.query, self.query.region.center)
        for again in range(walks if self.query.targets and self.query.region.outer else 0):
            if self.over:
                break
            flips = walk(self, again)
            if flips is not None:
                found = self._needed(flips)
                self.best = int(found.sum())
        return None if found is None else confirmed(self.query, self.slope.points(found))

    def margins(self, flips: Bits) -> Integers:
        """Return how far each of these flips (k, freedom) is from the event: below 0 it happens."""
        self.spent += len(flips)
        return self.slope.margins(flips)

    def neighbours(self, flips: Bits, which: Chosen) -> Integers:
        """Return the margins after changing one of these positions more: (len(which),)."""
        self.spent += len(which)
        return self.slope.neighbours(flips, which)

    def _needed(self, flips: Bits) -> Bits:
        """Return what is left when single flips are taken back while the event goes on happening, and the budget lasts."""
        while self.spent < self._most and not self._budget.spent:
            which = self.random.permutation(np.flatnonzero(flips))
            margins = self.neighbours(flips, which)
            if margins.min() >= 0:
                break
            flips[which[np.argmin(margins)]] = 0
        return flips


Walk = Callable[[_Search, int], Bits | None]


def _stepwise(search: _Search, again: int, step: Callable[[Bits, Chosen, int], tuple[int, int]]) -> Bits | None:
    """Return the flips at which the event happens first, one step after the other; None where the best known is as near.

    From the second time on it starts at random flips, more of them each time, up to half of what is still of interest.
    """
    flips = np.zeros(search.slope.freedom, dtype=np.uint8)
    flips[search.random.permutation(len(flips))[: again % max(1, search.best // 2 + 1)]] = 1
    if again and search.margins(flips[None])[0] < 0:
        return flips
    while int(flips.sum()) < search.best - 1 and not search.over:
        position, margin = step(flips, search.random.permutation(np.flatnonzero(flips == 0)), again)
        flips[position] = 1
        if margin < 0:
            return flips
    return None


def _greedy(search: _Search, again: int) -> Bits | None:
    def step(flips: Bits, which: Chosen, _: int) -> tuple[int, int]:
        margins = search.neighbours(flips, which)
        alike = which[margins == margins.min()]  # often all of them, where no single flip moves any neuron that counts
        search.spent += 1
        return int(alike[np.argmin(search.slope.gradient(flips, window=2.0)[alike])]), int(margins.min())

    return _stepwise(search, again, step)


def _gradient(search: _Search, again: int) -> Bits | None:
    def step(flips: Bits, which: Chosen, again: int) -> tuple[int, int]:
        search.spent += 1
        position = int(which[np.argmin(search.slope.gradient(flips, window=2.0 ** (again % 4))[which])])
        return position, int(search.neighbours(flips, np.array([position]))[0])

    return _stepwise(search, again, step)


def _random(search: _Search, _: int) -> Bits | None:
    """Return the shortest beginning of a random order of flips at which the event happens."""
    order = search.random.permutation(search.slope.freedom)[: search.best - 1]
    flips = np.zeros((len(order), search.slope.freedom), dtype=np.uint8)
    for i, position in enumerate(order.tolist()):
        flips[i:, position] = 1
    hits = np.flatnonzero(search.margins(flips) < 0)
    return flips[hits[0]] if len(hits) else None


def _beam(search: _Search, again: int) -> Bits | None:
    """Return the first flips met at which the event happens, going on from the best points of each distance, wider each time."""
    kept = [np.zeros(search.slope.freedom, dtype=np.uint8)]
    for _ in range(search.best - 1):
        met: dict[bytes, tuple[int, float, Bits]] = {}
        for flips in kept:
            if search.over:
                return None
            which = search.random.permutation(np.flatnonzero(flips == 0))
            margins, slopes = search.neighbours(flips, which), search.slope.gradient(flips, window=2.0)[which]
            for i in np.lexsort((slopes, margins))[: BEAM << again].tolist():
                further = flips.copy()
                further[which[i]] = 1
                if margins[i] < 0:
                    return further
                met[further.tobytes()] = int(margins[i]), float(slopes[i]), further
        kept = [further for _, _, further in sorted(met.values(), key=lambda one: one[:2])[: BEAM << again]]
    return None


METHODS: dict[str, Walk] = {"greedy": _greedy, "gradient": _gradient, "random": _random, "beam": _beam}
