"""Compiled and interpreted netlists count the same, along any runs of lanes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bnnverify import Head
from bnnverify.encoders.bits import compiled, gathered, packed, unpacked
from bnnverify.encoders.circuit import FALSE, TRUE, Circuit, Wire
from bnnverify.encoders.machine import Kernel


def head_of(seed: int, n: int, classes: int) -> tuple[Circuit, list[Wire], list[Wire], Head]:
    random = np.random.default_rng(seed)
    head = Head(random.integers(-2, 3, (classes, n)), random.integers(-3, 4, classes), random.permutation(classes))
    circuit = Circuit()
    inputs = circuit.inputs(n)
    return circuit, inputs, circuit.winners(head, inputs), head


@pytest.mark.parametrize(("n", "classes"), [(1, 1), (1, 2), (9, 10), (30, 3), (40, 100)])
def test_numbers_along_runs(n: int, classes: int, tmp_path: Path) -> None:
    random = np.random.default_rng(n)
    circuit, inputs, asked, head = head_of(n, n, classes)
    lanes, rows = 1536, 12
    bits = random.integers(0, 2, (rows, lanes)).astype(bool)
    starts = np.array([0, 0, 0, 5, 511, 512, 513, 700, 64, 1535, 3, 1024])
    stops = np.array([1536, 1, 512, 5, 513, 1024, 1025, 1300, 128, 1536, 1100, 1025])
    choice = random.integers(0, rows, (n, len(starts))).astype(np.int32)
    want = np.zeros(classes, dtype=int)
    for i, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        want += np.bincount(head(bits[choice[:, i], start:stop].T.astype(np.uint8)), minlength=classes)
    table = packed(bits, lanes // 64)
    kernel = Kernel(circuit, inputs, asked, tmp_path)
    assert kernel.numbers(table, choice, starts, stops) == want.tolist()
    again = Kernel(circuit, inputs, asked, tmp_path)  # from the kept code
    assert again.numbers(table, choice, starts, stops) == want.tolist()
    words, inside = gathered(table, choice, starts.tolist(), stops.tolist())
    interpreted = np.bitwise_count(compiled(circuit, inputs, asked)(words) & inside).sum(axis=1)
    assert interpreted.tolist() == want.tolist()
    assert kernel.numbers(table, choice[:, :0].copy(), starts[:0], stops[:0]) == [0] * classes


def test_kept_code_that_was_damaged_is_compiled_anew(tmp_path: Path) -> None:
    circuit, inputs, asked, _ = head_of(3, 6, 3)
    table = packed(np.ones((1, 512), dtype=bool), 8)
    runs = np.zeros((6, 1), dtype=np.int32), np.array([0]), np.array([512])
    want = Kernel(circuit, inputs, asked, tmp_path).numbers(table, *runs)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    for damaged in (b"", whole[:100], whole[:-1] + bytes([whole[-1] ^ 1])):
        kept.write_bytes(damaged)
        assert Kernel(circuit, inputs, asked, tmp_path).numbers(table, *runs) == want
        assert kept.read_bytes()[32:64] == whole[32:64]
    Kernel(circuit, inputs, asked, Path("/proc/nowhere"))  # a folder that cannot be made costs nothing but time


def test_constants_and_inputs_as_asked_wires() -> None:
    circuit = Circuit()
    a, b = circuit.inputs(2)
    bits = np.array([[True, False], [True, True]])
    bits = np.repeat(bits, 256, axis=1)
    kernel = Kernel(circuit, [a, b], [FALSE, TRUE, a, b ^ 1, a])
    choice = np.array([[0], [1]], dtype=np.int32)
    assert kernel.numbers(packed(bits, 8), choice, np.array([0]), np.array([512])) == [0, 512, 256, 0, 256]
    assert unpacked(packed(bits, 8), 512).sum() == 768


def test_only_so_many_compiled_netlists_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnnverify.encoders.machine.MOST_KEPT", 3)
    for seed in range(6):
        circuit, inputs, asked, _ = head_of(seed, 7, 3)
        Kernel(circuit, inputs, asked, tmp_path)
        assert len(list(tmp_path.iterdir())) == min(seed + 1, 3)
