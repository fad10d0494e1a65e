"""All solutions of linear constraints over bits, as a graph of states: counted, drawn and listed without meeting any other point.

The bits are decided one after the other. What was decided matters only by what each constraint still needs: a state. Needs that
are met whatever follows are all the same, states whose needs cannot be met are none, and states with the same needs are one. So
there are as many states in a level as there are different sums, not as there are points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bnnverify.model.arrays import Integers
from bnnverify.model.threshold import Threshold
from bnnverify.problem.budget import Budget, OutOfBudget

MOST_STATES = 2**22
MOST_BYTES = 2**29  # of counts that are kept for all states, to draw or list solutions by

Step = NDArray[np.int32]  # (states, 2): the state after this bit is 0, and after it is 1; -1: there is none


@dataclass(frozen=True, eq=False)
class Solutions:
    """The points of n bits that satisfy some constraints, by their number of ones, as far as that is at most `most`.

    order: the bits that the constraints name, in the order of levels; others are free. steps: where each level's states lead.
    sizes: the numbers of solutions with 0, 1, 2, ... ones, over the bits in order alone. possible: whether there is a solution.
    """

    order: tuple[int, ...]
    steps: tuple[Step, ...]
    most: int
    possible: bool
    sizes: tuple[int, ...] = (0,)

    @classmethod
    def of(cls, rows: Sequence[Threshold], most: int, budget: Budget, states: int | None = None) -> Solutions:
        """Return the solutions of all rows. Raises OutOfBudget where there are too many states, or the budget is spent.

        states: how many are too many, if fewer than MOST_STATES.
        """
        order = ordered(rows)
        levels, met, limit = _Levels(rows, order), 1, min(MOST_STATES, MOST_STATES if states is None else states)
        if not levels.possible:
            return cls((), (), most, possible=False)
        steps = []
        for level in range(len(order)):
            budget.check()
            steps.append(levels.step(level))
            met += levels.states
            if met > limit:
                what = f"{len(rows)} constraints over {len(order)} bits"
                raise OutOfBudget(f"the points were not counted: {what} have more than {limit} states, {level} bits in")
        found = cls(tuple(order), tuple(steps), most, possible=levels.states > 0)
        for counts in found._counts(budget) if found.possible else ():
            sizes = counts[0]
        return replace(found, sizes=found._unpacked(sizes)) if found.possible else found

    def __getstate__(self) -> dict[str, object]:
        """Return what travels to other processes: counts that are kept are made anew there."""
        return {name: value for name, value in self.__dict__.items() if name in self.__dataclass_fields__}

    @property
    def _width(self) -> int:
        """Return how many bits of a packed integer each of its counts has."""
        return len(self.order) + 1

    def _counts(self, budget: Budget) -> Iterator[list[int]]:
        """Yield for each level, the last first, how many ways lead from each state to a solution, by their number of ones.

        The numbers of ways with 0, 1, 2, ... ones are packed into one integer, _width bits each.
        """
        width, mask = self._width, (1 << self._width * (self.most + 1)) - 1
        counts = [1]
        yield counts
        for step in reversed(self.steps):
            budget.check()
            counts = [
                ((counts[zero] if zero >= 0 else 0) + (counts[one] << width if one >= 0 else 0)) & mask
                for zero, one in step.tolist()
            ]
            yield counts

    def _unpacked(self, packed: int) -> tuple[int, ...]:
        mask = (1 << self._width) - 1
        return tuple(packed >> self._width * ones & mask for ones in range(min(self.most, len(self.order)) + 1))

    @cached_property
    def _kept(self) -> list[list[int]]:
        """Return all counts, level by level; OutOfBudget where they do not fit into memory."""
        numbers = sum(map(len, self.steps))
        if numbers * self._width * (min(self.most, len(self.order)) + 1) > 8 * 2 * MOST_BYTES:  # half of it is 0 on average
            raise OutOfBudget(f"the points were not listed: the counts of {numbers} states need more than {MOST_BYTES} bytes")
        return list(self._counts(Budget()))[::-1] if self.possible else []

    def ways(self, level: int, state: int) -> tuple[int, ...]:
        """Return how many ways lead from a state of this level to a solution, with 0, 1, 2, ... further ones."""
        return self._unpacked(self._kept[level][state]) if state >= 0 else (0,) * (min(self.most, len(self.order)) + 1)

    def _number(self, level: int, state: int, ones: int) -> int:
        if state < 0 or ones < 0:
            return 0
        return self._kept[level][state] >> self._width * ones & (1 << self._width) - 1

    def after(self, level: int, state: int, bit: int) -> int:
        """Return the state after the bit of this level; -1: there is none."""
        return int(self.steps[level][state, bit])

    def solution(self, ones: int, ticket: int) -> list[int]:
        """Return the bits that are 1 in one of the solutions with so many ones: ticket says in which, from 0 on."""
        state, chosen = 0, list[int]()
        for level, bit in enumerate(self.order):
            zero = self.after(level, state, 0)
            without = self._number(level + 1, zero, ones)
            if ticket < without:
                state = zero
            else:
                ticket, ones, state = ticket - without, ones - 1, self.after(level, state, 1)
                chosen.append(bit)
        return chosen

    def listed(self, ones: int, at_once: int) -> Iterator[Integers]:
        """Yield all solutions with so many ones, a few at a time, as the bits that are 1: (<= at_once, ones)."""
        if not self.possible:
            return
        able = self._able(ones)
        chosen, count, state = np.zeros((1, ones), dtype=np.int64), np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
        todo = [(0, chosen, count, state)] if able[0][0, ones] else []
        while todo:
            level, chosen, count, state = todo.pop()
            done = (count == ones) | (level == len(self.order))
            if done.any():
                yield chosen[done]
                chosen, count, state = chosen[~done], count[~done], state[~done]
            if not len(state):
                continue
            zero, one = self.steps[level][state].T.astype(np.int64)
            stay, take = able[level + 1][zero, ones - count], able[level + 1][one, ones - count - 1]
            taken = chosen[take]
            taken[np.arange(len(taken)), count[take]] = self.order[level]
            grown = np.concatenate([chosen[stay], taken]), np.concatenate([count[stay], count[take] + 1])
            state = np.concatenate([zero[stay], one[take]])
            cuts = [0, len(state) // 2, len(state)] if len(state) > at_once else [0, len(state)]
            todo += [(level + 1, grown[0][i:j], grown[1][i:j], state[i:j]) for i, j in pairwise(cuts)]

    def _able(self, ones: int) -> list[NDArray[np.bool_]]:
        """Return for each level which states lead to solutions with 0..ones further ones: (states + 1, ones + 2).

        The last state, -1, and the last number never do.
        """
        able = np.zeros((2, ones + 2), dtype=np.bool_)
        able[0, 0] = True
        levels = [able]
        for step in reversed(self.steps):
            able = np.zeros((len(step) + 1, ones + 2), dtype=np.bool_)
            able[:-1] = levels[-1][step[:, 0]]
            able[:-1, 1:-1] |= levels[-1][step[:, 1], :-2]
            levels.append(able)
        return levels[::-1]


def ordered(rows: Sequence[Threshold]) -> list[int]:
    """Return the bits that rows name, such that few rows are begun and unfinished at any time.

    The row with the fewest open bits among those begun, or among all, is finished first, its largest weights leading.
    """
    names = [dict(zip(row.positions, row.weights, strict=True)) for row in rows]
    readers: dict[int, list[int]] = {}
    for j, row in enumerate(rows):
        for position in row.positions:
            readers.setdefault(position, []).append(j)
    left, begun, order, placed = [len(row) for row in names], [False] * len(rows), list[int](), set[int]()
    todo = [(True, many, j) for j, many in enumerate(left)]  # a heap; what has changed since is skipped
    heapify(todo)
    while todo:
        fresh, many, j = heappop(todo)
        if (not fresh, many) != (begun[j], left[j]) or not many:
            continue
        open_ = [(-sum(begun[k] for k in readers[i]), -abs(weight), i) for i, weight in names[j].items() if i not in placed]
        changed = set()
        for _, _, i in sorted(open_):
            order.append(i)
            placed.add(i)
            changed.update(readers[i])
            for k in readers[i]:
                left[k], begun[k] = left[k] - 1, True
        for k in changed:
            heappush(todo, (False, left[k], k))
    return order


class _Levels:
    """What the rows that are begun still need, in each state of a level; begun anew, it is one state without any."""

    def __init__(self, rows: Sequence[Threshold], order: Sequence[int]) -> None:
        place = {bit: level for level, bit in enumerate(order)}
        self._bounds = [row.bound for row in rows]
        self._weights: list[dict[int, int]] = [
            dict(zip(map(place.__getitem__, r.positions), r.weights, strict=True)) for r in rows
        ]
        self._named: list[list[int]] = [[] for _ in order]
        for j, weights in enumerate(self._weights):
            for level in weights:
                self._named[level].append(j)
        self._last = [max(weights, default=-1) for weights in self._weights]
        self._low = [sum(w for w in weights.values() if w < 0) for weights in self._weights]  # of the bits to come
        self._high = [sum(w for w in weights.values() if w > 0) for weights in self._weights]
        self.possible = all(bound <= high for bound, high in zip(self._bounds, self._high, strict=True))
        self._begun: list[int] = []
        self._needs: Integers = np.zeros((1, 0), dtype=np.int64)

    @property
    def states(self) -> int:
        return len(self._needs)

    def step(self, level: int) -> Step:
        """Go on by one level, and return where each state leads."""
        named = self._named[level]
        for j in named:
            if j not in self._begun:
                first = np.full((self.states, 1), min(self._bounds[j], self._high[j]), dtype=np.int64)
                self._needs = np.hstack([self._needs, np.maximum(first, self._low[j])])
                self._begun.append(j)
        weights = np.array([self._weights[j].get(level, 0) for j in self._begun], dtype=np.int64)
        for j in named:
            weight = self._weights[j][level]
            self._low[j] -= min(weight, 0)
            self._high[j] -= max(weight, 0)
        low, high = (np.array([ends[j] for j in self._begun], dtype=np.int64) for ends in (self._low, self._high))
        needs = np.concatenate([self._needs, self._needs - weights])
        alive = np.flatnonzero((needs <= high).all(axis=1))
        going = [k for k, j in enumerate(self._begun) if self._last[j] > level]
        self._begun = [self._begun[k] for k in going]
        self._needs, state = _merged(np.maximum(needs[alive], low)[:, going])
        step: Step = np.full(len(needs), -1, dtype=np.int32)
        step[alive] = state
        return step.reshape(2, -1).T


def _merged(needs: Integers) -> tuple[Integers, NDArray[np.intp]]:
    """Return the different rows, and for each row which of them it is."""
    if not needs.shape[1]:
        return needs[:1], np.zeros(len(needs), dtype=np.intp)
    if needs.shape[1] == 1:
        found, state = np.unique(needs[:, 0], return_inverse=True)
        return found[:, None], state
    found, state = np.unique(needs, axis=0, return_inverse=True)
    return found, state.ravel()
