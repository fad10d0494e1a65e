"""Register allocation: which gates the output wires need, and a small pool of registers for their values."""

from __future__ import annotations

from collections.abc import Sequence

from bnnverify.encoders.netlist.circuit import Circuit, Op, Wire


def allocated(
    order: Sequence[int], operands: Sequence[tuple[int, ...]], inputs: Sequence[Wire], outputs: Sequence[Wire]
) -> tuple[list[tuple[int, ...]], tuple[tuple[int | None, bool], ...], int]:
    """Return registers for gates computed in this order from these operands; a register is free again after a value's last use.

    For each gate its register and those of its operands; for each output wire its register (None: the constant 0) and whether it
    is inverted; and how many registers there are. Registers 0..inputs-1 are the inputs'.
    """
    last = {wire >> 1: len(order) for wire in outputs}
    for step in reversed(range(len(order))):
        for operand in operands[step]:
            last.setdefault(operand, step)
    register = {wire >> 1: i for i, wire in enumerate(inputs)}
    fixed = set(register)
    free: list[int] = []
    used = len(inputs)
    steps = []
    for step, gate in enumerate(order):
        sources = [register[operand] for operand in operands[step]]
        free += [register[operand] for operand in {*operands[step]} - fixed if last[operand] == step]
        if not free:
            free, used = [used], used + 1
        register[gate] = free.pop()
        steps.append((register[gate], *sources))
    return steps, tuple((register.get(wire >> 1), bool(wire & 1)) for wire in outputs), used


def cone(circuit: Circuit, outputs: Sequence[Wire]) -> list[int]:
    """Return the gates that the output wires depend on, in order, without inputs and constants."""
    needed = {wire >> 1 for wire in outputs}
    for gate in range(len(circuit.gates) - 1, 0, -1):
        if gate in needed:
            needed.update(circuit.gates[gate][1:])
    return [gate for gate in sorted(needed) if circuit.gates[gate][0] is not Op.INPUT]
