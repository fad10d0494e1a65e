"""An input of low cost with another answer, without proof: the upper bound from which `distance` starts.

Local searches from the centre along gradients, within all positions and within ever fewer of those with the lowest costs; then
tabu search: below the best known cost, the swap of one flip for another that lowers the margin most.
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
from bnnverify.queries.attacks.gradients import MarginFunction
from bnnverify.queries.attacks.local_search import local_search
from bnnverify.results.finding import Witness, confirmed, without_spare_flips

EVALUATIONS = 20_000  # inputs that one local search, or one tabu search, may evaluate
SEARCHES = 2  # tabu searches below each cost
PATIENCE = 12  # steps without a new lowest margin before a search ends
TENURE = 3  # steps for which a removed flip may not be added again


def upper_bound(query: Query, cost: Cost, budget: Budget, *, seed: int = 0) -> Witness | None:
    """Return the point of query.region, a cube, of the lowest cost found at which the event happens; or None."""
    best: Witness | None = None
    for level in _levels(cost):
        if budget.spent:
            return best
        free = query.region.free & (cost.values <= level)
        search = partial(local_search, query.network, query.region.center, method="gradient", event=query.event)
        attempt = search(free=free, constraints=query.region.constraints, evaluations=EVALUATIONS, seed=seed, budget=budget)
        if attempt.witness is not None:
            best = _less_costly(best, minimal_witness(query, attempt.witness, cost), cost)
    random = np.random.default_rng(seed)
    swaps = not cost.largest_counts and not query.region.constraints  # one flip for another breaks most constraints
    while best is not None and swaps and not budget.spent:
        witness = _by_swaps(query, cost, cost.of(best.flips) - 1, random, budget)
        if witness is None:
            break
        best = minimal_witness(query, witness, cost)
    return best


def minimal_witness(query: Query, witness: Witness, cost: Cost) -> Witness:
    """Return witness less the flips that the event does not need, those of the highest cost undone first."""
    center = query.region.center

    def happens(flips: Bits) -> bool:
        point = center ^ flips
        return point in query.region and bool(query.happens(point))

    flips, order = np.array(witness.bits, dtype=np.uint8) ^ center, np.argsort(-cost.values, kind="stable").tolist()
    return confirmed(query, center ^ without_spare_flips(flips, happens, order, query.region.constraints))


def _less_costly(one: Witness | None, other: Witness, cost: Cost) -> Witness:
    return other if one is None or cost.of(other.flips) < cost.of(one.flips) else one


def _levels(cost: Cost) -> Iterator[int]:
    """Yield the largest cost of an allowed flip: of any, then the costs of half, a quarter, ... of the flips."""
    values = np.sort(cost.values[cost.possible])
    while len(values):
        yield int(values[-1])
        smaller = values[: len(values) // 2]
        values = values[values <= smaller[-1]] if len(smaller) and smaller[-1] < values[-1] else smaller[:0]


def _by_swaps(query: Query, cost: Cost, limit: int, random: np.random.Generator, budget: Budget) -> Witness | None:
    """Return a point that costs at most limit at which the event happens, found by swaps of flips; or None."""
    positions = np.flatnonzero(query.region.free & cost.possible & (cost.values <= limit))
    if not len(positions):
        return None
    function, values = MarginFunction(query.decider, query.region.center, positions, query.targets), cost.values[positions]
    for _ in range(SEARCHES):
        search = _SwapSearch(function, values, limit, random, budget)
        while search.stale < PATIENCE and search.evaluations < EVALUATIONS and not budget.spent:
            if search.step() < 0:
                return confirmed(query, function.points(search.flips))
    return None


class _SwapSearch:
    """Tabu search (Glover 1989) over flips (freedom,) within a cost limit: flips are added first, then swapped one for one."""

    def __init__(
        self, function: MarginFunction, values: NDArray[np.int64], limit: int, random: np.random.Generator, budget: Budget
    ) -> None:
        self._function, self._values, self._limit, self._random, self._budget = function, values, limit, random, budget
        self.flips: Bits = np.zeros(len(values), dtype=np.uint8)
        self.evaluations, self.stale, self._steps = 0, 0, 0
        self._lowest: int | None = None
        self._tabu_until = np.zeros(len(values), dtype=np.int64)  # the step until which a flip may not be added

    def step(self) -> int:
        """Make the best move and return the margin after it."""
        self._steps += 1
        found = self._best_move(None)
        for removed in self._random.permutation(np.flatnonzero(self.flips)).tolist() if found is None else []:
            if self._budget.spent:
                break
            other = self._best_move(removed)
            found = other if found is None or (other is not None and other[0] < found[0]) else found
        if found is None:
            self.stale = PATIENCE
            return 0
        margin, removed, added = found
        if removed is not None:
            self.flips[removed], self._tabu_until[removed] = 0, self._steps + TENURE
        self.flips[added] = 1
        self.stale = 0 if self._lowest is None or margin < self._lowest else self.stale + 1
        self._lowest = margin if self._lowest is None else min(margin, self._lowest)
        return margin

    def _best_move(self, removed: int | None) -> tuple[int, int | None, int] | None:
        """Return the lowest margin after one more flip, without the removed one, and the move; None if none is allowed."""
        flips = self.flips.copy()
        if removed is not None:
            flips[removed] = 0
        left = self._limit - int(self._values[flips == 1].sum())
        allowed = (flips == 0) & (self._values <= left) & (self._tabu_until < self._steps)
        if removed is not None:
            allowed[removed] = False
        which = self._random.permutation(np.flatnonzero(allowed))
        if not len(which):
            return None
        self.evaluations += len(which)
        margins = self._function.neighbours(flips, which)
        return int(margins.min()), removed, int(which[np.argmin(margins)])
