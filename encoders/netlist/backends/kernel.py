"""Machine code: a netlist compiled by LLVM to straight-line vector code that counts along runs of table rows.

A gate is one instruction on a vector of 512, 256 or 128 inputs, whatever the processor has; three-input instructions (AVX-512's
ternary logic) are found by LLVM itself. Feeding LLVM directly takes about a quarter of a second for 1,600 gates and a tenth of
the time of a Python-to-machine compiler, and nothing is compiled when the package is installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ctypes import c_int64, c_void_p
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnnverify.encoders.netlist.backends.llvm import Code, lanes
from bnnverify.encoders.netlist.backends.words import Words
from bnnverify.encoders.netlist.circuit import Circuit, Op, Wire
from bnnverify.encoders.netlist.registers import cone
from bnnverify.model.arrays import Indices

_ARGUMENTS = [*[c_void_p] * 2, c_int64, *[c_void_p] * 4, c_int64]


class Kernel:
    """Compiled code for the output wires of a netlist. Calls release the interpreter lock and may run side by side.

    folder: for compiled code, so that the next process need not compile; None stores nothing.
    """

    def __init__(self, circuit: Circuit, inputs: Sequence[Wire], outputs: Sequence[Wire], folder: Path | None = None) -> None:
        self._lanes = lanes()
        self._outputs = len(outputs)
        key = Path(__file__).read_bytes() + repr([cone(circuit, outputs), circuit.gates, inputs, outputs]).encode()
        self._code = Code(lambda: "\n".join(_source(circuit, inputs, outputs, self._lanes)), key, _ARGUMENTS, folder)
        bits = 64 * self._lanes
        edges = np.arange(bits + 1)[:, None] > np.arange(bits)  # row k: the first k inputs of a vector
        self._edges = np.packbits(edges, axis=1, bitorder="little").view("<u8").astype(np.uint64)

    def numbers(self, rows: Words, choice: NDArray[np.int32], starts: Indices, stops: Indices) -> list[int]:
        """Return on how many points each output wire is 1: rows (rows, words), choice (inputs, runs), bits from start to stop."""
        totals = np.zeros((self._outputs, self._lanes), dtype=np.int64)
        arrays = [np.ascontiguousarray(a) for a in (rows, choice, starts, stops, self._edges, totals)]
        table, chosen, first, last, edges, out = (array.ctypes.data for array in arrays)
        self._code.run(table, chosen, rows.shape[1] * 8, first, last, edges, out, len(starts))
        return [int(k) for k in arrays[5].sum(axis=1)]


def _source(circuit: Circuit, inputs: Sequence[Wire], outputs: Sequence[Wire], lanes: int) -> Iterator[str]:
    """Yield the module: for each run, for each vector of its bits, the gates, and the output bits counted inside the run.

    The stack is aligned to vectors: else it depends on the caller whether each vector that is spilled takes two cache lines, and
    1,600 gates then take up to 40 % more time.
    """
    vector, bits = f"<{lanes} x i64>", 64 * lanes
    ones = "<" + ", ".join(["i64 -1"] * lanes) + ">"
    order = cone(circuit, outputs)
    used = {operand for gate in order for operand in circuit.gates[gate][1:]} | {wire >> 1 for wire in outputs}
    place = {wire >> 1: i for i, wire in enumerate(inputs) if wire >> 1 in used}
    yield f"""
declare {vector} @llvm.ctpop.v{lanes}i64({vector})
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
define void @run(ptr %rows, ptr %choice, i64 %stride, ptr %starts, ptr %stops, ptr %edges, ptr %totals, i64 %runs)
  alignstack({8 * lanes}) {{
entry:
  %none = icmp eq i64 %runs, 0
  br i1 %none, label %end, label %run
run:
  %r = phi i64 [0, %entry], [%next, %after]
  %start.at = getelementptr i64, ptr %starts, i64 %r
  %start = load i64, ptr %start.at
  %stop.at = getelementptr i64, ptr %stops, i64 %r
  %stop = load i64, ptr %stop.at
  %first = udiv i64 %start, {bits}
  %reach = add i64 %stop, {bits - 1}
  %last = udiv i64 %reach, {bits}"""
    for gate, i in place.items():
        yield f"""  %c{gate} = mul i64 %runs, {i}
  %d{gate} = add i64 %c{gate}, %r
  %e{gate} = getelementptr i32, ptr %choice, i64 %d{gate}
  %f{gate} = load i32, ptr %e{gate}
  %h{gate} = zext i32 %f{gate} to i64
  %k{gate} = mul i64 %h{gate}, %stride
  %p{gate} = getelementptr i8, ptr %rows, i64 %k{gate}"""
    yield f"""  %some = icmp ult i64 %first, %last
  br i1 %some, label %step, label %after
step:
  %i = phi i64 [%first, %run], [%j, %step]
  %base = mul i64 %i, {bits}
  %over = sub i64 %stop, %base
  %to = call i64 @llvm.smin.i64(i64 %over, i64 {bits})
  %under = sub i64 %start, %base
  %from = call i64 @llvm.smax.i64(i64 %under, i64 0)
  %to.at = getelementptr {vector}, ptr %edges, i64 %to
  %before = load {vector}, ptr %to.at, align 8
  %from.at = getelementptr {vector}, ptr %edges, i64 %from
  %skipped = load {vector}, ptr %from.at, align 8
  %inside = xor {vector} %before, %skipped"""
    for gate in place:
        yield f"  %q{gate} = getelementptr {vector}, ptr %p{gate}, i64 %i"
        yield f"  %g{gate} = load {vector}, ptr %q{gate}, align 8"
    if any(wire >> 1 == 0 for wire in outputs):
        yield f"  %g0 = xor {vector} {ones}, {ones}"
    for gate in order:
        op, a, b = circuit.gates[gate]
        if op is Op.AND_NOT:
            yield f"  %n{gate} = xor {vector} %g{b}, {ones}"
            yield f"  %g{gate} = and {vector} %g{a}, %n{gate}"
        else:
            yield f"  %g{gate} = {op.name.lower()} {vector} %g{a}, %g{b}"
    for k, wire in enumerate(outputs):
        yield f"  %w{k} = xor {vector} %g{wire >> 1}, {ones if wire & 1 else 'zeroinitializer'}"
        yield f"""  %m{k} = and {vector} %w{k}, %inside
  %s{k} = call {vector} @llvm.ctpop.v{lanes}i64({vector} %m{k})
  %t{k} = getelementptr {vector}, ptr %totals, i64 {k}
  %u{k} = load {vector}, ptr %t{k}, align 8
  %v{k} = add {vector} %u{k}, %s{k}
  store {vector} %v{k}, ptr %t{k}, align 8"""
    yield """  %j = add i64 %i, 1
  %more = icmp ult i64 %j, %last
  br i1 %more, label %step, label %after
after:
  %next = add i64 %r, 1
  %left = icmp ult i64 %next, %runs
  br i1 %left, label %run, label %end
end:
  ret void
}"""
