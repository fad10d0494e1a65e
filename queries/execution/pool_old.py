"""Side by side without a Pool: for those of its users that have none yet, and gone with the last of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from bnnverify.queries.execution.process import Process, named

Key = TypeVar("Key")


class Lost(str):
    """In place of an answer: why the process that was asked had none."""

    __slots__ = ()


def side_by_side(answering: str, opening: Any, questions: Iterable[tuple[Key, Any]], jobs: int) -> Iterator[tuple[Key, Any]]:
    """Yield each question's key with answering(opening, question), as they come in; leaving early ends the work on the others.

    answering: "module:function". An error it raises is raised here; a process that dies costs one answer, and is replaced.
    """
    todo = iter(questions)
    workers = [Process(serve, (answering,)) for _ in range(jobs)]
    asked: dict[Any, tuple[Process, Key]] = {}  # by our end of the pipe

    def ask(worker: Process) -> None:
        for key, question in todo:
            before, pipe = worker.pid, worker.pipe
            with suppress(ConnectionError):  # it has just died: said when its answer is read
                pipe.send((opening if worker.pid != before else None, question))
            asked[pipe] = worker, key
            return

    try:
        for worker in workers:
            ask(worker)
        while asked:
            for pipe in wait(list(asked)):
                worker, key = asked.pop(pipe)
                yield key, _heard(worker, pipe)
                ask(worker)
    finally:
        for worker in workers:
            worker.end()


def _heard(worker: Process, pipe: Any) -> Any:
    try:
        kind, answer = pipe.recv()  # of this very pipe: a process that has died would be replaced by asking for its own
    except (EOFError, OSError):
        code = worker.status()
        worker.end()
        return Lost(f"its process ended with status {code}")
    if kind == "raised":
        raise answer
    return answer


def serve(pipe: Connection, answering: str) -> None:
    """Answer questions from the parent until it goes away: the child's whole life."""
    function, opening = named(answering), None
    with suppress(EOFError, ConnectionError, KeyboardInterrupt):
        while True:
            first, question = pipe.recv()
            opening = opening if first is None else first
            try:
                pipe.send(("answer", function(opening, question)))
            except Exception as error:  # noqa: BLE001 - handed to the parent, which raises it
                pipe.send(("raised", error))
