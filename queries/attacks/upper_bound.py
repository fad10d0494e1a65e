"""A cheap input with another answer, without proof: the upper bound that `distance` starts from.

Descents from the centre along gradients, within all positions and within ever fewer of the cheapest; then trading: with a
budget just below the best known cost, one flip at a time is given for another, whichever lowers the margin most.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bnnverify.model.arrays import Bits
from bnnverify.problem.budget import Budget
from bnnverify.problem.cost import Cost
from bnnverify.problem.query import Query
from bnnverify.queries.attacks.gradients import MarginOracle
from bnnverify.queries.attacks.local_search import local_search
from bnnverify.results.finding import Witness, confirmed, without_spare_flips

EVALUATIONS = 20_000  # inputs that one descent, or one trader, may put to the network
TRADERS = 2  # below each cost
PATIENCE = 12  # trades without a new lowest margin before trading begins anew
REST = 3  # trades for which a flip that was given away is not taken back


def upper_bound(query: Query, cost: Cost, budget: Budget, *, seed: int = 0) -> Witness | None:
    """Return the cheapest point of query.region, a cube, that this attack found at which the event happens; or None."""
    best: Witness | None = None
    for level in _levels(cost):
        if budget.spent:
            return best
        free = query.region.free & (cost.values <= level)
        search = partial(local_search, query.network, query.region.center, method="gradient", event=query.event)
        tried = search(free=free, evaluations=EVALUATIONS, seed=seed, budget=budget)
        if tried.witness is not None:
            best = _cheaper(best, cheapened(query, tried.witness, cost), cost)
    random = np.random.default_rng(seed)
    while best is not None and not cost.largest_counts and not budget.spent:
        traded = _traded(query, cost, cost.of(best.flips) - 1, random, budget)
        if traded is None:
            break
        best = cheapened(query, traded, cost)
    return best


def cheapened(query: Query, witness: Witness, cost: Cost) -> Witness:
    """Return witness less the flips that the event does not need, the dearest taken back first."""
    center = query.region.center

    def happens(flips: Bits) -> bool:
        point = center ^ flips
        return point in query.region and bool(query.happens(point))

    flips = np.array(witness.bits, dtype=np.uint8) ^ center
    return confirmed(query, center ^ without_spare_flips(flips, happens, np.argsort(-cost.values, kind="stable").tolist()))


def _cheaper(one: Witness | None, other: Witness, cost: Cost) -> Witness:
    return other if one is None or cost.of(other.flips) < cost.of(one.flips) else one


def _levels(cost: Cost) -> Iterator[int]:
    """Yield the dearest flip that is allowed: any, then the costs of which half, a quarter, ... of the flips are."""
    values = np.sort(cost.values[cost.possible])
    while len(values):
        yield int(values[-1])
        cheaper = values[: len(values) // 2]
        values = values[values <= cheaper[-1]] if len(cheaper) and cheaper[-1] < values[-1] else cheaper[:0]


def _traded(query: Query, cost: Cost, limit: int, random: np.random.Generator, budget: Budget) -> Witness | None:
    """Return a point that costs at most limit at which the event happens, found by trading flips; or None."""
    positions = np.flatnonzero(query.region.free & cost.possible & (cost.values <= limit))
    if not len(positions):
        return None
    slope, values = MarginOracle(query.decider, query.region.center, positions, query.targets), cost.values[positions]
    for _ in range(TRADERS):
        trader = _Trader(slope, values, limit, random, budget)
        while trader.stale < PATIENCE and trader.evaluations < EVALUATIONS and not budget.spent:
            if trader.trade() < 0:
                return confirmed(query, slope.points(trader.flips))
    return None


class _Trader:
    """Flips (freedom,) within a budget, and the margin there: filled up first, then traded one for one."""

    def __init__(
        self, slope: MarginOracle, values: NDArray[np.int64], limit: int, random: np.random.Generator, budget: Budget
    ) -> None:
        self._slope, self._values, self._limit, self._random, self._budget = slope, values, limit, random, budget
        self.flips: Bits = np.zeros(len(values), dtype=np.uint8)
        self.evaluations, self.stale, self._step = 0, 0, 0
        self._lowest: int | None = None
        self._resting = np.zeros(len(values), dtype=np.int64)  # until which step

    def trade(self) -> int:
        """Make the best step there is and return the margin behind it."""
        self._step += 1
        found = self._best(None)
        for given in self._random.permutation(np.flatnonzero(self.flips)).tolist() if found is None else []:
            if self._budget.spent:
                break
            other = self._best(given)
            found = other if found is None or (other is not None and other[0] < found[0]) else found
        if found is None:
            self.stale = PATIENCE
            return 0
        margin, given, taken = found
        if given is not None:
            self.flips[given], self._resting[given] = 0, self._step + REST
        self.flips[taken] = 1
        self.stale = 0 if self._lowest is None or margin < self._lowest else self.stale + 1
        self._lowest = margin if self._lowest is None else min(margin, self._lowest)
        return margin

    def _best(self, given: int | None) -> tuple[int, int | None, int] | None:
        """Return the lowest margin after taking one flip more, given being given for it; None where none can be paid."""
        flips = self.flips.copy()
        if given is not None:
            flips[given] = 0
        left = self._limit - int(self._values[flips == 1].sum())
        open_to = (flips == 0) & (self._values <= left) & (self._resting < self._step)
        if given is not None:
            open_to[given] = False
        which = self._random.permutation(np.flatnonzero(open_to))
        if not len(which):
            return None
        self.evaluations += len(which)
        margins = self._slope.neighbours(flips, which)
        return int(margins.min()), given, int(which[np.argmin(margins)])
