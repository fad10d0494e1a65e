"""Compiled and interpreted netlists count the same, along any runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bnnverify import Head
from bnnverify.encoders.netlist.backends import interpreter, llvm
from bnnverify.encoders.netlist.backends.interpreter import Interpreter
from bnnverify.encoders.netlist.backends.kernel import Kernel
from bnnverify.encoders.netlist.backends.words import compiled, cone, gathered, packed, unpacked
from bnnverify.encoders.netlist.circuit import FALSE, TRUE, Circuit, Wire
from bnnverify.encoders.netlist.lut_mapping import map_to_luts


def head_of(seed: int, n: int, classes: int) -> tuple[Circuit, list[Wire], list[Wire], Head]:
    random = np.random.default_rng(seed)
    head = Head(random.integers(-2, 3, (classes, n)), random.integers(-3, 4, classes), random.permutation(classes))
    circuit = Circuit()
    inputs = circuit.inputs(n)
    return circuit, inputs, circuit.winners(head, inputs), head


@pytest.mark.parametrize(("n", "classes"), [(1, 1), (1, 2), (9, 10), (30, 3), (40, 100)])
def test_numbers_along_runs(n: int, classes: int, tmp_path: Path) -> None:
    random = np.random.default_rng(n)
    circuit, inputs, outputs, head = head_of(n, n, classes)
    lanes, rows = 1536, 12
    bits = random.integers(0, 2, (rows, lanes)).astype(bool)
    starts = np.array([0, 0, 0, 5, 511, 512, 513, 700, 64, 1535, 3, 1024])
    stops = np.array([1536, 1, 512, 5, 513, 1024, 1025, 1300, 128, 1536, 1100, 1025])
    choice = random.integers(0, rows, (n, len(starts))).astype(np.int32)
    want = np.zeros(classes, dtype=int)
    for i, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        want += np.bincount(head(bits[choice[:, i], start:stop].T.astype(np.uint8)), minlength=classes)
    table = packed(bits, lanes // 64)
    kernel = Kernel(circuit, inputs, outputs, tmp_path)
    assert kernel.numbers(table, choice, starts, stops) == want.tolist()
    again = Kernel(circuit, inputs, outputs, tmp_path)  # from the stored code
    assert again.numbers(table, choice, starts, stops) == want.tolist()
    stepping = Interpreter(circuit, inputs, outputs, tmp_path)
    assert stepping.numbers(table, choice, starts, stops) == want.tolist()
    words, inside = gathered(table, choice, starts.tolist(), stops.tolist())
    interpreted = np.bitwise_count(compiled(circuit, inputs, outputs)(words) & inside).sum(axis=1)
    assert interpreted.tolist() == want.tolist()
    for way in (kernel, stepping):
        assert way.numbers(table, choice[:, :0].copy(), starts[:0], stops[:0]) == [0] * classes


def test_stored_code_that_was_damaged_is_compiled_anew(tmp_path: Path) -> None:
    circuit, inputs, outputs, _ = head_of(3, 6, 3)
    table = packed(np.ones((1, 512), dtype=bool), 8)
    runs = np.zeros((6, 1), dtype=np.int32), np.array([0]), np.array([512])
    want = Kernel(circuit, inputs, outputs, tmp_path).numbers(table, *runs)
    (stored,) = tmp_path.iterdir()
    content = stored.read_bytes()
    for damaged in (b"", content[:100], content[:-1] + bytes([content[-1] ^ 1])):
        stored.write_bytes(damaged)
        assert Kernel(circuit, inputs, outputs, tmp_path).numbers(table, *runs) == want
        assert stored.read_bytes()[32:64] == content[32:64]
    Kernel(circuit, inputs, outputs, Path("/proc/nowhere"))  # a folder that cannot be made costs nothing but time


def test_constants_and_inputs_as_output_wires() -> None:
    circuit = Circuit()
    a, b = circuit.inputs(2)
    bits = np.array([[True, False], [True, True]])
    bits = np.repeat(bits, 256, axis=1)
    choice = np.array([[0], [1]], dtype=np.int32)
    for way in (Kernel, Interpreter):
        compiled_way = way(circuit, [a, b], [FALSE, TRUE, a, b ^ 1, a])
        assert compiled_way.numbers(packed(bits, 8), choice, np.array([0]), np.array([512])) == [0, 512, 256, 0, 256]
    assert unpacked(packed(bits, 8), 512).sum() == 768


def test_only_so_many_compiled_netlists_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnnverify.encoders.netlist.backends.llvm.MOST_FILES", 3)
    for seed in range(6):
        circuit, inputs, outputs, _ = head_of(seed, 7, 3)
        Kernel(circuit, inputs, outputs, tmp_path)
        assert len(list(tmp_path.iterdir())) == min(seed + 1, 3)


@pytest.mark.parametrize("lanes", [2, 4, 8])
def test_every_processor_gets_the_same_tables(lanes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if lanes > llvm.lanes():
        pytest.skip(f"this processor has vectors of {llvm.lanes()} words")
    monkeypatch.setattr("bnnverify.encoders.netlist.backends.interpreter.lanes", lambda: lanes)
    monkeypatch.setattr("bnnverify.encoders.netlist.backends.kernel.lanes", lambda: lanes)
    monkeypatch.setattr("bnnverify.encoders.netlist.backends.interpreter._code", interpreter._code.__wrapped__)
    circuit, inputs, outputs, _ = head_of(5, 12, 4)
    bits = np.random.default_rng(5).integers(0, 2, (12, 1024)).astype(bool)
    runs = np.arange(12, dtype=np.int32)[:, None].copy(), np.array([3]), np.array([1000])
    want = [int(k) for k in unpacked(compiled(circuit, inputs, outputs)(packed(bits, 16)), 1024)[:, 3:1000].sum(axis=1)]
    for way in (Kernel, Interpreter):
        assert way(circuit, inputs, outputs).numbers(packed(bits, 16), *runs) == want


@pytest.mark.parametrize("table", range(0, 256, 2))
def test_products_of_a_table_add_up_to_it(table: int) -> None:
    for inputs in range(8):
        assert sum(inputs & product == product for product in llvm._products(table)) % 2 == table >> inputs & 1


@pytest.mark.parametrize("seed", range(8))
def test_mapped_gates_keep_their_values(seed: int) -> None:
    n = 3 + seed
    circuit, inputs, outputs, _ = head_of(seed, n, 5)
    points = np.arange(2**n)[:, None] >> np.arange(n) & 1
    values = {wire >> 1: points[:, i] for i, wire in enumerate(inputs)}
    steps = map_to_luts(circuit, outputs)
    assert len(steps) < len(cone(circuit, outputs))
    for gate, table, (a, b, c) in steps:
        values[gate] = table >> (4 * values[a] + 2 * values[b] + values[c]) & 1
    want = unpacked(compiled(circuit, inputs, outputs)(packed(points.T.astype(bool), -(-(2**n) // 64))), 2**n)
    for row, wire in zip(want, outputs, strict=True):
        assert np.array_equal(values[wire >> 1] ^ (wire & 1) if wire > TRUE else np.full(2**n, wire), row)


def test_runs_longer_than_a_block_of_the_interpreter() -> None:
    circuit, inputs, outputs, head = head_of(6, 5, 3)
    lanes = 64 * (2 * interpreter.BLOCK + 9)
    bits = np.random.default_rng(6).integers(0, 2, (7, lanes)).astype(bool)
    starts, stops = (
        np.array([5, 100, 0, 64 * interpreter.BLOCK, 64]),
        np.array([lanes - 7, 190, 64 * interpreter.BLOCK, lanes, 65]),
    )
    choice = np.random.default_rng(7).integers(0, 7, (5, 5)).astype(np.int32)
    spans = [bits[choice[:, i], start:stop].T for i, (start, stop) in enumerate(zip(starts, stops, strict=True))]
    want = np.bincount(head(np.concatenate(spans).astype(np.uint8)), minlength=3).tolist()
    assert Interpreter(circuit, inputs, outputs).numbers(packed(bits, lanes // 64), choice, starts, stops) == want
