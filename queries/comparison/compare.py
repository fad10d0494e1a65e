"""Which arm withstands more? Every model on the same samples at the same radii within the same limits, then judged in pairs."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from bnnverify._version import __version__
from bnnverify.data.samples import Samples
from bnnverify.errors import BadQuery, BadSample
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.queries.comparison import statistics as judge
from bnnverify.queries.comparison.measurement import TRIES, Task, case, unanswered
from bnnverify.queries.comparison.metrics import Grids, figures
from bnnverify.queries.comparison.participants import Participant, checked, rivals, untouched
from bnnverify.queries.comparison.settled import is_settled, is_stopped, rows_of, value_of
from bnnverify.queries.engines.registry import AUTO, named
from bnnverify.queries.execution.pool import Lost, side_by_side
from bnnverify.queries.storage.store import Store
from bnnverify.queries.verbs.latent.codes import class_codes
from bnnverify.results.comparison import FEWEST_SEEDS, Comparison, Contender, Outcome, Sample, Terms
from bnnverify.results.finding import Verdict
from bnnverify.results.latent import WIDEST

Finished = Callable[[int, int], None]
Rows = tuple[Outcome, ...]


def unheard(done: int, wanted: int) -> None:
    """Drop a report."""


def compare(
    participants: Sequence[Participant],
    samples: Samples,
    *,
    radii: Sequence[int],
    limit: int | None = None,
    against: Sequence[str] = (),
    engine: str = "auto",
    counting: bool | None = None,
    timeout: float | None = None,
    memory: int | None = None,
    jobs: int = 1,
    store: Path | None = None,
    terms: Terms | None = None,
    report: Finished = unheard,
) -> Comparison:
    """Return one row per (seed, sample, arm, radius) of the samples that no model was trained on, and what the rows say.

    limit: only the first so many of these samples. against: arms that every other arm is held against; default: no_pen and
    nonlin_pen where they take part, else the first arm; an arm bin_enc-D is always held against lin_pen-D.
    timeout: seconds per question; memory: bytes of a solver; counting: as for `certify`. jobs: processes side by side.
    store: a SQLite file of finished rows, read first and added to: what it has is not asked again, but for rows that something
    stopped.
    report(done, wanted) hears of finished rows. Ctrl-C judges the rows finished so far.
    """
    judge.ready()
    started = time.monotonic()
    terms = terms or Terms()
    participants = checked(participants)
    pairs = rivals(list(dict.fromkeys(who.arm for who in participants)), against)
    task = Task(_radii(radii, participants[0].network.inputs), engine, counting, timeout, memory)
    if jobs < 1:
        raise BadQuery(f"jobs must be at least 1, got {jobs}")
    fair, warning = untouched(samples, participants)
    chosen = _first(fair, limit)
    rows = _rows(_Field(participants, chosen, task), jobs, store, report)
    contenders = tuple(_contender(who, fair, terms) for who in participants)
    wanted = len(participants) * len(chosen) * len(task.radii)
    return _judged(
        Comparison(
            data=samples.name,
            radii=task.radii,
            arms=tuple(dict.fromkeys(who.arm for who in participants)),
            samples=chosen,
            shape=participants[0].network.coding.shape if participants[0].network.coding else None,
            contenders=contenders,
            rows=rows,
            figures=(),
            duels=(),
            terms=terms,
            wanted=wanted,
            seconds=time.monotonic() - started,
            notes=tuple(_notes(rows, task.radii[-1], wanted, contenders, warning)),
            versions=_versions(),
        ),
        pairs,
    )


def _judged(comparison: Comparison, pairs: Sequence[tuple[str, str]]) -> Comparison:
    """Return the comparison with what its rows say."""
    if not comparison.rows:
        return comparison
    grids, radii, terms = Grids(comparison.rows), comparison.radii, comparison.terms
    collapsed = [arm for arm in comparison.arms if comparison.collapsed(arm)]
    fought = judge.duels(grids, pairs, radii, terms, collapsed=collapsed)
    return replace(comparison, figures=tuple(figures(grids, comparison.arms, radii, terms)), duels=fought)


def foresee(
    arms: Sequence[str],
    samples: Samples,
    *,
    radii: Sequence[int],
    limit: int | None,
    against: Sequence[str],
    engine: str,
    store: Path | None,
) -> None:
    """Raise what `compare` would say of these words about models that are not there yet, so that none is trained in vain.

    samples: those that no training of theirs will touch. store is looked into where it is there, and not made.
    """
    rivals(arms, against)
    if engine != AUTO:
        named(engine).open().close()  # its package may be missing
    task = Task(_radii(radii, samples.bits.shape[1]))
    with _Field((), _first(samples, limit), task).store(store if store and store.exists() else None):
        pass


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
    every = zip(samples.indices, samples.labels.tolist(), samples.bits.tolist(), strict=True)
    return tuple(Sample(index, label, tuple(bits)) for index, label, bits in list(every)[:limit])


@dataclass(frozen=True, eq=False)
class _Field:
    """Everybody who takes part, and what they are asked."""

    participants: tuple[Participant, ...]
    samples: tuple[Sample, ...]
    task: Task

    def store(self, path: Path | None) -> Store:
        """Return the store of rows that depend on all this; later runs may add models and samples."""
        models = {str(who): who.network.sha256 for who in self.participants}
        samples = {str(s.index): hashlib.sha256(f"{s.label} {s.bits}".encode()).hexdigest() for s in self.samples}
        radii = ",".join(map(str, self.task.radii))
        same = {"verb": "compare", "radii": radii, "inputs per attack": TRIES}
        return Store(path, same, growing={"model": models, "sample": samples})


def _rows(field: _Field, jobs: int, path: Path | None, report: Finished) -> Rows:
    """Return the finished rows, in the order of their keys."""
    done: dict[tuple[str, int, int], Rows] = {}
    wanted = len(field.participants) * len(field.samples)
    with field.store(path) as store, suppress(KeyboardInterrupt):
        todo = list[tuple[Participant, Sample]]()
        for sample in field.samples:  # one sample after the other: whenever it is stopped, the arms have had the same
            for who in field.participants:
                rows = store.recall(_key(who, sample), partial(rows_of, model=(who.arm, who.seed), sample=sample.index)) or ()
                if is_settled(rows, field.task.radii, counting=bool(field.task.counting)):
                    done[who.arm, who.seed, sample.index] = rows
                else:
                    todo.append((who, sample))
        for who, sample, found in _answers(field, todo, jobs):
            rows = tuple(replace(row, seed=who.seed, sample=sample.index, arm=who.arm, label=sample.label) for row in found)
            store.keep(_key(who, sample), value_of(rows))
            done[who.arm, who.seed, sample.index] = rows
            report(len(done) * len(field.task.radii), wanted * len(field.task.radii))
    return tuple(sorted((row for rows in done.values() for row in rows), key=lambda row: row.key))


def _key(who: Participant, sample: Sample) -> str:
    return f"sample {sample.index} of {who}"


def _answers(field: _Field, todo: Sequence[tuple[Participant, Sample]], jobs: int) -> Iterator[tuple[Participant, Sample, Rows]]:
    """Yield entrants and samples with their rows as they finish; leaving early stops the work on the others."""
    if jobs == 1 or len(todo) < 2:
        for who, sample in todo:
            yield who, sample, case(who.network, _bits(who, sample), field.task)
        return
    opening = tuple(who.network for who in field.participants), field.task
    places = {id(who): place for place, who in enumerate(field.participants)}
    questions = (((who, sample), (places[id(who)], _bits(who, sample))) for who, sample in todo)
    for (who, sample), rows in side_by_side(
        "bnnverify.queries.comparison.compare:answered", opening, questions, min(jobs, len(todo))
    ):
        lost = isinstance(rows, Lost)
        yield who, sample, unanswered(who.network, _bits(who, sample), field.task, rows) if lost else rows


def answered(opening: tuple[Sequence[Network], Task], question: tuple[int, Bits]) -> Rows:
    """Return the rows of one sample of one model: what a process at the side does."""
    (networks, task), (place, bits) = opening, question
    return case(networks[place], bits, task)


def _bits(who: Participant, sample: Sample) -> Bits:
    return who.network.check(sample.bits)


def _contender(who: Participant, fair: Samples, terms: Terms) -> Contender:
    """Return what is known of a model as a whole, from its record and from all samples that no training touched."""
    network, record = who.network, who.network.record
    labels = [] if fair.labels is None else fair.labels.tolist()
    bits = network.check(fair.bits)
    codes = network.prefix(len(network.blocks))(bits).tolist() if network.blocks else ()
    told = str(record.get("collapsed") or "")
    collapsed = told or judge.collapse(network(bits).tolist(), labels, network.classes, terms, codes=codes)
    separation = None
    if network.blocks and network.widths[-2] <= WIDEST:
        table = class_codes(network, fair).separation
        separation = tuple(tuple(-1 if apart is None else apart for apart in line) for line in table)
    kept = {name: value for name, value in record.items() if name != "split"}  # long, and the samples say it
    return Contender(who.arm, who.seed, network.sha256, network.widths, kept, collapsed, separation)


def _notes(rows: Rows, largest: int, wanted: int, contenders: Sequence[Contender], warning: str) -> Iterator[str]:
    if warning:
        yield warning
    if len(rows) < wanted:
        yield f"interrupted: {len(rows)} of {wanted} rows are finished, and only they are judged"
    unknown = sum(row.verdict is Verdict.UNKNOWN for row in rows)
    if unknown:
        yield f"{unknown} of {len(rows)} rows are UNKNOWN: lost at the lower end of every number, won at the upper one"
    stopped = [row for row in rows if row.verdict is not Verdict.UNKNOWN and is_stopped(row, largest)]
    if stopped:
        why = f" ({stopped[0].reason})" if stopped[0].reason else ""
        yield f"{len(stopped)} of {len(rows)} rows are decided, but not finished: a count or distance may be open{why}"
    for contender in contenders:
        if contender.collapsed:
            yield f"{contender.arm} seed {contender.seed} collapsed: {contender.collapsed}"
    seeds = len({contender.seed for contender in contenders})
    if seeds < FEWEST_SEEDS:
        yield f"fewer than {FEWEST_SEEDS} seeds: this tells of these models, nothing of arms"


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("numpy", "scipy", "statsmodels")}
    return {"bnnverify": __version__, "python": platform.python_version(), **packages}
