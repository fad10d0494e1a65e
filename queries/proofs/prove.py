"""Robustness of every sample of a data set, each verdict with a proof that others can check."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.data.samples import Sample, Samples, as_samples
from bnnverify.errors import BadQuery, BadSample
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.model.threshold import Threshold
from bnnverify.problem.ball import HammingBall
from bnnverify.problem.budget import Budget, OutOfBudget
from bnnverify.problem.constrained import Constrained
from bnnverify.problem.events.leaves import Leaves
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.execution.events import Lost, Shared, Worker
from bnnverify.queries.execution.pool import run
from bnnverify.queries.execution.process_pool import processes
from bnnverify.queries.planning.plan import PRESOLVE
from bnnverify.queries.proofs.claim_files import Written, write
from bnnverify.queries.proofs.evidence import find_evidence
from bnnverify.queries.proofs.folder import ProofFolder
from bnnverify.queries.verbs.certify import Finished, silent
from bnnverify.results.certification import Certification, Row
from bnnverify.results.counts import Count
from bnnverify.results.finding import Verdict


def prove(
    network: Network,
    samples: Samples | ArrayLike,
    *,
    radius: int,
    folder: Path,
    free: ArrayLike | None = None,
    constraints: Sequence[Threshold] = (),
    budget: Budget | None = None,
    jobs: int = 1,
    progress: Finished = silent,
) -> Certification:
    """Return one row per sample, as `certify` does, and leave the proofs of the decided ones in folder.

    A folder of an earlier run with the same model, radius, free positions and constraints is continued: decided samples are not
    asked again.
    budget: of each sample; jobs: processes. Ctrl-C returns the rows finished so far.
    """
    if jobs < 1:
        raise BadQuery(f"jobs must be at least 1, got {jobs}")
    samples = as_samples(samples, network)
    if min(samples.indices) < 0:
        raise BadSample(f"expected samples with indices of at least 0, got {min(samples.indices)}")
    started = time.monotonic()
    ball = HammingBall(network.check(samples.bits[0]), radius, free=free)
    region = Constrained(ball, constraints)
    rows: dict[int, Row] = {}
    with ProofFolder(folder, network, region, tuple(samples.indices)) as proofs, suppress(KeyboardInterrupt):
        task = Task(network, radius, region.free, region.constraints, budget or Budget(), proofs.drafts)
        todo = []
        for sample in samples:
            row = proofs.known(sample.index, sample.bits)
            if row is None:
                todo.append(Claimed(sample))
            else:
                rows[row.index] = row
        for claimed, row, files in attempted(task, todo, jobs):
            proofs.keep(row, claimed.sample.bits, files)
            rows[row.index] = row
            progress(row, len(rows), len(samples))
    ordered = tuple(rows[index] for index in sorted(rows))
    return Certification(ordered, len(samples), radius, ball.size, time.monotonic() - started, len(region.constraints))


@dataclass(frozen=True, eq=False)
class Task:
    """What is done for each sample; its files are written into a folder of its own in drafts."""

    network: Network
    radius: int
    free: NDArray[np.bool_]
    constraints: tuple[Threshold, ...]
    limits: Budget
    drafts: Path

    def region(self, sample: Sample) -> Region:
        """Return the region around a sample."""
        ball = HammingBall(sample.bits, self.radius, free=self.free)
        return Constrained(ball, self.constraints) if self.constraints else ball


@dataclass(frozen=True, eq=False)
class Claimed:
    """A sample whose claim is to be proved. beyond: bits of a witness further away than the radius, if known."""

    sample: Sample
    beyond: Bits | None = None


def attempted(task: Task, claims: Sequence[Claimed], jobs: int) -> Iterator[tuple[Claimed, Row, dict[str, Written]]]:
    """Yield each claim with its row and what was written for it, as they come in from so many processes."""
    shared = Shared(task.network.sha256, task)
    with processes(min(jobs, max(1, len(claims)))) as pool:
        for claimed, answer in run(pool, written, ((claimed, (shared, claimed)) for claimed in claims), limits=task.limits):
            row, files = (_lost(task, claimed.sample, answer), {}) if isinstance(answer, Lost) else answer
            yield claimed, row, files


def written(worker: Worker, task: Task, claimed: Claimed) -> tuple[Row, dict[str, Written]]:
    """Return the row of a sample, and what was written for it, nothing where it stays UNKNOWN."""
    started, sample = time.monotonic(), claimed.sample
    predicted = task.network(sample.bits)
    query = Query(task.network, task.region(sample), Leaves(predicted))
    size = query.region.ball.size  # what a checker recomputes
    try:
        found = find_evidence(query, worker.budget)
    except OutOfBudget as out:
        unknown = Verdict.UNKNOWN, Count(0, size), PRESOLVE, time.monotonic() - started, str(out)
        return Row(sample.index, sample.label, predicted, *unknown), {}
    finding, files = found.finding, {}
    if finding.happens is not None:
        folder = task.drafts / str(sample.index)
        folder.mkdir()
        files = write(folder, query, found, index=sample.index, label=sample.label, beyond=claimed.beyond)
    low, high = {True: (1, size), False: (0, 0), None: (0, size)}[finding.happens]
    seconds = time.monotonic() - started
    row = Row(sample.index, sample.label, predicted, finding.verdict, Count(low, high), found.engine, seconds, finding.reason)
    return row, files


def _lost(task: Task, sample: Sample, lost: Lost) -> Row:
    """Return the row of a sample whose process ended before it answered."""
    size = task.region(sample).ball.size
    unknown = Verdict.UNKNOWN, Count(0, size), PRESOLVE
    return Row(sample.index, sample.label, task.network(sample.bits), *unknown, task.limits.seconds or 0.0, lost.reason)
