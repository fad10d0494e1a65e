"""Is the network robust around every sample of a data set, and how many inputs speak against it?"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.data.samples import Samples
from bnnverify.errors import BadInput, BadQuery, BadSample
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.problem.budget import Budget
from bnnverify.problem.event import Leaves
from bnnverify.problem.query import Query
from bnnverify.problem.region import HammingBall
from bnnverify.queries.planning.plan import Session
from bnnverify.queries.storage.checkpoint import Checkpoint
from bnnverify.queries.verbs.count import counted
from bnnverify.results.certification import Certification, Row
from bnnverify.results.counts import Count
from bnnverify.results.finding import Verdict

Finished = Callable[[Row, int, int], None]


def unheard(row: Row, done: int, wanted: int) -> None:
    """Drop a report."""


def certify(
    network: Network,
    samples: Samples,
    *,
    radius: int,
    free: ArrayLike | None = None,
    engine: str = "auto",
    counting: bool | None = None,
    timeout: float | None = None,
    memory: int | None = None,
    jobs: int = 1,
    resume: Path | None = None,
    report: Finished = unheard,
) -> Certification:
    """Return one row per sample: does any input within radius flips of it leave the class that the network gives it?

    free: positions that may flip, default all. counting: count the adversarial inputs (True), only decide (False), or
    count where that costs no more than deciding (None). timeout: seconds per sample; memory: bytes per child process.
    jobs: samples at the same time, each in a process. resume: a file of finished rows, read first and appended to.
    report(row, done, wanted) is called for each finished row. Ctrl-C returns the rows finished so far.
    """
    if jobs < 1:
        raise BadQuery(f"jobs must be at least 1, got {jobs}")
    if not len(samples.bits):
        raise BadSample("expected at least one sample, got none")
    if len(set(samples.indices)) < len(samples.indices):
        raise BadSample("expected samples with different indices, got some index twice")
    started = time.monotonic()
    region = HammingBall(network.check(samples.bits[0]), radius, free=free)
    task = _Task(network, radius, region.free, engine, counting, timeout, memory)
    rows: dict[int, Row] = {}
    with Checkpoint(resume, task.words()) as checkpoint, suppress(KeyboardInterrupt):
        todo = []
        for sample in _each(samples):
            row = _row_of(checkpoint.known.get(sample.key))
            if row is not None and _is_settled(row, counting=counting):
                rows[row.index] = row
            else:  # a longer timeout may settle it now
                todo.append(sample)
        for sample, row in _answers(task, todo, jobs):
            checkpoint.keep(sample.key, row.to_json())
            rows[row.index] = row
            report(row, len(rows), len(samples.bits))
    ordered = tuple(rows[index] for index in sorted(rows))
    return Certification(ordered, len(samples.bits), radius, region.size, time.monotonic() - started)


@dataclass(frozen=True, eq=False)
class _Sample:
    index: int
    bits: Bits
    label: int | None

    @property
    def key(self) -> str:
        """Return what an earlier run's row must match: the index and the very bits."""
        return f"{self.index} {hashlib.sha256(self.bits.tobytes()).hexdigest()[:32]}"


def _row_of(piece: dict[str, Any] | None) -> Row | None:
    try:
        return None if piece is None else Row.from_json(piece)
    except (ValueError, KeyError, TypeError):
        raise BadInput("resume file: expected rows of an earlier certify run, got something else") from None


def _is_settled(row: Row, *, counting: bool | None) -> bool:
    return row.verdict is not Verdict.UNKNOWN and (row.adversarial.exact or not counting)


def _each(samples: Samples) -> Iterator[_Sample]:
    labels = repeat(None) if samples.labels is None else samples.labels.tolist()
    for index, bits, label in zip(samples.indices, samples.bits, labels, strict=False):
        yield _Sample(index, bits, label)


@dataclass(frozen=True, eq=False)
class _Task:
    """What is done for each sample."""

    network: Network
    radius: int
    free: NDArray[np.bool_]
    engine: str
    counting: bool | None
    timeout: float | None
    memory: int | None

    def words(self) -> dict[str, object]:
        """Return what rows of an earlier run must have in common with this one."""
        free = hashlib.sha256(self.free.tobytes()).hexdigest()[:16]
        known = {"radius": self.radius, "free positions": free, "counting": self.counting}
        return {"work": "certify", "model": self.network.sha256, **known}


class _Worker:
    """One sample after the other, on engines that stay open in between."""

    def __init__(self, task: _Task, jobs: int) -> None:
        self.task = task
        self.session = Session(task.engine, Budget(task.timeout, task.memory), sessions=jobs)

    def row(self, sample: _Sample) -> Row:
        started, task = time.monotonic(), self.task
        budget = Budget(task.timeout, task.memory)
        predicted = task.network(sample.bits)
        query = Query(task.network, HammingBall(sample.bits, task.radius, free=task.free), Leaves(predicted))
        engine, choice = self.session.member(query, counting=bool(task.counting))
        if choice.counts if task.counting is None else task.counting:
            tally = engine.count(query, budget).sharpened()
            adversarial, reason = counted(query, engine.name, tally, 0.0).asked, tally.reason
        else:
            finding = engine.find(query, budget)
            size = query.region.size
            low, high = {True: (1, size), False: (0, 0), None: (0, size)}[finding.happens]
            adversarial, reason = Count(low, high), finding.reason
        seconds = time.monotonic() - started
        return Row(sample.index, sample.label, predicted, _verdict(adversarial), adversarial, engine.name, seconds, reason)


def _verdict(adversarial: Count) -> Verdict:
    if adversarial.low > 0:
        return Verdict.VULNERABLE
    return Verdict.ROBUST if adversarial.high == 0 else Verdict.UNKNOWN


def _answers(task: _Task, todo: Sequence[_Sample], jobs: int) -> Iterator[tuple[_Sample, Row]]:
    """Yield samples with their rows as they finish; leaving early stops the work on the others."""
    workers = [_Worker(task, jobs) for _ in range(jobs)]
    try:
        if jobs == 1:
            for sample in todo:
                yield sample, workers[0].row(sample)
        else:
            yield from _side_by_side(workers, todo)
    finally:
        for worker in workers:
            worker.session.close()


def _side_by_side(workers: list[_Worker], todo: Sequence[_Sample]) -> Iterator[tuple[_Sample, Row]]:
    idle: SimpleQueue[_Worker] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def answer(sample: _Sample) -> tuple[_Sample, Row]:
        worker = idle.get()
        try:
            return sample, worker.row(sample)
        finally:
            idle.put(worker)

    pool = ThreadPoolExecutor(len(workers))
    try:
        futures: list[Future[tuple[_Sample, Row]]] = [pool.submit(answer, sample) for sample in todo]
        for future in as_completed(futures):
            yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.session.close()  # the threads wait for their children: ending these ends the threads
        pool.shutdown(wait=True)
