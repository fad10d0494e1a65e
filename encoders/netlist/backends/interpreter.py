"""An interpreter of netlists: its code is compiled once on a machine, then runs any netlist without compiling it.

A step is a lookup table of three inputs (`lut_mapping`) on a block of 8,192 points, which hides the time for deciding which step
it is. About half as fast as a netlist's own code (`kernel`), which takes many times longer to make.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import c_int64, c_void_p
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnnverify.encoders.netlist.backends import interpreter_source
from bnnverify.encoders.netlist.backends.llvm import Code, lanes
from bnnverify.encoders.netlist.backends.words import Words
from bnnverify.encoders.netlist.circuit import Circuit, Wire
from bnnverify.encoders.netlist.lut_mapping import map_to_luts
from bnnverify.encoders.netlist.registers import allocated
from bnnverify.model.arrays import Indices

BLOCK = 128  # words: with a quarter of them a thousand registers would fit into the cache, and steps take twice as long

_TABLE = [c_void_p, c_void_p, c_int64, c_void_p, c_void_p, c_int64, c_int64]
_ARGUMENTS = [*_TABLE, c_void_p, c_int64, c_void_p, c_void_p, c_int64, c_void_p, c_int64, c_void_p]


class Interpreter:
    """The output wires of a netlist, ready to be counted. Calls release the interpreter lock and may run side by side.

    folder: for the interpreter's code; None stores nothing.
    """

    def __init__(self, circuit: Circuit, inputs: Sequence[Wire], outputs: Sequence[Wire], folder: Path | None = None) -> None:
        self._code = _code(folder)
        self._lanes = lanes()
        tables = map_to_luts(circuit, outputs)
        gates, operands = [gate for gate, _, _ in tables], [operands for _, _, operands in tables]
        steps, results, self._registers = allocated(gates, operands, inputs, outputs)
        self._steps = np.array([(t, *s) for (_, t, _), s in zip(tables, steps, strict=True)], dtype=np.int32).reshape(-1, 5)
        zero = self._registers  # one more register, never written
        self._results = np.array([(zero if r is None else r, -int(inverted)) for r, inverted in results], dtype=np.int32)

    def numbers(self, rows: Words, choice: NDArray[np.int32], starts: Indices, stops: Indices) -> list[int]:
        """Return on how many points each output wire is 1: rows (rows, words), choice (inputs, runs), bits from start to stop."""
        memory = np.zeros((self._registers + 2) * BLOCK + 8, dtype=np.uint64)
        file = memory[-memory.ctypes.data % 64 // 8 :]  # from an address that vectors like
        inside = file[(self._registers + 1) * BLOCK :]
        totals = np.zeros((len(self._results), self._lanes), dtype=np.int64)
        arrays = [np.ascontiguousarray(array) for array in (rows, choice, starts, stops)]
        table, chosen, first, last = (array.ctypes.data for array in arrays)
        self._code.run(
            *(table, chosen, rows.shape[1], first, last, len(starts), len(choice)),
            *(self._steps.ctypes.data, len(self._steps), file.ctypes.data, inside.ctypes.data, BLOCK),
            *(self._results.ctypes.data, len(self._results), totals.ctypes.data),
        )
        return [int(k) for k in totals.sum(axis=1)]


@cache
def _code(folder: Path | None) -> Code:
    key = Path(interpreter_source.__file__).read_bytes()
    return Code(lambda: "\n".join(interpreter_source.source(lanes())), key, _ARGUMENTS, folder)
