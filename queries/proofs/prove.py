"""Robustness of every sample of a data set, each verdict with a proof that others can check."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.data.samples import Samples
from bnnverify.errors import BadQuery, BadSample
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.problem.budget import Budget
from bnnverify.problem.event import Leaves
from bnnverify.problem.query import Query
from bnnverify.problem.region import HammingBall
from bnnverify.queries.execution.pool import Lost, side_by_side
from bnnverify.queries.proofs.claim_files import Written, write
from bnnverify.queries.proofs.evidence import find_evidence
from bnnverify.queries.proofs.folder import ProofFolder
from bnnverify.queries.verbs.certify import Finished, unheard
from bnnverify.results.certification import Certification, Row
from bnnverify.results.counts import Count
from bnnverify.results.finding import Verdict

GRACE = 1.0  # seconds a process may overrun before the system ends it
ENGINE = "sat"


def prove(
    network: Network,
    samples: Samples,
    *,
    radius: int,
    folder: Path,
    free: ArrayLike | None = None,
    timeout: float | None = None,
    memory: int | None = None,
    jobs: int = 1,
    report: Finished = unheard,
) -> Certification:
    """Return one row per sample, as `certify` does, and leave the proofs of the decided ones in folder.

    A folder of an earlier run with the same model, radius and free positions is continued: decided samples are not asked again.
    timeout: seconds per sample; memory: bytes per process; jobs: processes. Ctrl-C returns the rows finished so far.
    """
    if jobs < 1:
        raise BadQuery(f"jobs must be at least 1, got {jobs}")
    if not len(samples.bits):
        raise BadSample("expected at least one sample, got none")
    if len(set(samples.indices)) < len(samples.indices) or min(samples.indices) < 0:
        raise BadSample("expected samples with different indices of at least 0, got some index twice or a negative one")
    started = time.monotonic()
    region = HammingBall(network.check(samples.bits[0]), radius, free=free)
    rows: dict[int, Row] = {}
    with ProofFolder(folder, network, region, tuple(samples.indices)) as proofs, suppress(KeyboardInterrupt):
        task = Task(network, radius, region.free, timeout, memory, proofs.drafts)
        todo = []
        for sample in _each(samples):
            row = proofs.known(sample.index, sample.bits)
            if row is None:
                todo.append(sample)
            else:
                rows[row.index] = row
        for sample, row, files in attempted(task, todo, jobs):
            proofs.keep(row, sample.bits, files)
            rows[row.index] = row
            report(row, len(rows), len(samples.bits))
    ordered = tuple(rows[index] for index in sorted(rows))
    return Certification(ordered, len(samples.bits), radius, region.size, time.monotonic() - started)


@dataclass(frozen=True, eq=False)
class Task:
    """What is done for each sample; its files are written into a folder of its own in drafts."""

    network: Network
    radius: int
    free: NDArray[np.bool_]
    timeout: float | None
    memory: int | None
    drafts: Path


@dataclass(frozen=True, eq=False)
class Sample:
    """One input. label: its true class, if known; beyond: bits of a witness further away than the radius, if known."""

    index: int
    bits: Bits
    label: int | None
    beyond: Bits | None = None


def attempted(task: Task, samples: Sequence[Sample], jobs: int) -> Iterator[tuple[Sample, Row, dict[str, Written]]]:
    """Yield each sample with its row and what was written for it, as they come in from so many processes."""
    questions = [(sample, sample) for sample in samples]
    for sample, answer in side_by_side("bnnverify.queries.proofs.prove:written", task, questions, jobs):
        row, files = (_lost(task, sample, answer), {}) if isinstance(answer, Lost) else answer
        yield sample, row, files


def written(task: Task, sample: Sample) -> tuple[Row, dict[str, Written]]:
    """Return the row of a sample, and what was written for it, nothing where it stays UNKNOWN. Runs in a child process."""
    _limited(task)
    try:
        return answered(task, sample)
    except MemoryError:
        os._exit(137)  # the solver's state is not to be trusted after this
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def answered(task: Task, sample: Sample) -> tuple[Row, dict[str, Written]]:
    """Do what `written` does, without limits that end the process."""
    started = time.monotonic()
    predicted = task.network(sample.bits)
    query = Query(task.network, HammingBall(sample.bits, task.radius, free=task.free), Leaves(predicted))
    found = find_evidence(query, Budget(task.timeout, task.memory))
    finding, files, size = found.finding, {}, query.region.size
    if finding.happens is not None:
        folder = task.drafts / str(sample.index)
        folder.mkdir()
        files = write(folder, query, found, index=sample.index, label=sample.label, beyond=sample.beyond)
    low, high = {True: (1, size), False: (0, 0), None: (0, size)}[finding.happens]
    seconds = time.monotonic() - started
    row = Row(sample.index, sample.label, predicted, finding.verdict, Count(low, high), found.engine, seconds, finding.reason)
    return row, files


def _limited(task: Task) -> None:
    """Have the system end this process when it overruns its time, whatever it is busy with, and keep its memory limit."""
    if task.memory is not None:
        resource.setrlimit(resource.RLIMIT_AS, (task.memory, task.memory))
    if task.timeout is not None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, task.timeout + GRACE)


def _lost(task: Task, sample: Sample, lost: Lost) -> Row:
    size = HammingBall(sample.bits, task.radius, free=task.free).size
    late = lost.endswith(f"status {-signal.SIGALRM}") and task.timeout is not None
    reason = f"stopped after {task.timeout:g} s" if late else str(lost)
    open_ = Verdict.UNKNOWN, Count(0, size), ENGINE
    return Row(sample.index, sample.label, task.network(sample.bits), *open_, task.timeout or 0.0, reason)


def _each(samples: Samples) -> Iterator[Sample]:
    labels = [None] * len(samples.bits) if samples.labels is None else samples.labels.tolist()
    for index, bits, label in zip(samples.indices, samples.bits, labels, strict=True):
        yield Sample(int(index), bits, label)
