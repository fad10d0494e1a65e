"""Counting by looking at every point of the region, many thousands per step.

The first layer is read off a table (`encoders.lanes`), what follows is a bit-parallel circuit (`encoders.bits`). Questions so
small that making the circuit would cost more than the answer are put to the network itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bnnverify.encoders.bits import Program, Words, compiled, packed, unpacked
from bnnverify.encoders.circuit import Circuit
from bnnverify.encoders.lanes import Layout, Run, shortest
from bnnverify.encoders.presolve import Presolved, presolve
from bnnverify.encoders.walk import hidden
from bnnverify.errors import Disagreement
from bnnverify.network import Bits, Block, Network, Whole, exact_products
from bnnverify.queries.engine import Ability, Budget, Progress, Report, silent
from bnnverify.query import Query, confirmed
from bnnverify.result import Finding, Tally

BATCH = 2**18  # points per step: their words for one wire are 32 KB, so a circuit's live wires stay in the cache
TABLE = 2**26  # neurons times lanes
SMALL = 2**26  # points times weights, below which the network itself is asked: making a circuit takes as long


class BitsEngine:
    """Exact counts by bit-parallel enumeration; the cost grows with the number of points, not with what they do."""

    name: ClassVar[str] = "bits"
    ability: ClassVar[Ability] = Ability(exact=True, native=False, one_pass=True)

    def count(self, query: Query, budget: Budget, report: Report = silent) -> Tally:
        """Return how many points of query.region fall to each class: all classes in one pass."""
        region, classes = query.region, query.network.classes
        solved = presolve(query.network, region)
        seen = [0] * classes
        if solved.decided:
            seen[solved.classes[0]] = region.size
            return Tally.seen(region.size, seen)
        for batch in _batches(solved):
            for c, number in zip(solved.classes, batch.numbers(), strict=True):
                seen[c] += number
            report(Progress(sum(seen), region.size, Tally.seen(region.size, seen)))
            if budget.spent:
                break
        done = sum(seen)
        if done > region.size or (done < region.size and not budget.spent):
            raise Disagreement(f"bits: expected {region.size} points in the region, met {done}")
        return Tally.seen(region.size, seen, "" if done == region.size else f"stopped after {budget.seconds:g} s")

    def find(self, query: Query, budget: Budget) -> Finding:
        """Return whether the event happens, with the first witness met."""
        solved = presolve(query.network, query.region)
        targets = [i for i, c in enumerate(solved.classes) if c in query.targets]
        if not targets:
            return Finding(False)
        if solved.decided:  # every point will do
            return Finding(True, confirmed(query, next(query.region.points())[0]))
        for batch in _batches(solved):
            flips = batch.first(targets)
            if flips is not None:
                return Finding(True, confirmed(query, solved.points(flips)))
            if budget.spent:
                return Finding(None, reason=f"stopped after {budget.seconds:g} s")
        return Finding(False)

    def close(self) -> None:
        """Nothing outlives a question."""


@dataclass(frozen=True, eq=False)
class _Labels:
    """A batch answered by the network itself: labels (N,) of flips (N, freedom)."""

    classes: int
    labels: Whole
    flips: Bits

    def numbers(self) -> list[int]:
        return [int(k) for k in np.bincount(self.labels, minlength=self.classes)]

    def first(self, targets: list[int]) -> Bits | None:
        hits = np.flatnonzero(np.isin(self.labels, targets))
        return self.flips[hits[0]] if len(hits) else None


@dataclass(frozen=True, eq=False)
class _Lanes:
    """A batch answered by the circuit: for each class the words that say which points fall to it."""

    wins: Words
    runs: list[Run]
    lanes: Bits

    def numbers(self) -> list[int]:
        return [int(k) for k in np.bitwise_count(self.wins).sum(axis=1, dtype=np.int64)]

    def first(self, targets: list[int]) -> Bits | None:
        hits = np.flatnonzero(np.bitwise_or.reduce(self.wins[targets], axis=0))
        if not len(hits):
            return None
        word = self.wins[targets][:, hits[0] : hits[0] + 1]
        point = 64 * int(hits[0]) + int(np.flatnonzero(unpacked(word, 64).any(axis=0))[0])
        for run in self.runs:
            if point < run.stop - run.start:
                flips: Bits = self.lanes[run.start + point].copy()
                flips[list(run.prefix)] = 1
                return flips
            point -= run.stop - run.start
        raise Disagreement("bits: expected the hit inside the batch")


def _batches(solved: Presolved) -> Iterator[_Labels | _Lanes]:
    network, region = solved.network, solved.region
    weights = sum(a * b for a, b in pairwise(network.widths))
    if region.size * weights <= SMALL:
        return (_Labels(network.classes, network(flips), flips) for flips in region.points())
    return _Enumeration(network, region.inner, region.outer).batches()


class _Enumeration:
    """One network over one region, ready to run: the lane table of the first block, and the circuit of the rest."""

    def __init__(self, network: Network, inner: int, outer: int) -> None:
        first, rest = _split(network)
        self.weights, self.bounds = first.weights, first.bounds
        self.batch = max(64, min(BATCH, TABLE // first.outputs) // 64 * 64)
        self.layout: Layout = shortest(first.inputs, inner, outer, most_lanes=min(2**20, TABLE // first.outputs))
        self.lanes = self.layout.lanes()
        sums = exact_products(self.lanes, self.weights)
        self.low, self.high = int(sums.min(initial=0)), int(sums.max(initial=0))
        kind = np.result_type(np.min_scalar_type(self.low - 1), np.min_scalar_type(-self.high - 2))
        self.table = np.ascontiguousarray(sums.T.astype(kind))
        self.program = _program(rest)

    def batches(self) -> Iterator[_Lanes]:
        fires = np.empty((len(self.bounds), self.batch), dtype=np.bool_)
        for runs in _filled(self.layout.runs(), self.batch):
            filled = 0
            for run, needs in zip(runs, self._needs(runs), strict=True):
                end = filled + run.stop - run.start
                np.greater_equal(self.table[:, run.start : run.stop], needs[:, None], out=fires[:, filled:end])
                filled = end
            yield _Lanes(self._wins(fires[:, :filled]), runs, self.lanes)

    def _needs(self, runs: list[Run]) -> NDArray[Any]:
        """Return what the lane must still bring for each neuron to fire: (runs, neurons), cut to what lanes can bring."""
        prefixes = np.zeros((len(runs), self.weights.shape[1]), dtype=np.uint8)
        ones = np.fromiter(chain.from_iterable(run.prefix for run in runs), dtype=np.intp)
        prefixes[np.repeat(np.arange(len(runs)), [len(run.prefix) for run in runs]), ones] = 1
        needs = self.bounds - exact_products(prefixes, self.weights)
        cut: NDArray[Any] = np.clip(needs, self.low, self.high + 1).astype(self.table.dtype)
        return cut

    def _wins(self, fires: NDArray[np.bool_]) -> Words:
        points = fires.shape[1]
        words = -(-points // 64)
        wins = self.program(packed(fires, words))
        if points % 64:
            wins[:, -1] &= np.uint64(2 ** (points % 64) - 1)
        return wins


def _split(network: Network) -> tuple[Block, Network]:
    """Return the first block and the rest; a head alone gets a block in front that hands the inputs on."""
    if network.blocks:
        return network.blocks[0], network.tail(1)
    n = network.inputs
    return Block(np.eye(n, dtype=np.int64), np.ones(n, dtype=np.int64)), network


def _program(network: Network) -> Program:
    circuit = Circuit()
    inputs = circuit.inputs(network.inputs)
    if network.head is None:
        raise Disagreement("bits: expected a network with a head")
    return compiled(circuit, inputs, circuit.winners(network.head, hidden(circuit, network, inputs)))


def _filled(runs: Iterator[Run], batch: int) -> Iterator[list[Run]]:
    """Yield the runs in lists of at most batch points; a run that does not fit is cut."""
    waiting: list[Run] = []
    room = batch
    for run in runs:
        start = run.start
        while run.stop - start >= room:
            yield [*waiting, Run(run.prefix, start, start + room)]
            start, waiting, room = start + room, [], batch
        if start < run.stop:
            waiting.append(Run(run.prefix, start, run.stop))
            room -= run.stop - start
    if waiting:
        yield waiting
