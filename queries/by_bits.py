"""Counting by looking at every point of the region, 64 to 512 per instruction.

The first layer is read off a table (`encoders.table`); what follows is a netlist (`encoders.circuit`), compiled to machine code
(`encoders.machine`) where there are points enough to pay for that, else interpreted (`encoders.bits`). Questions so small that
making the netlist would cost more than the answer are put to the network itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from bnnverify.encoders.bits import Program, Words, compiled, gathered, unpacked
from bnnverify.encoders.circuit import Circuit
from bnnverify.encoders.lanes import Indices, Runs
from bnnverify.encoders.machine import Kernel
from bnnverify.encoders.presolve import Presolved, presolve
from bnnverify.encoders.table import Table
from bnnverify.encoders.walk import hidden
from bnnverify.errors import Disagreement
from bnnverify.network import Bits, Block, Network
from bnnverify.queries.engine import Ability, Budget, Progress, Report, silent
from bnnverify.query import Query, confirmed
from bnnverify.result import Finding, Tally

SMALL = 2**26  # points times weights, below which the network itself is asked: making a netlist takes as long
LARGE = 2**23  # points from which on compiling takes less time than it saves
AT_ONCE = 2**12  # words per interpreted step: a wire's words are then 32 KB, and those in use stay in the cache
CHUNK = 2**28  # points per piece of work for one core: a fraction of a second

Numbers = list[int]
Counting = Callable[[Words, NDArray[np.int32], Indices, Indices], Numbers]


class BitsEngine:
    """Exact counts by enumeration; the cost grows with the number of points, not with what they do.

    workers: how many cores count at the same time. kept: a folder for compiled code.
    """

    name: ClassVar[str] = "bits"
    ability: ClassVar[Ability] = Ability(exact=True, native=False, one_pass=True)

    def __init__(self, workers: int | None = None, kept: Path | None = None) -> None:
        self._workers = workers or len(os.sched_getaffinity(0))
        self._kept = kept or user_cache_path("bnnverify") / "kernels"

    def count(self, query: Query, budget: Budget, report: Report = silent) -> Tally:
        """Return how many points of query.region fall to each class: all classes in one pass."""
        region, classes = query.region, query.network.classes
        solved = presolve(query.network, region)
        seen = [0] * classes
        for numbers in self._counted(solved, budget):
            for c, number in zip(solved.classes, numbers, strict=True):
                seen[c] += number
            report(Progress(sum(seen), region.size, Tally.seen(region.size, seen)))
        done = sum(seen)
        if done > region.size or (done < region.size and not budget.spent):
            raise Disagreement(f"bits: expected {region.size} points in the region, met {done}")
        return Tally.seen(region.size, seen, "" if done == region.size else f"stopped after {budget.seconds:g} s")

    def find(self, query: Query, budget: Budget) -> Finding:
        """Return whether the event happens, with a witness at the smallest distance where it does."""
        solved = presolve(query.network, query.region)
        targets = [i for i, c in enumerate(solved.classes) if c in query.targets]
        if not targets:
            return Finding(False)
        for flips in self._hits(solved, targets, budget):
            if flips is not None:
                return Finding(True, confirmed(query, solved.points(flips)))
            if budget.spent:
                return Finding(None, reason=f"stopped after {budget.seconds:g} s")
        return Finding(False)

    def close(self) -> None:
        """Nothing outlives a question."""

    def _counted(self, solved: Presolved, budget: Budget) -> Iterator[Numbers]:
        """Yield class counts of parts of the region, until all is counted or the budget is spent."""
        if solved.decided:
            yield [solved.region.size]
        elif _is_small(solved):
            for flips in solved.region.points():
                yield [int(k) for k in np.bincount(solved.network(flips), minlength=solved.network.classes)]
                if budget.spent:
                    return
        else:
            task = _Enumeration(solved, self._kept, mixed=True)
            yield from _side_by_side(task.numbers, task.parts(), self._workers, budget)

    def _hits(self, solved: Presolved, targets: list[int], budget: Budget) -> Iterator[Bits | None]:
        """Yield for parts of the region, nearest first, the flips of a point where a target wins, or None."""
        if solved.decided or _is_small(solved):
            for flips in solved.region.points():
                hits = np.flatnonzero(np.isin(solved.network(flips), targets))
                yield flips[hits[0]] if len(hits) else None
            return
        task = _Enumeration(solved, self._kept, mixed=False)  # nearest first
        for runs in task.parts():
            yield task.first(runs, targets)
            if budget.spent:
                return


class _Enumeration:
    """One presolved question, ready to run: the first layer as a table, the rest as a netlist."""

    def __init__(self, solved: Presolved, kept: Path, *, mixed: bool) -> None:
        first, rest = _split(solved.network)
        self.table = Table(first, solved.region.inner, solved.region.outer, mixed=mixed)
        circuit = Circuit()
        inputs = circuit.inputs(rest.inputs)
        if rest.head is None:
            raise Disagreement("bits: expected a network with a head")
        asked = circuit.winners(rest.head, hidden(circuit, rest, inputs))
        self.program: Program = compiled(circuit, inputs, asked)
        large = solved.region.size >= LARGE
        self._counting: Counting = Kernel(circuit, inputs, asked, kept).numbers if large else self._interpreted
        points_per_run = max(1, solved.region.size // max(1, self.table.layout.run_count))
        self._most = max(1, min(2**13, CHUNK // points_per_run))

    def parts(self) -> Iterator[Runs]:
        return self.table.layout.runs(self._most)

    def numbers(self, runs: Runs) -> Numbers:
        """Return how many points of the runs fall to each class."""
        return self._counting(self.table.rows, self.table.choice(runs.prefixes), runs.starts, runs.stops)

    def first(self, runs: Runs, targets: list[int]) -> Bits | None:
        """Return the flips of one point where a target wins, found by halving, or None."""
        while (numbers := self.numbers(runs)) and any(numbers[i] for i in targets):
            if len(runs) == 1:
                return self._point(runs, targets)
            half = runs[: len(runs) // 2]
            runs = half if any(self.numbers(half)[i] for i in targets) else runs[len(runs) // 2 :]
        return None

    def _interpreted(self, rows: Words, choice: NDArray[np.int32], starts: Indices, stops: Indices) -> Numbers:
        """Do what a Kernel does, without compiling."""
        totals = np.zeros(len(self.program.results), dtype=np.int64)
        for part in _batches(stops - starts):
            words, inside = gathered(rows, choice[:, part], starts[part].tolist(), stops[part].tolist())
            totals += np.bitwise_count(self.program(words) & inside).sum(axis=1, dtype=np.int64)
        return [int(k) for k in totals]

    def _point(self, run: Runs, targets: list[int]) -> Bits:
        choice = self.table.choice(run.prefixes)
        words, inside = gathered(self.table.rows, choice, run.starts.tolist(), run.stops.tolist())
        wins = np.bitwise_or.reduce(self.program(words)[targets], axis=0) & inside
        word = int(np.flatnonzero(wins)[0])
        bit = int(np.flatnonzero(unpacked(wins[None, word : word + 1], 64))[0])
        return self.table.flips(run.prefixes[0], 64 * (int(run.starts[0]) // 64 + word) + bit)


def _is_small(solved: Presolved) -> bool:
    return solved.region.size * sum(a * b for a, b in pairwise(solved.network.widths)) <= SMALL


def _split(network: Network) -> tuple[Block, Network]:
    """Return the first block and the rest; a head alone gets a block in front that hands the inputs on."""
    if network.blocks:
        return network.blocks[0], network.tail(1)
    n = network.inputs
    return Block(np.eye(n, dtype=np.int64), np.ones(n, dtype=np.int64)), network


def _batches(lengths: Indices) -> Iterator[slice]:
    """Yield neighbouring runs of about AT_ONCE words together."""
    ends = np.cumsum(-(-lengths // 64))
    start = 0
    while start < len(ends):
        limit = (int(ends[start - 1]) if start else 0) + AT_ONCE
        stop = max(start + 1, int(np.searchsorted(ends, limit, side="right")))
        yield slice(start, stop)
        start = stop


def _side_by_side(work: Callable[[Runs], Numbers], parts: Iterator[Runs], workers: int, budget: Budget) -> Iterator[Numbers]:
    """Yield work(part) for each part, in order, a few parts at the same time, until the budget is spent."""
    pool = ThreadPoolExecutor(workers)
    waiting: list[Future[Numbers]] = []
    try:
        for part in parts:
            waiting.append(pool.submit(work, part))
            if len(waiting) > workers:
                yield waiting.pop(0).result()
            if budget.spent:
                return
        while waiting and not budget.spent:
            yield waiting.pop(0).result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
