"""Is the network robust around every sample of a data set, and how many inputs speak against it?"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.data.samples import Sample, Samples, as_samples
from bnnverify.errors import BadQuery
from bnnverify.model.network import Network
from bnnverify.model.threshold import Threshold
from bnnverify.problem.ball import HammingBall
from bnnverify.problem.budget import Budget, OutOfBudget
from bnnverify.problem.constrained import Constrained
from bnnverify.problem.events.leaves import Leaves
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.engines.registry import AUTO
from bnnverify.queries.execution.events import Lost, Shared, Worker
from bnnverify.queries.execution.pool import run
from bnnverify.queries.execution.process_pool import processes
from bnnverify.queries.planning.plan import in_words
from bnnverify.queries.planning.session import Session
from bnnverify.queries.storage.store import Store
from bnnverify.queries.verbs.count import result_of
from bnnverify.results.certification import Certification, Row
from bnnverify.results.counts import Count
from bnnverify.results.finding import Verdict

Finished = Callable[[Row, int, int], None]

MARGIN = 1.0  # seconds that a row may take beyond its budget before its process is ended: its engines are ended earlier


def silent(row: Row, done: int, wanted: int) -> None:
    """Drop a report."""


def certify(
    network: Network,
    samples: Samples | ArrayLike,
    *,
    radius: int,
    free: ArrayLike | None = None,
    constraints: Sequence[Threshold] = (),
    engine: str = AUTO,
    counting: bool | None = None,
    budget: Budget | None = None,
    jobs: int = 1,
    resume: Path | None = None,
    progress: Finished = silent,
) -> Certification:
    """Return one row per sample: does any input within radius flips of it leave the class that the network gives it?

    samples: with labels if known, or bits (count, n). free: positions that may flip, default all. constraints: what must hold of
    an input; a region without any is ROBUST. counting: count the adversarial inputs (True), only decide (False), or count where
    that costs no more than deciding (None).
    budget: of each sample. jobs: samples at the same time, each in a process. resume: a file of finished rows, read first and
    added to. progress(row, done, wanted) is called for each finished row. Ctrl-C returns the rows finished so far.
    """
    if jobs < 1:
        raise BadQuery(f"jobs must be at least 1, got {jobs}")
    samples = as_samples(samples, network)
    started, limits = time.monotonic(), budget or Budget()
    ball = HammingBall(network.check(samples.bits[0]), radius, free=free)
    rules = Constrained(ball, constraints).constraints
    task = _Task(network, radius, ball.free, rules, engine, counting, limits, jobs)
    rows: dict[int, Row] = {}
    with Store(resume, task.fingerprint()) as store, suppress(KeyboardInterrupt):
        todo = []
        for sample in samples:
            row = store.recall(_key(sample), partial(_parsed, sample=sample, task=task))
            if row is not None and _is_settled(row, counting=counting):
                rows[row.index] = row
            else:  # a longer budget may settle it now
                todo.append(sample)
        for sample, row in _answers(task, todo):
            store.keep(_key(sample), row.to_json())
            rows[row.index] = row
            progress(row, len(rows), len(samples))
    ordered = tuple(rows[index] for index in sorted(rows))
    return Certification(ordered, len(samples), radius, ball.size, time.monotonic() - started, len(rules))


def _key(sample: Sample) -> str:
    """Return what an earlier run's row must match: the index and the very bits."""
    return f"{sample.index} {hashlib.sha256(sample.bits.tobytes()).hexdigest()[:32]}"


def _parsed(data: dict[str, Any], sample: Sample, task: _Task) -> Row:
    """Return the stored row of a sample; ValueError and kin where no answer about the sample can give it."""
    row = Row.from_json(data)
    size = task.query(sample).region.size_bound if row.size is None else row.size
    found = row.index, row.predicted, row.verdict, row.adversarial.high <= size
    if found != (sample.index, task.network(sample.bits), _verdict(row.adversarial), True):
        raise ValueError("expected a row that agrees with the network and itself")
    return replace(row, label=sample.label)


def _is_settled(row: Row, *, counting: bool | None) -> bool:
    """Return whether more time would add nothing: the verdict is known, and so is the count where it was wanted or stopped."""
    return row.verdict is not Verdict.UNKNOWN and (row.adversarial.exact or not (counting or row.reason))


@dataclass(frozen=True, eq=False)
class _Task:
    """What is done for each sample."""

    network: Network
    radius: int
    free: NDArray[np.bool_]
    constraints: tuple[Threshold, ...]
    engine: str
    counting: bool | None
    limits: Budget
    jobs: int

    def fingerprint(self) -> dict[str, object]:
        """Return everything that the rows depend on."""
        free = hashlib.sha256(self.free.tobytes()).hexdigest()
        known = {"radius": self.radius, "free positions": free, "counting": self.counting}
        rows = sorted((row.positions, row.weights, row.bound) for row in self.constraints)
        rules = {"constraints": hashlib.sha256(str(rows).encode()).hexdigest()} if rows else {}
        return {"verb": "certify", "model": self.network.sha256, **known, **rules}

    def session(self) -> Session:
        """Return the engines of one process."""
        return Session(self.engine, sessions=self.jobs)

    def query(self, sample: Sample) -> Query:
        """Return the question about a sample."""
        region: Region = HammingBall(sample.bits, self.radius, free=self.free)
        region = Constrained(region, self.constraints) if self.constraints else region
        return Query(self.network, region, Leaves(self.network(sample.bits)))


def _row(task: _Task, session: Session, sample: Sample) -> Row:
    """Return the row of a sample, counted where that is asked for or costs no more than deciding."""
    started, budget, query = time.monotonic(), task.limits.start(), task.query(sample)
    size = query.region.size_bound
    try:
        if task.counting:
            query.region.sizes(budget)
        posed = session.pose(query, budget)
        counting = task.counting
        if counting is None:
            counting = session.plan(posed, counting=False).counts and query.region.known_size is not None
        if counting:
            counted = session.count_posed(posed, budget)
            adversarial, engine, reason = (
                result_of(query, counted, 0.0).event_count,
                in_words(counted.engines),
                counted.tally.reason,
            )
        else:
            decided = session.find_posed(posed, budget)
            low, high = {True: (1, size), False: (0, 0), None: (0, size)}[decided.finding.happens]
            adversarial, engine, reason = Count(low, high), in_words(decided.engines), decided.finding.reason
    except OutOfBudget as out:
        adversarial, engine, reason = Count(0, size), in_words(session.current), str(out)
    reason = "" if adversarial.exact else reason  # an engine may end between its last report and its answer
    about = sample.index, sample.label, query.network(query.region.center), _verdict(adversarial), adversarial
    return Row(*about, engine, time.monotonic() - started, reason, query.region.known_size if task.constraints else None)


def _verdict(adversarial: Count) -> Verdict:
    if adversarial.low > 0:
        return Verdict.VULNERABLE
    return Verdict.ROBUST if adversarial.high == 0 else Verdict.UNKNOWN


def _answers(task: _Task, todo: Sequence[Sample]) -> Iterator[tuple[Sample, Row]]:
    """Yield samples with their rows as they finish; leaving early stops the work on the others."""
    if task.jobs == 1 or len(todo) < 2:
        with replace(task, jobs=1).session() as session:
            for sample in todo:
                yield sample, _row(task, session, sample)
        return
    shared = Shared(task.network.sha256, task)
    seconds = task.limits.seconds
    limits = Budget() if seconds is None else Budget(seconds + MARGIN)
    with processes(min(task.jobs, len(todo))) as pool:
        for sample, row in run(pool, _row_of_task, ((sample, (shared, sample)) for sample in todo), limits=limits):
            yield sample, _lost(task, sample, row) if isinstance(row, Lost) else row


def _row_of_task(worker: Worker, task: _Task, sample: Sample) -> Row:
    """Return the row of a sample, on engines that stay open in the process for the next one."""
    if "session" not in worker.opened:
        worker.opened["session"] = task.session()
    return _row(task, worker.opened["session"], sample)


def _lost(task: _Task, sample: Sample, lost: Lost) -> Row:
    """Return the row of a sample whose process ended before it answered."""
    query = task.query(sample)
    reason = task.limits.reason if lost.status is None else lost.reason
    open_ = Verdict.UNKNOWN, Count(0, query.region.size_bound), task.engine
    return Row(sample.index, sample.label, query.network(sample.bits), *open_, task.limits.seconds or 0.0, reason)
