"""The bit-parallel evaluator: a netlist run on machine words, 64 inputs per word, thousands of words per step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnverify.encoders.netlist.circuit import Circuit, Op, Wire
from bnnverify.encoders.netlist.registers import allocated, cone

Words = NDArray[np.uint64]

ONES = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class Program:
    """A netlist in a fixed order over a small pool of registers, so that its values stay in the cache.

    steps: (op, to, a, b), register numbers; registers 0..inputs-1 are the inputs and are never written.
    results: (register, inverted) for each output wire; register None is the constant 0. registers: how many there are.
    """

    inputs: int
    registers: int
    steps: tuple[tuple[Op, int, int, int], ...]
    results: tuple[tuple[int | None, bool], ...]

    def __call__(self, inputs: Words) -> Words:
        """Return the values of the output wires: (inputs, W) words to (results, W) words."""
        width = inputs.shape[1]
        spare = np.empty((self.registers - self.inputs + 1, width), dtype=np.uint64)
        place: list[Words] = [*inputs, *spare]
        scratch = spare[-1]
        for op, to, a, b in self.steps:
            if op is Op.AND_NOT:  # a & ~b, with one pass fewer than an inversion in memory of its own
                np.bitwise_and(place[a], place[b], out=scratch)
                np.bitwise_xor(place[a], scratch, out=place[to])
            else:
                _NUMPY[op](place[a], place[b], out=place[to])
        results = np.empty((len(self.results), width), dtype=np.uint64)
        for row, (register, inverted) in zip(results, self.results, strict=True):
            row[:] = 0 if register is None else place[register]
            if inverted:
                np.bitwise_xor(row, ONES, out=row)
        return results


_NUMPY = {Op.AND: np.bitwise_and, Op.OR: np.bitwise_or, Op.XOR: np.bitwise_xor}


def compiled(circuit: Circuit, inputs: Sequence[Wire], outputs: Sequence[Wire]) -> Program:
    """Return the part of the netlist that the output wires need, with registers given back after their last use."""
    order = cone(circuit, outputs)
    steps, results, registers = allocated(order, [circuit.gates[gate][1:] for gate in order], inputs, outputs)
    named = tuple((circuit.gates[gate][0], to, a, b) for gate, (to, a, b) in zip(order, steps, strict=True))
    return Program(len(inputs), registers, named, results)


def gathered(rows: Words, choice: NDArray[np.int32], starts: Sequence[int], stops: Sequence[int]) -> tuple[Words, Words]:
    """Return the chosen rows along the runs, side by side, and which bits of the words are inside the runs.

    rows: (rows, words); choice: (inputs, runs); run i is bits starts[i]..stops[i]-1 of its rows. Each run begins a new word.
    """
    spans = [(start // 64, -(-stop // 64)) for start, stop in zip(starts, stops, strict=True)]
    ends = np.cumsum([0, *(last - first for first, last in spans)]).tolist()
    words = np.empty((len(choice), ends[-1]), dtype=np.uint64)
    inside = np.full(ends[-1], ONES)
    for i, (first, last) in enumerate(spans):
        words[:, ends[i] : ends[i + 1]] = rows[choice[:, i], first:last]
        if first < last:
            inside[ends[i]] &= ONES << np.uint64(starts[i] % 64)
            inside[ends[i + 1] - 1] &= ONES >> np.uint64(-stops[i] % 64)
    return words, inside


def packed(bits: NDArray[np.bool_], words: int) -> Words:
    """Return bits as machine words, input k in bit k of the row, zeros behind: (m, L) to (m, words)."""
    rows = np.zeros((len(bits), words * 8), dtype=np.uint8)
    rows[:, : (bits.shape[1] + 7) // 8] = np.packbits(bits, axis=1, bitorder="little")
    return rows.view("<u8").astype(np.uint64, copy=False)


def unpacked(words: Words, length: int) -> NDArray[np.uint8]:
    """Return machine words as bits: (m, W) to (m, length)."""
    return np.unpackbits(words.astype("<u8", copy=False).view(np.uint8), axis=1, count=length, bitorder="little")
