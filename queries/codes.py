"""Which latent codes do the points of a region have, and how often?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bnnverify.encoders.enumeration import Enumeration
from bnnverify.encoders.lanes import Indices
from bnnverify.encoders.presolve import presolve
from bnnverify.errors import BadQuery
from bnnverify.network import Network
from bnnverify.queries.engine import Budget
from bnnverify.region import Region
from bnnverify.result import Codes

WIDEST = 62  # bits of a code: it is counted as one whole number


def codes(network: Network, region: Region, cut: int, *, budget: Budget | None = None) -> Codes:
    """Return how many points of the region have each code, the bits after the first `cut` blocks of the network.

    By looking at every point, as the bits engine does. When the budget is spent, the codes met so far.
    """
    budget = budget or Budget()
    prefix = network.prefix(cut)
    width = prefix.widths[-1]
    if width > WIDEST:
        raise BadQuery(f"codes: expected a latent of at most {WIDEST} bits, got {width}")
    if region.n != network.inputs:
        raise BadQuery(f"region: expected {network.inputs} bits, got {region.n}")
    counts: Counter[int] = Counter()
    for numbers, times in _met(prefix, region, budget):
        counts.update(dict(zip(numbers.tolist(), times.tolist(), strict=True)))
    reason = "" if counts.total() == region.size else f"stopped after {budget.seconds:g} s"
    bits = {tuple(number >> j & 1 for j in range(width)): times for number, times in counts.items()}
    return Codes(region.size, bits, reason)


def _met(prefix: Network, region: Region, budget: Budget) -> Iterator[tuple[Indices, Indices]]:
    task = Enumeration(presolve(prefix, region), None, mixed=True)
    for runs in task.parts():
        if budget.spent:
            return
        yield from task.codes(runs)
