"""The main loop of a process of a pool: task after task from the parent, until the parent ends."""

from __future__ import annotations

import gc
import os
import resource
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

from bnnverify.problem.budget import Budget
from bnnverify.queries.execution.events import Shared, Worker


@dataclass(frozen=True)
class SharedKey:
    """Stands for a shared value that the process has already received."""

    key: Hashable


def serve(pipe: Connection, collects: bool) -> None:
    """Answer the parent's messages until it ends or closes the pipe. collects: whether garbage is collected during a task."""
    opened: dict[Hashable, Any] = {}
    shared: dict[Hashable, Any] = {}
    if not collects:
        gc.freeze()
        gc.disable()
    with suppress(EOFError, ConnectionError, KeyboardInterrupt):  # the parent has ended, or this process must end
        pipe.send(("ready", None))
        while True:
            message = pipe.recv_bytes()
            try:
                work, arguments, limits, forgotten = ForkingPickler.loads(message)
            except Exception as error:  # noqa: BLE001 - handed to the parent, which raises it
                pipe.send(("unreadable", RuntimeError(f"task: its process cannot read it: {type(error).__name__}: {error}")))
                return
            values = _values(arguments, shared, forgotten)
            _answer(pipe, work, (Worker(partial(_report, pipe), limits, opened), *values), limits)
            del message, arguments, values
            if not collects:
                gc.collect()  # while no task waits


def _values(arguments: Sequence[Any], shared: dict[Hashable, Any], forgotten: Sequence[Hashable]) -> list[Any]:
    """Return the arguments with shared values in their places, and update shared as the parent does."""
    shared |= {argument.key: argument.value for argument in arguments if isinstance(argument, Shared)}
    values = [shared[argument.key] if isinstance(argument, Shared | SharedKey) else argument for argument in arguments]
    for key in forgotten:
        del shared[key]
    return values


def _report(pipe: Connection, value: Any) -> None:
    pipe.send(("progress", value))


def _answer(pipe: Connection, work: Callable[..., Any], arguments: Sequence[Any], limits: Budget) -> None:
    """Send what work(*arguments) returns or raises; out of memory, this process ends."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    hard = before[1]
    if limits.memory is not None:
        memory = limits.memory if hard == resource.RLIM_INFINITY else min(limits.memory, hard)
        resource.setrlimit(resource.RLIMIT_AS, (memory, hard))
    try:
        pipe.send(("answer", work(*arguments)))
    except MemoryError:
        os._exit(137)  # after this the state of a solver or of a diagram package is undefined
    except Exception as error:  # noqa: BLE001 - handed to the parent, which raises it
        pipe.send(("raised", _portable(error)))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)  # the next task may have a higher limit


def _portable(error: Exception) -> Exception:
    """Return the error, or another one with its words where the parent could not read it."""
    try:
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:  # noqa: BLE001 - whatever its class does
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
