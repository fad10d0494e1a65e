"""The joint diagram of all first-layer neurons, level by level: only its frontier is stored, and nothing is composed.

Two choices of flips for the first i inputs lead to the same state if every neuron's sum lacks the same amount to its bound: what
follows is the same for both. The frontier holds each state once, with the number of choices that lead to it. At the last level a
state is a code of the first layer, which the rest of the network classifies. This is the frontier method of Sekine, Imai and Tani
("Computing the Tutte polynomial of a graph of moderate size", ISAAC 1995), here for thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnverify.encoders.presolve.constraint_rows import constraint_rows, together
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.network import Block
from bnnverify.problem.region import Region

Rows = NDArray[Any]  # one row of small whole numbers per state
MEMORY = 1 << 30  # bytes for states when no limit is given
CHANGES = 1 << 26  # bytes of changes that are stored
AT_ONCE = 1 << 18  # states that go on together: fewer lose merging, more bring the first counts later (docs/bdd.md)
YIELD = 1 << 17  # finished states that are yielded together, fewer where they are wide
FEW = 256  # states up to which merging takes longer than it saves
WIDEST_WAYS = 2**62  # above, numbers of ways are Python integers
MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: spreads hashes


@dataclass(frozen=True, eq=False)
class Codes:
    """Points of a region, grouped by their first-layer codes; no two rows of one group are the same.

    bits: (k, neurons). distances: (k,), all 0 where the region is a cube. ways: (k,) number of points. examples:
    (k, inputs) flips of one of the points each; (k, 0) without examples.
    """

    bits: Bits
    distances: Integers
    ways: Rows
    examples: Bits


@dataclass(frozen=True, eq=False)
class _States:
    """States of choices for the first `level` inputs.

    rows: (k, columns): the missing sum of each neuron, then the number of flips, then zeros up to whole 64-bit words.
    ways: (k,). examples: (k, bytes) packed flips. merged: how many states there were when they were last merged.
    """

    level: int
    rows: Rows
    ways: Rows
    examples: Bits
    merged: int = 0

    def only(self, which: Any) -> _States:
        return replace(self, rows=self.rows[which], ways=self.ways[which], examples=self.examples[which])

    def __len__(self) -> int:
        return len(self.ways)


class Frontier:
    """A block over the flips of a region (a presolved one), ready to be swept.

    Constraints are neurons in front of those of the block; states that cannot obey them are dropped. Inputs are taken in the
    order of their weight columns, so that equal columns are neighbours. examples: store a point of each code. memory: bytes for
    states, about: where there are more, one half waits while the other goes on to the last level.
    """

    def __init__(self, block: Block, region: Region, *, examples: bool = False, memory: int | None = None) -> None:
        rules = constraint_rows(region)
        block = together(rules, block) if rules.outputs else block
        self._block, self._rules, self._region, self._examples = block, rules.outputs, region, examples
        self._cube = (region.inner, region.outer) == (0, region.n)
        self._order = block.matrix.column_order()
        self._rows = block.matrix[:, self._order]
        self._columns = self._rows.T
        furthest = np.abs([reach[-1] for reach in self._reach(0)]).max(initial=0)
        self._out = int(furthest) + 1  # lacking so much, or so little, nothing can change a neuron any more
        largest = max(2 * self._out, region.outer + 1)
        self._dtype = np.dtype(next((t for t in (np.int8, np.int16, np.int32) if largest <= np.iinfo(t).max), np.int64))
        self._width = block.outputs + 1 + -(block.outputs + 1) % 8
        limit, each = memory or MEMORY, self._width * self._dtype.itemsize + 8  # bytes, for all states and for one
        fitting = limit // (max(region.n, 16) * each)
        self._most = max(1, min(AT_ONCE, fitting))  # about one half waits per level
        self._ready = max(1, min(YIELD, limit // (16 * each)))
        self._changes: dict[int, Rows] = {}

    def codes(self, pause: Callable[[], None] = lambda: None) -> Iterator[Codes]:
        """Yield all points of the region in groups of codes; pause is called now and then and may raise to stop the work."""
        finished = list[_States]()
        for states in filter(len, map(self._obeying, self._done(pause))):
            finished.append(states)
            if sum(map(len, finished)) >= self._ready:
                yield self._finished(finished)
                finished = []
        if finished:
            yield self._finished(finished)

    def _done(self, pause: Callable[[], None]) -> Iterator[_States]:
        """Yield states in which every input is decided: no flip is left, or no input."""
        waiting, levels = [self._start()], self._region.n if self._region.outer else 0
        while waiting:
            states = waiting.pop()
            while len(states) and states.level < levels:
                pause()
                if len(states) > max(2 * states.merged, FEW):
                    states, others = self._split(self._merged(states))
                    waiting += others
                states, done = self._stepped(states)
                yield done
            yield states

    def _split(self, states: _States) -> tuple[_States, list[_States]]:
        """Return the states, or one half of them and the other, if they are more than fit."""
        if len(states) <= self._most:
            return states, []
        half = len(states) // 2
        first, second = states.only(slice(half)), states.only(slice(half, None))
        return replace(first, merged=half), [replace(second, merged=len(states) - half)]

    def _start(self) -> _States:
        rows = np.zeros((1, self._width), dtype=self._dtype)
        rows[0, : self._block.outputs] = np.clip(self._block.bounds, -self._out, self._out)
        ways = np.ones(1, dtype=np.int64 if self._region.ball.size < WIDEST_WAYS else object)
        return _States(0, rows, ways, np.zeros((1, -(-self._region.n // 8) if self._examples else 0), dtype=np.uint8))

    def _stepped(self, states: _States) -> tuple[_States, _States]:
        """Return the states after one more input, flipped or not, and apart from them those that have no flip left."""
        level = states.level
        flipped = replace(states, rows=states.rows + self._change(level), examples=self._with_flip(states.examples, level))
        if self._cube:
            return replace(_together([states, flipped]), level=level + 1, merged=states.merged), states.only(slice(0))
        spent = self._flips(flipped) == self._region.outer
        late = self._region.inner - (self._region.n - level - 1)  # with fewer flips by now, the region is out of reach
        if late > 0:
            states = states.only(self._flips(states) >= late)
        return replace(_together([states, flipped.only(~spent)]), level=level + 1, merged=states.merged), flipped.only(spent)

    def _change(self, level: int) -> Rows:
        """Return the change of a state's row by a flip of this level's input."""
        if level not in self._changes:
            if len(self._changes) * self._width * self._dtype.itemsize >= CHANGES:
                self._changes.clear()
            change = np.zeros(self._width, dtype=self._dtype)
            change[: self._block.outputs] = -self._columns[level : level + 1].dense()[0]
            change[self._block.outputs] = not self._cube
            self._changes[level] = change
        return self._changes[level]

    def _with_flip(self, examples: Bits, level: int) -> Bits:
        if not self._examples:
            return examples
        place, examples = int(self._order[level]), examples.copy()
        examples[:, place >> 3] |= 128 >> (place & 7)
        return examples

    def _merged(self, states: _States) -> _States:
        """Return the states with neurons that cannot change any more all lacking the same, and each state once.

        Those of which no point obeys the constraints are gone.
        """
        left = np.minimum(self._region.outer - self._flips(states), self._region.n - states.level)
        reaches = (reach.astype(self._dtype) for reach in self._reach(states.level))
        least, most = (reach[np.minimum(left, len(reach) - 1)] for reach in reaches)
        lacks = states.rows[:, : self._block.outputs]
        if self._rules:
            possible = (lacks[:, : self._rules] <= most[:, : self._rules]).all(axis=1)
            states, lacks, least, most = states.only(possible), lacks[possible], least[possible], most[possible]
        lacks = np.where(lacks > most, self._out, np.where(lacks <= least, -self._out, lacks))
        rows = states.rows.copy()
        rows[:, : self._block.outputs] = lacks
        states = distinct(replace(states, rows=rows))
        return replace(states, merged=len(states))

    def _reach(self, level: int) -> tuple[Integers, Integers]:
        """Return how far 0, 1, 2, ... flips from this level on can move each neuron's sum, down and up: (flips, neurons) both.

        The last row holds for more flips as well.
        """
        rising = np.sort(self._rows[:, level:].packed(0), axis=1)
        both = []
        for best in (np.minimum(rising, 0), np.maximum(rising, 0)[:, ::-1]):
            sums = np.zeros((self._block.outputs, 1 + min(best.shape[1], self._region.outer)), dtype=np.int64)
            np.cumsum(best[:, : sums.shape[1] - 1], axis=1, out=sums[:, 1:])
            both.append(np.ascontiguousarray(sums.T))
        return both[0], both[1]

    def _obeying(self, states: _States) -> _States:
        """Return those of finished states whose points obey the constraints."""
        return states.only((states.rows[:, : self._rules] <= 0).all(axis=1)) if self._rules else states

    def _flips(self, states: _States) -> Integers:
        return states.rows[:, self._block.outputs].astype(np.int64)

    def _finished(self, parts: list[_States]) -> Codes:
        """Return the codes of finished states; fewer than they, where neurons lack different amounts but fire alike."""
        states = _together(parts)
        fires = np.packbits(states.rows[:, self._rules : self._block.outputs] <= 0, axis=1)
        rows = np.zeros((len(states), 8 + fires.shape[1] + -fires.shape[1] % 8), dtype=np.uint8)
        rows[:, :8] = self._flips(states)[:, None].view(np.uint8)
        rows[:, 8 : 8 + fires.shape[1]] = fires
        states = distinct(replace(states, rows=rows))
        bits = np.unpackbits(states.rows[:, 8:], axis=1, count=self._block.outputs - self._rules)
        examples = np.unpackbits(states.examples, axis=1, count=self._region.n if self._examples else 0)
        return Codes(bits, states.rows[:, :8].copy().view(np.int64)[:, 0], states.ways, examples)


def _together(parts: list[_States]) -> _States:
    rows, ways, examples = zip(*((part.rows, part.ways, part.examples) for part in parts), strict=True)
    return _States(parts[0].level, np.concatenate(rows), np.concatenate(ways), np.concatenate(examples))


def distinct(states: _States) -> _States:
    """Return the states with equal rows as one, their ways added up.

    Rows are sorted by a 64-bit hash and joined only if they are equal: different rows with the same hash stay apart.
    """
    words = np.ascontiguousarray(states.rows).view(np.uint64)
    hashes = np.zeros(len(states), dtype=np.uint64)
    for column in words.T:
        hashes = (hashes ^ column) * MIX
        hashes ^= hashes >> np.uint64(29)
    order = np.argsort(hashes)
    first = np.ones(len(states), dtype=np.bool_)
    pairs = np.flatnonzero(hashes[order[1:]] == hashes[order[:-1]]) + 1
    first[pairs] = (words[order[pairs]] != words[order[pairs - 1]]).any(axis=1)
    starts = np.flatnonzero(first)
    ways = np.add.reduceat(states.ways[order], starts) if len(starts) else states.ways
    return replace(states.only(order[starts]), ways=ways)
