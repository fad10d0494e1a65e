"""The seam to LLVM: from a module's text to code that runs, stored on disk so that the next process need not compile."""

from __future__ import annotations

import ctypes
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

MOST_FILES = 200  # compiled modules on disk, some 10 to 500 KB each


class Code:
    """The compiled function `run` of a module; the code lives as long as this does. Calls release the interpreter lock.

    source: makes the module's text, called only if it must be compiled. key: everything that decides that text. arguments: the
    ctypes of `run`. folder: for compiled code; None stores nothing.
    """

    def __init__(self, source: Callable[[], str], key: bytes, arguments: list[Any], folder: Path | None) -> None:
        llvm, target = _llvm()
        path = None if folder is None else folder / f"{_name(key)}.o"
        code = _stored(path)
        if code is None:
            code = target().emit_object(llvm.parse_assembly(source()))
            _store(path, code)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        self.run = ctypes.CFUNCTYPE(None, *arguments)(self._engine.get_function_address("run"))


def _stored(path: Path | None) -> bytes | None:
    """Return the stored code, if there is any and it is undamaged."""
    with suppress(OSError):
        content = path.read_bytes() if path else b""
        if path and hashlib.sha256(content[32:]).digest() == content[:32]:
            path.touch()  # the least lately used is dropped first
            return content[32:]
    return None


def _store(path: Path | None, code: bytes) -> None:
    if path is not None:
        with suppress(OSError):  # a read-only or full disk costs time, not answers
            _write(path, hashlib.sha256(code).digest() + code)
            _drop_oldest(path.parent)


def _write(path: Path, content: bytes) -> None:
    """Write all of content or nothing, even where another process writes the same file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        try:
            file.write(content)
            file.close()
            Path(file.name).replace(path)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise


def _drop_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.o"), key=lambda path: path.stat().st_mtime)
    for path in files[:-MOST_FILES]:
        path.unlink(missing_ok=True)


@cache
def _llvm() -> tuple[Any, Any]:
    """Return LLVM and a maker of targets for this processor; imported when first used."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    host = {"cpu": llvm.get_host_cpu_name(), "features": llvm.get_host_cpu_features().flatten()}
    return llvm, lambda: llvm.Target.from_default_triple().create_target_machine(**host, opt=2)


def lanes() -> int:
    """Return how many lanes of 64 bits the processor's widest vector has."""
    llvm, _ = _llvm()
    features = llvm.get_host_cpu_features()
    return 8 if features.get("avx512f") else 4 if features.get("avx2") else 2


def _name(key: bytes) -> str:
    """Return a name for code that no other key, program text, LLVM or processor shares."""
    llvm, _ = _llvm()
    machine = f"{llvm.llvm_version_info} {llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"
    return hashlib.sha256(machine.encode() + Path(__file__).read_bytes() + key).hexdigest()


def ternary(table: int, to: str, operands: Sequence[str], lanes: int) -> Iterator[str]:
    """Yield the instructions for a table of three inputs on vectors: one instruction on 512 bits, else the sum of its products.

    Bit 4a + 2b + c of the table, an even number, is the value for inputs a, b, c.
    """
    vector = f"<{lanes} x i64>"
    if lanes == 8:
        chosen = ", ".join(f"{vector} {operand}" for operand in operands)
        yield f"  {to} = call {vector} @llvm.x86.avx512.pternlog.q.512({chosen}, i32 {table})"
        return
    sum_ = "zeroinitializer"
    for product in _products(table):
        value = f"<{', '.join(['i64 -1'] * lanes)}>"
        for place, operand in enumerate(operands):
            if product >> (2 - place) & 1:
                yield f"  {to}.{product}.{place} = and {vector} {value}, {operand}"
                value = f"{to}.{product}.{place}"
        yield f"  {to}.{product} = xor {vector} {sum_}, {value}"
        sum_ = f"{to}.{product}"
    yield f"  {to} = or {vector} {sum_}, zeroinitializer"


def _products(table: int) -> list[int]:
    """Return the sets of inputs whose products, added modulo 2, are the table: its algebraic normal form."""
    values = [table >> i & 1 for i in range(8)]
    for place in (1, 2, 4):
        values = [value ^ values[i ^ place] if i & place else value for i, value in enumerate(values)]
    return [i for i in range(1, 8) if values[i]]
