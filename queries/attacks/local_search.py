"""Local search for adversarial inputs: an upper bound on the distance, without proof.

Each method flips one bit after the other until the event happens, then undoes every flip that the event does not need. The point
found is replayed; a search that finds none proves nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.errors import BadQuery
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.network import Network
from bnnverify.model.threshold import Threshold
from bnnverify.problem.ball import Subcube
from bnnverify.problem.budget import Budget
from bnnverify.problem.constrained import Constrained
from bnnverify.problem.events.base import Event
from bnnverify.problem.events.leaves import Leaves
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.attacks.exchanges import Exchanges
from bnnverify.queries.attacks.gradients import MarginFunction
from bnnverify.results.answers import Attempt
from bnnverify.results.finding import Witness, confirmed

BEAM = 8  # points of each distance from which a beam continues in its first walk

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
    constraints: Sequence[Threshold] = (),
    walks: int = 8,
    evaluations: int = 20_000,
    seed: int = 0,
    budget: Budget | None = None,
) -> Attempt:
    """Return the nearest point that the search found at which the event happens, with the number of inputs it evaluated.

    method: "greedy" flips the bit that lowers the margin most (of equals, the one with the lowest gradient), "gradient" the
    one with the lowest straight-through gradient, "random" any; "beam" continues from the best BEAM points of each distance.
    event: default Leaves(class of the centre). free: positions that may flip, default all. largest: no more flips than this,
    default none. constraints: what must hold of every point; a step then may take two flips, and all methods go by such steps.
    walks: how many walks it begins, from the second on at random flips (a beam: with twice as many points).
    evaluations: no new step begins after this many inputs, or when the budget is spent. seed: of ties and restarts.
    """
    started = time.monotonic()
    if method not in METHODS:
        raise BadQuery(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    bits = network.check(center)
    cube = Subcube(bits, np.arange(len(bits)) if free is None else free)
    region: Region = cube.shell(0, cube.freedom if largest is None else largest)
    region = Constrained(region, constraints) if constraints else region
    query = Query(network, region, event or Leaves(network(bits)))
    search = _Search(query, evaluations, np.random.default_rng(seed), (budget or Budget()).start())
    witness = search.nearest(_exchanging(method) if constraints else METHODS[method], walks)
    return Attempt(method, str(query.event), witness, search.spent, seed, time.monotonic() - started)


class _Search:
    """One search: flips are positions within the free ones, spent counts the inputs that the network classified."""

    def __init__(self, query: Query, most: int, random: Random, budget: Budget) -> None:
        self.query, self.random, self.spent, self._budget = query, random, 0, budget
        self._most, self.best = most, query.region.outer + 1  # only points nearer than best are searched
        self.function = MarginFunction(query.decider, query.region.center, query.region.positions, query.targets)
        self.exchanges = Exchanges(query.region) if query.region.constraints else None
        self.start = self.exchanges.nearest() if self.exchanges else np.zeros(self.function.freedom, dtype=np.uint8)

    @property
    def over(self) -> bool:
        return self.spent >= self._most or self.best <= 1 or self._budget.spent

    def nearest(self, walk: Walk, walks: int) -> Witness | None:
        """Return the nearest end of the walks from the centre, each shorter than the one before."""
        found: Bits | None = None
        if self.start is None:
            return None
        if self.margins(self.start[None])[0] < 0:
            return confirmed(self.query, self.function.points(self.start))
        for restart in range(walks if self.query.targets and self.query.region.outer else 0):
            if self.over:
                break
            flips = walk(self, restart)
            if flips is not None:
                found = self._without_spare_flips(flips)
                self.best = int(found.sum())
        return None if found is None else confirmed(self.query, self.function.points(found))

    def margins(self, flips: Bits) -> Integers:
        """Return the margins of these flips (k, freedom): below 0 the event happens."""
        self.spent += len(flips)
        return self.function.margins(flips)

    def neighbours(self, flips: Bits, which: Chosen) -> Integers:
        """Return the margins after changing one of these positions more: (len(which),)."""
        self.spent += len(which)
        return self.function.neighbours(flips, which)

    def _without_spare_flips(self, flips: Bits) -> Bits:
        """Return the flips less those that can be undone one by one while the event still happens, and the budget lasts.

        Under constraints, steps are undone.
        """
        while self.exchanges and self.spent < self._most and not self._budget.spent:
            fewer = self.random.permutation(self.exchanges.nearer(flips))
            margins = self.margins(fewer) if len(fewer) else np.zeros(0, dtype=np.int64)
            if margins.min(initial=0) >= 0:
                return flips
            flips = fewer[np.argmin(margins)]
        while self.spent < self._most and not self._budget.spent:
            which = self.random.permutation(np.flatnonzero(flips))
            margins = self.neighbours(flips, which)
            if margins.min() >= 0:
                break
            flips[which[np.argmin(margins)]] = 0
        return flips


Walk = Callable[[_Search, int], Bits | None]


def _stepwise(search: _Search, restart: int, step: Callable[[Bits, Chosen, int], tuple[int, int]]) -> Bits | None:
    """Return the first flips at which the event happens, one step after the other; None where the best known are as few.

    From the second walk on it starts at random flips, more of them each time, up to half of the best known.
    """
    flips = np.zeros(search.function.freedom, dtype=np.uint8)
    flips[search.random.permutation(len(flips))[: restart % max(1, search.best // 2 + 1)]] = 1
    if restart and search.margins(flips[None])[0] < 0:
        return flips
    while int(flips.sum()) < search.best - 1 and not search.over:
        position, margin = step(flips, search.random.permutation(np.flatnonzero(flips == 0)), restart)
        flips[position] = 1
        if margin < 0:
            return flips
    return None


def _greedy(search: _Search, restart: int) -> Bits | None:
    def step(flips: Bits, which: Chosen, _: int) -> tuple[int, int]:
        margins = search.neighbours(flips, which)
        ties = which[margins == margins.min()]  # often all of them, where no single flip changes a neuron that decides
        search.spent += 1
        return int(ties[np.argmin(search.function.gradient(flips, window=2.0)[ties])]), int(margins.min())

    return _stepwise(search, restart, step)


def _gradient(search: _Search, restart: int) -> Bits | None:
    def step(flips: Bits, which: Chosen, restart: int) -> tuple[int, int]:
        search.spent += 1
        position = int(which[np.argmin(search.function.gradient(flips, window=2.0 ** (restart % 4))[which])])
        return position, int(search.neighbours(flips, np.array([position]))[0])

    return _stepwise(search, restart, step)


def _random(search: _Search, _: int) -> Bits | None:
    """Return the shortest prefix of a random order of flips at which the event happens."""
    order = search.random.permutation(search.function.freedom)[: search.best - 1]
    flips = np.zeros((len(order), search.function.freedom), dtype=np.uint8)
    for i, position in enumerate(order.tolist()):
        flips[i:, position] = 1
    hits = np.flatnonzero(search.margins(flips) < 0)
    return flips[hits[0]] if len(hits) else None


def _beam(search: _Search, restart: int) -> Bits | None:
    """Return the first flips found at which the event happens, from ever more of the best points of each distance."""
    beam = [np.zeros(search.function.freedom, dtype=np.uint8)]
    for _ in range(search.best - 1):
        extended: dict[bytes, tuple[int, float, Bits]] = {}
        for flips in beam:
            if search.over:
                return None
            which = search.random.permutation(np.flatnonzero(flips == 0))
            margins, gradients = search.neighbours(flips, which), search.function.gradient(flips, window=2.0)[which]
            for i in np.lexsort((gradients, margins))[: BEAM << restart].tolist():
                further = flips.copy()
                further[which[i]] = 1
                if margins[i] < 0:
                    return further
                extended[further.tobytes()] = int(margins[i]), float(gradients[i]), further
        beam = [further for _, _, further in sorted(extended.values(), key=lambda one: one[:2])[: BEAM << restart]]
    return None


def _exchanging(method: str) -> Walk:
    """Return a walk by steps that keep the constraints; what it goes on from is what the method would choose."""
    width = BEAM if method == "beam" else 1

    def walk(search: _Search, again: int) -> Bits | None:
        kept = [_elsewhere(search, again)]
        while kept and not search.over:
            met: dict[bytes, tuple[float, Bits]] = {}
            for flips in kept:
                further = search.random.permutation(search.exchanges.further(flips)) if search.exchanges else flips[None][:0]
                further = further[further.sum(axis=1) < search.best]
                chosen = further[np.argsort(_scores(search, method, flips, further), kind="stable")][: width << again]
                margins = search.margins(chosen) if len(chosen) else np.zeros(0, dtype=np.int64)
                if margins.min(initial=0) < 0:
                    return np.asarray(chosen[np.argmin(margins)])
                met |= {point.tobytes(): (margin, point) for margin, point in zip(margins.tolist(), chosen, strict=True)}
            kept = [point for _, point in sorted(met.values(), key=lambda one: one[0])[: width << again if width > 1 else 1]]
        return None

    return walk


def _elsewhere(search: _Search, again: int) -> Bits:
    """Return where a walk begins: from the second time on some random steps away from the start."""
    flips = search.start if search.start is not None else np.zeros(search.function.freedom, dtype=np.uint8)
    for _ in range(again % max(1, search.best // 2 + 1)):
        further = search.exchanges.further(flips) if search.exchanges else flips[None][:0]
        flips = further[search.random.integers(len(further))] if len(further) else flips
    return flips


def _scores(search: _Search, method: str, flips: Bits, further: Bits) -> NDArray[np.float64]:
    """Return what the method thinks of each step: the smaller the better."""
    if method == "random" or not len(further):
        return np.zeros(len(further))
    if method == "greedy":
        return search.margins(further).astype(np.float64)
    search.spent += 1
    return np.asarray((further ^ flips) @ search.function.gradient(flips, window=2.0))


METHODS: dict[str, Walk] = {"greedy": _greedy, "gradient": _gradient, "random": _random, "beam": _beam}
