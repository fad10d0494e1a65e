"""Which input flips go along with which changes of the latent code, and how often?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from bnnverify.encoders.enumeration.enumeration import Enumeration
from bnnverify.encoders.enumeration.layout import Runs
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.network import Network
from bnnverify.model.threshold import Threshold
from bnnverify.problem.budget import INTERRUPTED, Budget, OutOfBudget
from bnnverify.problem.region import Region
from bnnverify.queries.verbs.latent.codes import coding, latent, obeying
from bnnverify.queries.verbs.latent.latents import around
from bnnverify.results.latent import Attribution


def attribution(
    network: Network,
    center: ArrayLike,
    *,
    radius: int,
    free: ArrayLike | None = None,
    constraints: Sequence[Threshold] = (),
    cut: int | None = None,
    budget: Budget | None = None,
) -> Attribution:
    """Return for each input position and latent bit at how many points within radius both are flipped, in one enumeration.

    Arguments as for `latents`. When the budget is spent, the numbers are those of the points seen by then.
    """
    budget = (budget or Budget()).start()
    bits = network.check(center)
    region = around(bits, radius, free, constraints)
    prefix = latent(network, cut)
    table, seen, reason = np.zeros((region.n, prefix.widths[-1]), dtype=np.int64), 0, budget.reason
    try:
        region.sizes(budget)
        if constraints:
            seen, reason = _add_listed(table, prefix, region, budget)
            return _attribution(table, seen, region, reason)
        task = coding(network, region, len(prefix.blocks), mixed=True, budget=budget)
        changes = _Changes(task, prefix(bits))
        reason = changes.add_all(budget)
        table[region.positions], seen = changes.table(), changes.seen
    except OutOfBudget as out:
        reason = str(out)
    return _attribution(table, seen, region, reason)


def _attribution(table: Integers, seen: int, region: Region, reason: str) -> Attribution:
    """Return the answer; reason: why it ended, if it ended early."""
    reason = "" if seen == region.known_size else reason
    return Attribution(tuple(map(tuple, table.tolist())), seen, region.size_bound, reason)


def _add_listed(table: Integers, prefix: Network, region: Region, budget: Budget) -> tuple[int, str]:
    """Add all points of a region under constraints to table, and return how many they were, and why it would have ended early."""
    seen, code = 0, prefix(region.center)
    try:
        for _, points in obeying(region, budget):
            table += (points ^ region.center).T.astype(np.int64) @ (prefix(points) ^ code).astype(np.int64)
            seen += len(points)
    except KeyboardInterrupt:
        return seen, INTERRUPTED
    return seen, budget.reason


class _Changes:
    """Latent changes, summed over points: per position that a prefix flips, and per suffix, since many prefixes share one."""

    def __init__(self, task: Enumeration, code: Bits) -> None:
        self._task, self._code, self.seen = task, code[:, None], 0
        self._prefixed: Integers = np.zeros((task.first_layer.layout.freedom, len(code)), dtype=np.int64)
        self._suffixed: Integers = np.zeros((len(code), task.first_layer.layout.suffix_count), dtype=np.int64)

    def add_all(self, budget: Budget) -> str:
        """Add all points until the budget is spent or Ctrl-C comes, and return why it would have ended early."""
        try:
            for runs in self._task.parts():
                if budget.spent:
                    break
                self.add(runs)
        except KeyboardInterrupt:
            return INTERRUPTED
        return budget.reason

    def add(self, runs: Runs) -> None:
        for part, bits in self._task.bits(runs):
            changed, end = bits ^ self._code, 0
            for prefix, start, stop in zip(runs.prefixes[part], runs.starts[part], runs.stops[part], strict=True):
                mine = changed[:, end : end + stop - start]
                self._suffixed[:, start:stop] += mine
                self._prefixed[prefix] += mine.sum(axis=1, dtype=np.int64)
                end += stop - start
            self.seen += bits.shape[1]

    def table(self) -> Integers:
        """Return the sums for each free position and latent bit: (freedom, width)."""
        layout, table = self._task.first_layer.layout, self._prefixed.copy()
        for i, one in enumerate(np.eye(layout.freedom, dtype=np.int64)):
            table[i] += self._suffixed @ layout.sums(one)  # 1 for each suffix that flips position i
        return table
