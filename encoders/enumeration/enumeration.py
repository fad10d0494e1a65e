"""Every point of a region through a network: the first layer is precomputed, the rest is a netlist, compiled where that pays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnnverify.encoders.enumeration.bound_pruning import UNDECIDED, BoundPruning
from bnnverify.encoders.enumeration.first_layer import FirstLayer
from bnnverify.encoders.enumeration.layout import Runs
from bnnverify.encoders.netlist.backends.interpreter import Interpreter
from bnnverify.encoders.netlist.backends.kernel import Kernel
from bnnverify.encoders.netlist.backends.words import Program, Words, compiled, gathered, unpacked
from bnnverify.encoders.netlist.circuit import Circuit
from bnnverify.encoders.presolve.constraint_rows import constraint_rows, together
from bnnverify.encoders.presolve.presolve import Open
from bnnverify.encoders.walk import hidden
from bnnverify.model.arrays import Bits, Indices
from bnnverify.model.matrix import identity
from bnnverify.model.network import Block, Network

INTERPRETED = 2**20  # points from which on the compiled interpreter saves more time than it takes to load
COMPILED = 2**28  # points from which on a kernel saves more time than it takes to compile
COUNTED = 16  # bits of a code, up to which counting in an array is faster than sorting
AT_ONCE = 2**12  # words per interpreted step: a wire's words are then 32 KB, and those in use stay in the cache
WORDS = 2**25  # of all inputs together in such a step: 256 MiB
CHOICES = 2**26  # rows of the first layer that are chosen together: 256 MiB of row numbers
PRUNING = 45_000  # as many gates on one point take four times as long as one weight of a bound on one run
MANY = 2**6  # runs; where there are no more, drawing some is no better than taking one after the other
DRAWN = 2**22  # random numbers at a time
CHUNK = 2**37  # points times gates per piece of work for one core: a fraction of a second; interpreted, a tenth of it

SLOWNESS = {"numpy": 15, "interpreter": 2, "kernel": 1}  # of the ways to run a netlist, once it runs

Numbers = list[int]
Counting = Callable[[Words, NDArray[np.int32], Indices, Indices], Numbers]


class Enumeration:
    """One presolved question, ready to run: it counts points per class, or, without a head, per bit of the code that is 1.

    Constraints are neurons behind those of the first layer: a class wins only where all of them are 1.
    folder: for compiled code, None: nothing is compiled. mixed: parts may hold points of several distances; else the smallest
    distance is first. check: called while the netlist is made; it may raise to end that.
    """

    def __init__(self, solved: Open, folder: Path | None, *, mixed: bool, check: Callable[[], None] = lambda: None) -> None:
        network = solved.network if solved.network.blocks else _with_a_block(solved.network)
        first, rules, self._points = network.blocks[0], constraint_rows(solved.region), solved.region.ball.size
        rows = together(first, rules) if rules.outputs else first
        self.first_layer = FirstLayer(rows, solved.region.inner, solved.region.outer, mixed=mixed)
        circuit = Circuit(check)
        inputs = circuit.inputs(rows.outputs)
        bits, obeyed = inputs[: first.outputs], circuit.all(inputs[first.outputs :])
        outputs = bits if len(network.blocks) == 1 else hidden(circuit, network.tail(1), bits)
        if network.head is not None:
            outputs = [circuit.both(wire, obeyed) for wire in circuit.winners(network.head, outputs)]
        self._obeyed = len(outputs) if network.head is None and rules.outputs else None  # its place among the outputs
        self._netlist = circuit, inputs, outputs if self._obeyed is None else [*outputs, obeyed]
        self._folder = folder
        slowness = SLOWNESS[self._way]
        points_per_run = max(1, self._points // max(1, self.first_layer.layout.run_count))
        gates = slowness * (len(circuit.gates) + 100)  # of a kernel, that take as long as one point
        bounding = PRUNING * sum(a * b for a, b in pairwise(network.widths[1:]))
        pruned = network if network.head and gates * points_per_run > bounding else None
        pruning = BoundPruning(self.first_layer.rows, pruned, rules.outputs) if pruned or rules.outputs else None
        self._pruning = pruning
        wide = max(1, len(inputs))
        self._most = max(1, min(2**13, CHOICES // wide, CHUNK // gates // points_per_run))
        self._at_once = max(1, min(AT_ONCE, WORDS // wide))

    @property
    def _way(self) -> str:
        """Return how so many points are counted in the least time."""
        if self._folder is None or self._points < INTERPRETED:
            return "numpy"
        return "kernel" if self._points >= COMPILED else "interpreter"

    @cached_property
    def _counting(self) -> Counting:
        """Return the function that counts points; made when it is first used."""
        if self._folder is None or self._way == "numpy":
            return self._by_numpy
        return (Kernel if self._way == "kernel" else Interpreter)(*self._netlist, self._folder).numbers

    @cached_property
    def program(self) -> Program:
        """Return the netlist for numpy."""
        return compiled(*self._netlist)

    def parts(self) -> Iterator[Runs]:
        return self.first_layer.layout.runs(self._most)

    def drawn(self, points: int, seed: int = 0) -> Iterator[Runs]:
        """Yield runs of random points of the region, about so many points together: classes that are not rare occur soon."""
        layout, random = self.first_layer.layout, np.random.default_rng(seed)
        while points > 0 and layout.run_count > MANY:
            count = points * layout.run_count // self._points
            runs = layout.drawn(max(1, min(count, self._most, DRAWN // layout.freedom)), random)
            points -= runs.size
            yield runs

    def numbers(self, runs: Runs) -> Numbers:
        """Return how many points of the runs each class has."""
        numbers, _ = self.counted(runs)
        return numbers

    def counted(self, runs: Runs) -> tuple[Numbers, int]:
        """Return how many points of the runs each class has, and how many of them bounds decided."""
        choice = self.first_layer.choice(runs.prefixes)
        if self._pruning is None:
            return self._counting(self.first_layer.rows, choice, runs.starts, runs.stops), 0
        classes, sizes = self._pruning.classes(runs, choice), runs.stops - runs.starts
        open_ = np.flatnonzero(classes == UNDECIDED)
        numbers = self._counting(self.first_layer.rows, choice[:, open_], runs.starts[open_], runs.stops[open_])
        known = [int(sizes[classes == c].sum()) for c in range(len(numbers))]
        return [a + b for a, b in zip(numbers, known, strict=True)], sum(known)

    def first(self, runs: Runs, targets: list[int]) -> Bits | None:
        """Return the flips of one point where a target wins, found by halving, or None."""
        while (numbers := self.numbers(runs)) and any(numbers[i] for i in targets):
            if len(runs) == 1:
                return self.first_layer.flips(runs.prefixes[0], self._suffixes(runs, targets)[0])
            half = runs[: len(runs) // 2]
            runs = half if any(self.numbers(half)[i] for i in targets) else runs[len(runs) // 2 :]
        return None

    def interpreted_example(self, runs: Runs, targets: list[int]) -> Bits | None:
        """Return the flips of one point where a target wins, or None, without compiling code that would be faster."""
        choice = self.first_layer.choice(runs.prefixes)
        for part in _batches(runs.stops - runs.starts, self._at_once):
            wins = self._wins(runs[part], choice[:, part], targets)
            hits = np.flatnonzero(wins)
            if len(hits):
                spans = -(-runs[part].stops // 64) - runs[part].starts // 64
                run = int(np.searchsorted(np.cumsum(spans), hits[0], side="right"))
                return self.first_layer.flips(runs[part].prefixes[run], self._suffixes(runs[part][run : run + 1], targets)[0])
        return None

    def points(self, runs: Runs, targets: list[int]) -> Bits:
        """Return the flips of all points of the runs where a target wins: (k, freedom)."""
        numbers = self.numbers(runs)
        if not any(numbers[i] for i in targets):
            return np.empty((0, self.first_layer.inputs), dtype=np.uint8)
        if len(runs) > 1:
            half = len(runs) // 2
            return np.concatenate([self.points(part, targets) for part in (runs[:half], runs[half:])])
        return np.array([self.first_layer.flips(runs.prefixes[0], suffix) for suffix in self._suffixes(runs, targets)])

    def codes(self, runs: Runs) -> Iterator[tuple[Indices, Indices]]:
        """Yield the codes of the output bits that occur, as numbers with bit j of the code in place j, and how often."""
        for _, bits in self.bits(runs):
            yield _occurring(bits)

    def bits(self, runs: Runs) -> Iterator[tuple[slice, Bits]]:
        """Yield neighbouring runs, and the output bits at all their points, run after run: (outputs, points).

        Points that break a constraint are left out.
        """
        choice = self.first_layer.choice(runs.prefixes)
        for part in _batches(runs.stops - runs.starts, self._at_once):
            words, inside = gathered(
                self.first_layer.rows, choice[:, part], runs.starts[part].tolist(), runs.stops[part].tolist()
            )
            points, values = 64 * len(inside), self.program(words)
            if self._obeyed is not None:
                values, inside = values[: self._obeyed], inside & values[self._obeyed]
            yield part, unpacked(values, points)[:, unpacked(inside[None], points)[0] == 1]

    def _by_numpy(self, rows: Words, choice: NDArray[np.int32], starts: Indices, stops: Indices) -> Numbers:
        """Return the numbers that a Kernel returns, in numpy."""
        totals = np.zeros(len(self.program.results), dtype=np.int64)
        for part in _batches(stops - starts, self._at_once):
            words, inside = gathered(rows, choice[:, part], starts[part].tolist(), stops[part].tolist())
            totals += np.bitwise_count(self.program(words) & inside).sum(axis=1, dtype=np.int64)
        return [int(k) for k in totals]

    def _suffixes(self, run: Runs, targets: list[int]) -> list[int]:
        """Return the suffixes of a single run where a target wins."""
        wins = self._wins(run, self.first_layer.choice(run.prefixes), targets)
        suffixes = np.flatnonzero(unpacked(wins[None], 64 * len(wins))) + 64 * (
            int(run.starts[0]) // 64
        )  # runs begin within words
        return [int(suffix) for suffix in suffixes]

    def _wins(self, runs: Runs, choice: NDArray[np.int32], targets: list[int]) -> Words:
        """Return where a target wins along the runs, each beginning a new word."""
        words, inside = gathered(self.first_layer.rows, choice, runs.starts.tolist(), runs.stops.tolist())
        wins: Words = np.bitwise_or.reduce(self.program(words)[targets], axis=0) & inside
        return wins


def _with_a_block(network: Network) -> Network:
    """Return a head alone with a block before it that copies the inputs."""
    n = network.inputs
    return replace(network, blocks=(Block(identity(n), np.ones(n, dtype=np.int64)),))


def _occurring(bits: Bits) -> tuple[Indices, Indices]:
    """Return which codes occur, as numbers, and how often: (width, points) to (codes,), (codes,)."""
    codes = np.zeros(bits.shape[1], dtype=np.int64)
    for place, octet in enumerate(np.packbits(bits, axis=0, bitorder="little")):
        codes |= octet.astype(np.int64) << 8 * place
    if len(bits) > COUNTED:
        return np.unique(codes, return_counts=True)
    times = np.bincount(codes)
    occurring = np.flatnonzero(times)
    return occurring, times[occurring]


def _batches(lengths: Indices, at_once: int) -> Iterator[slice]:
    """Yield neighbouring runs of about so many words together."""
    ends = np.cumsum(-(-lengths // 64))
    start = 0
    while start < len(ends):
        limit = (int(ends[start - 1]) if start else 0) + at_once
        stop = max(start + 1, int(np.searchsorted(ends, limit, side="right")))
        yield slice(start, stop)
        start = stop
