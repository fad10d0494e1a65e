"""How far weighted sums can move under constraints: groups of which one bit is 1, and limits on what all flips cost together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.matrix import Matrix
from bnnverify.model.threshold import Threshold


@dataclass(frozen=True)
class Group:
    """At most one of these bits is 1; exact: one of them is."""

    positions: tuple[int, ...]
    exact: bool


def groups(constraints: Sequence[Threshold], free: NDArray[np.bool_]) -> list[Group]:
    """Return groups of free bits, none of them in two, that constraints make: large ones first. Bits that are not free are 0."""
    some = {row.positions for row in constraints if row.bound == 1 and all(w == 1 for w in row.weights)}
    few = {row.positions for row in constraints if row.bound == -1 and all(w == -1 for w in row.weights)}
    chosen, used = list[Group](), set[int]()
    for positions in sorted(few, key=lambda positions: (-len(positions), positions)):
        live = tuple(i for i in positions if free[i])
        if len(live) > 1 and used.isdisjoint(live):
            chosen.append(Group(live, positions in some))
            used.update(live)
    return chosen


def group_rise(weights: Matrix, center: Bits, free: NDArray[np.bool_], outer: int, known: Sequence[Group]) -> Integers:
    """Return a bound of how far at most outer flips raise each weights[j] @ x above its value at center: (m, n) to (m,).

    A group whose centre already obeys it rises by its best single flip, or by its best exchange, which takes two flips: it is
    treated as two steps that each take one, the better one first. All numbers are doubled, so that halves are whole.
    """
    gains = weights * (1 - 2 * center.astype(np.int64))
    loose = free.copy()
    forced, steps = np.zeros(len(weights), dtype=np.int64), list[Integers]()
    for group in known:
        spots = np.array(group.positions)
        loose[spots] = False
        ones = spots[center[spots] == 1]
        none = gains[:, ones].sum(axis=1)  # where the bits that are 1 become 0
        alone = none + weights[:, spots].dense().max(axis=1)  # and the best one becomes 1, or stays
        best = alone if group.exact else np.maximum(alone, none)
        if len(ones) > 1 or (group.exact and not len(ones)):  # it has to move, however many flips that takes
            forced += best
            continue
        one = np.maximum(alone if not len(ones) else np.zeros_like(none) if group.exact else none, 0)
        best = np.maximum(best, 0)
        first = np.maximum(2 * one, best)
        steps += [first, 2 * best - first]
    single = 2 * np.maximum(gains[:, loose].packed(outer), 0)
    every = np.column_stack([single, *steps]) if steps else single
    most = np.sort(every, axis=1)[:, ::-1][:, :outer].sum(axis=1)
    return np.asarray(forced + most // 2)


def limits(rows: Sequence[Threshold], freedom: int) -> list[tuple[Integers, int]]:
    """Return costs of each flip, (freedom,), and what all may cost together, for each row that says so of every flip."""
    priced = [row for row in rows if len(row.positions) == freedom and all(w < 0 for w in row.weights)]
    return [(-np.array(row.weights, dtype=np.int64)[np.argsort(row.positions)], -row.bound) for row in priced]


def cost_rise(gains: Matrix, costs: Integers, limit: int) -> Integers:
    """Return a bound for how far flips within the limit raise each sum, (m, n) to (m,): reached where all weights are alike.

    gains: by how much a flip raises the sum, not below 0. costs: of the flips, (n,), at least 1. As many flips as the cheapest
    that raise it allow, each counted as one of the largest gains.
    """
    entries = gains.sparse()
    gained, paid = entries.packed(0), replace(entries, values=costs[entries.positions]).packed(0)
    idle = (paid == 0).sum(axis=1)  # places without a flip are sorted first, as costing nothing
    many = (np.cumsum(np.sort(paid, axis=1), axis=1) <= limit).sum(axis=1) - idle
    reached = np.zeros((len(gained), gained.shape[1] + 1), dtype=np.int64)
    np.cumsum(np.sort(gained, axis=1)[:, ::-1], axis=1, out=reached[:, 1:])
    furthest: Integers = reached[np.arange(len(gained)), many]
    return furthest
