"""LUT mapping: gates become lookup tables of three inputs, about half as many steps, which some processors have as instructions.

Every gate may absorb the gates of its operands, as long as three inputs remain; of these cuts the one with the least area flow is
chosen, the number of tables that it costs when shared tables are divided among their readers (Manohararajah, Brown and Vranesic,
"Heuristics for area minimization in LUT-based FPGA technology mapping", TCAD 2006, section III).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product

from bnnverify.encoders.netlist.circuit import Circuit, Op, Wire
from bnnverify.encoders.netlist.registers import cone

Leaves = tuple[int, ...]

MASKS = 0xF0, 0xCC, 0xAA  # the first, second and third input, for all eight values of the three
_BITS: dict[Op, Callable[[int, int], int]] = {
    Op.AND: int.__and__,
    Op.OR: int.__or__,
    Op.XOR: int.__xor__,
    Op.AND_NOT: lambda a, b: a & ~b,
}


def map_to_luts(circuit: Circuit, outputs: Sequence[Wire]) -> list[tuple[int, int, tuple[int, int, int]]]:
    """Return the gates that are computed, in order, each with its truth table and the three gates it is computed from.

    Bit 4a + 2b + c of the table is the value for inputs a, b, c, 0 for three zeros. Inputs that do not matter repeat the first.
    """
    cuts = _cuts(circuit, outputs)
    used = {wire >> 1 for wire in outputs}
    for gate in reversed(cuts):
        if gate in used:
            used.update(cuts[gate])
    steps = []
    for gate, leaves in cuts.items():
        if gate in used:
            first, second, third = (*leaves, *leaves[:1] * (3 - len(leaves)))
            steps.append((gate, _table(circuit, gate, leaves), (first, second, third)))
    return steps


def _cuts(circuit: Circuit, outputs: Sequence[Wire]) -> dict[int, Leaves]:
    """Return for every gate in order the cut of at most three gates with the least area flow."""
    order = cone(circuit, outputs)
    readers = Counter(operand for gate in order for operand in circuit.gates[gate][1:])
    readers.update(wire >> 1 for wire in outputs)
    cuts: dict[int, Leaves] = {}
    flow: dict[int, float] = {}  # inputs cost nothing
    for gate in order:
        _, a, b = circuit.gates[gate]
        ways = product([(a,), *([cuts[a]] if a in cuts else [])], [(b,), *([cuts[b]] if b in cuts else [])])
        merged = [tuple(sorted({*one, *other})) for one, other in ways]
        cost, _, cuts[gate] = min((sum(flow.get(i, 0.0) for i in cut), len(cut), cut) for cut in merged if len(cut) <= 3)
        flow[gate] = (cost + 1) / readers[gate]
    return cuts


def _table(circuit: Circuit, gate: int, leaves: Leaves) -> int:
    """Return the gate's values for all values of the leaves."""
    known = dict(zip(leaves, MASKS, strict=False))
    waiting = [gate]
    while waiting:
        op, a, b = circuit.gates[waiting[-1]]
        missing = [operand for operand in (a, b) if operand not in known]
        waiting += missing
        if not missing:
            known[waiting.pop()] = _BITS[op](known[a], known[b])
    return known[gate]
