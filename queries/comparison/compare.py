"""Which arm is more robust? Every model on the same samples at the same radii within the same limits, then compared in pairs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bnnverify.data.samples import Samples
from bnnverify.errors import BadQuery, BadSample
from bnnverify.model.arrays import Bits
from bnnverify.problem.budget import Budget
from bnnverify.queries.comparison.measurement import TRIES, measure, measure_in_worker, unmeasured
from bnnverify.queries.comparison.metrics import Grids, metrics_of
from bnnverify.queries.comparison.models import compared_model
from bnnverify.queries.comparison.notes import notes_on, versions
from bnnverify.queries.comparison.participants import Participant, checked, pairs_of, untouched
from bnnverify.queries.comparison.settled import is_settled, rows_of, value_of
from bnnverify.queries.comparison.statistics import paired_comparisons
from bnnverify.queries.comparison.task import Task
from bnnverify.queries.engines.registry import AUTO, named
from bnnverify.queries.execution.cores import cores
from bnnverify.queries.execution.events import Lost, Shared
from bnnverify.queries.execution.pool import run
from bnnverify.queries.execution.process_pool import processes
from bnnverify.queries.storage.store import Store
from bnnverify.results.comparison import Comparison, Sample, Terms
from bnnverify.results.outcome import Outcome
from bnnverify.results.progress import Steps, no_steps

Rows = tuple[Outcome, ...]


def compare(
    participants: Sequence[Participant],
    samples: Samples,
    *,
    radii: Sequence[int],
    limit: int | None = None,
    against: Sequence[str] = (),
    engine: str = AUTO,
    counting: bool | None = None,
    budget: Budget | None = None,
    jobs: int | None = 1,
    resume: Path | None = None,
    terms: Terms | None = None,
    progress: Steps = no_steps,
) -> Comparison:
    """Return one row per (seed, sample, arm, radius) of the samples that no model was trained on, and the conclusions.

    limit: only the first samples, this many. against: arms that every other arm is compared with; default: no_pen and nonlin_pen
    where they take part, else the first arm; an arm bin_enc-D is always compared with lin_pen-D.
    budget: the limits of each question, whose clock starts with the question. counting: as for `certify`. jobs: processes that
    work at the same time, None for one per core. resume: a SQLite file of finished rows, read first and added to: its rows are
    not computed again, except those that were stopped.
    progress(done, wanted) is called after rows are finished. Ctrl-C compares the rows finished so far.
    """
    started = time.monotonic()
    participants, terms = checked(participants), terms or Terms()
    pairs = pairs_of(_arms(participants), against)
    task = Task(_radii(radii, participants[0].network.inputs), engine, counting, budget or Budget())
    workers = _workers(jobs)
    test_samples, warning = untouched(samples, participants)
    design = _Design(participants, _first(test_samples, limit), task)
    rows = _rows(design, workers, resume, progress)
    comparison = _described(design, rows, test_samples, terms)
    comparison = replace(comparison, notes=(*([warning] if warning else []), *comparison.notes))
    return replace(_concluded(comparison, pairs), seconds=time.monotonic() - started)


def check_arguments(
    arms: Sequence[str],
    samples: Samples,
    *,
    radii: Sequence[int],
    limit: int | None,
    against: Sequence[str],
    engine: str,
    resume: Path | None,
) -> None:
    """Raise the errors that `compare` would raise about these arguments, before any model is trained.

    samples: those that no training of the models will use. A file to resume from is read where it exists, and not made.
    """
    pairs_of(arms, against)
    if engine != AUTO:
        named(engine).open().close()  # its package may be missing
    task = Task(_radii(radii, samples.bits.shape[1]))
    with _Design((), _first(samples, limit), task).store(resume if resume and resume.exists() else None):
        pass


def _workers(jobs: int | None) -> int:
    if jobs is not None and jobs < 1:
        raise BadQuery(f"jobs must be at least 1, got {jobs}")
    return cores() if jobs is None else jobs


def _arms(participants: Sequence[Participant]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(participant.arm for participant in participants))


def _radii(radii: Sequence[int], inputs: int) -> tuple[int, ...]:
    ordered = tuple(sorted(set(radii)))
    if not ordered or not 1 <= ordered[0] <= ordered[-1] <= inputs:
        raise BadQuery(f"radii must be between 1 and {inputs}, got {', '.join(map(str, radii)) or 'none'}")
    return ordered


def _first(samples: Samples, limit: int | None) -> tuple[Sample, ...]:
    if samples.labels is None:
        raise BadSample(f"{samples.name}: expected samples with labels, got none: accuracy needs them")
    if len(set(samples.indices)) < len(samples.indices):
        raise BadSample("expected samples with different indices, got some index twice")
    triples = zip(samples.indices, samples.labels.tolist(), samples.bits.tolist(), strict=True)
    return tuple(Sample(index, label, tuple(bits)) for index, label, bits in list(triples)[:limit])


@dataclass(frozen=True, eq=False)
class _Design:
    """Every participant is measured on every sample, by the same task."""

    participants: tuple[Participant, ...]
    samples: tuple[Sample, ...]
    task: Task

    @property
    def wanted(self) -> int:
        """Return how many rows the design has."""
        return len(self.participants) * len(self.samples) * len(self.task.radii)

    def store(self, path: Path | None) -> Store:
        """Return the store of rows that depend on all this; later runs may add models and samples."""
        models = {str(participant): participant.network.sha256 for participant in self.participants}
        samples = {str(s.index): hashlib.sha256(f"{s.label} {s.bits}".encode()).hexdigest() for s in self.samples}
        radii = ",".join(map(str, self.task.radii))
        same = {"verb": "compare", "radii": radii, "inputs per attack": TRIES}
        return Store(path, same, growing={"model": models, "sample": samples})


def _rows(design: _Design, workers: int, path: Path | None, progress: Steps) -> Rows:
    """Return the finished rows, in the order of their keys."""
    done: dict[tuple[str, int, int], Rows] = {}
    with design.store(path) as store, suppress(KeyboardInterrupt):
        todo = list[tuple[Participant, Sample]]()
        for sample in design.samples:  # one after the other: whenever the work stops, all arms have the same ones
            for participant in design.participants:
                model = participant.arm, participant.seed
                rows = store.recall(_key(participant, sample), partial(rows_of, model=model, sample=sample.index)) or ()
                if is_settled(rows, design.task.radii, counting=bool(design.task.counting)):
                    done[participant.arm, participant.seed, sample.index] = rows
                else:
                    todo.append((participant, sample))
        for participant, sample, found in _measured(design, todo, workers):
            rows = tuple(_placed(row, participant, sample) for row in found)
            store.keep(_key(participant, sample), value_of(rows))
            done[participant.arm, participant.seed, sample.index] = rows
            progress(len(done) * len(design.task.radii), design.wanted)
    return tuple(sorted((row for rows in done.values() for row in rows), key=lambda row: row.key))


def _key(participant: Participant, sample: Sample) -> str:
    return f"sample {sample.index} of {participant}"


def _placed(row: Outcome, participant: Participant, sample: Sample) -> Outcome:
    return replace(row, seed=participant.seed, sample=sample.index, arm=participant.arm, label=sample.label)


def _measured(
    design: _Design, todo: Sequence[tuple[Participant, Sample]], workers: int
) -> Iterator[tuple[Participant, Sample, Rows]]:
    """Yield participants and samples with their rows as they finish; leaving early stops the work on the others."""
    if workers == 1 or len(todo) < 2:
        for participant, sample in todo:
            yield participant, sample, measure(participant.network, _bits(participant, sample), design.task)
        return
    shared = {id(each): Shared(each.network.sha256, each.network) for each in design.participants}
    questions = ((each, (shared[id(each[0])], _bits(*each), design.task)) for each in todo)
    with processes(min(workers, len(todo))) as pool:
        for (participant, sample), rows in run(pool, measure_in_worker, questions):
            if isinstance(rows, Lost):
                rows = unmeasured(participant.network, _bits(participant, sample), design.task, rows.reason)
            yield participant, sample, rows


def _bits(participant: Participant, sample: Sample) -> Bits:
    return participant.network.check(sample.bits)


def _described(design: _Design, rows: Rows, untouched: Samples, terms: Terms) -> Comparison:
    """Return the comparison with its rows and models, without metrics and conclusions yet."""
    participants, task = design.participants, design.task
    coding = participants[0].network.coding
    models = tuple(compared_model(participant, untouched, terms) for participant in participants)
    return Comparison(
        data=untouched.name,
        radii=task.radii,
        arms=_arms(participants),
        samples=design.samples,
        shape=coding.shape if coding else None,
        models=models,
        rows=rows,
        metrics=(),
        paired_comparisons=(),
        terms=terms,
        wanted=design.wanted,
        seconds=0.0,
        notes=tuple(notes_on(rows, task.radii[-1], design.wanted, models)),
        versions=versions(),
    )


def _concluded(comparison: Comparison, pairs: Sequence[tuple[str, str]]) -> Comparison:
    """Return the comparison with the metrics and paired comparisons of its rows."""
    if not comparison.rows:
        return comparison
    grids, radii, terms = Grids(comparison.rows), comparison.radii, comparison.terms
    collapsed = [arm for arm in comparison.arms if comparison.collapsed(arm)]
    metrics = tuple(metrics_of(grids, comparison.arms, radii, terms))
    pairwise = paired_comparisons(grids, pairs, radii, terms, collapsed=collapsed)
    return replace(comparison, metrics=metrics, paired_comparisons=pairwise)
