"""From words of the command line to nouns: which inputs a question is about, which event, and how the work is limited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from numpy.typing import ArrayLike

from bnnverify.cli.options import (
    JOBS,
    NATURAL,
    against_option,
    constraint_option,
    data_option,
    grouped,
    json_option,
    within_option,
)
from bnnverify.data.samples import read_input, read_positions
from bnnverify.formats import load
from bnnverify.model.network import Network
from bnnverify.model.threshold import Threshold
from bnnverify.problem.ball import Everything, HammingBall, Subcube
from bnnverify.problem.budget import Budget
from bnnverify.problem.constrained import Constrained
from bnnverify.problem.constraint_file import read_constraints
from bnnverify.problem.events.words import decided_event, event_help, named_event, words
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.engines.registry import AUTO, choices
from bnnverify.queries.planning.session import Session

GIB = 2**30
LARGEST_LIMIT = 1e9  # of seconds (30 years) or GiB: beyond, clocks and system limits overflow


@dataclass(frozen=True)
class RegionOptions:
    """An input and a region around it, as words of the command line."""

    source: str | None
    radius: int | None
    free: str | None
    everything: bool
    within: str | None
    constraint: Path | None

    def region(self, network: Network, data_dir: Path | None) -> Region:
        """Return the region that the words mean."""
        return narrowed(self._ball(network, data_dir), self.constraint)

    def _ball(self, network: Network, data_dir: Path | None) -> Region:
        if [self.radius is not None, self.free is not None, self.everything].count(True) != 1:
            raise click.UsageError("expected exactly one of --radius, --free and --everything")
        if self.within is not None and self.radius is None:
            raise click.UsageError("--within narrows --radius; to free positions entirely, use --free")
        if self.source is None:
            if not self.everything:
                raise click.UsageError("expected an INPUT; only --everything goes without one")
            return Everything(network.inputs)
        center = read_input(self.source, network, data_dir=data_dir)
        if self.everything:
            return HammingBall(center, network.inputs)
        if self.free is not None:
            return Subcube(center, read_positions(self.free, network.inputs))
        return HammingBall(center, self.radius or 0, free=free_positions(self.within, network))


@dataclass(frozen=True)
class QuestionOptions:
    """The options of all questions: the engine, the limits of the work, JSON or not, and where data sets lie."""

    engine: str
    timeout: float | None
    gib: float | None
    as_json: bool
    data_dir: Path | None

    @property
    def memory(self) -> int | None:
        """Return the limit in bytes."""
        return None if self.gib is None else max(1, int(self.gib * GIB))

    def budget(self) -> Budget:
        """Return the limits of one question."""
        return Budget(self.timeout, self.memory)


@dataclass(frozen=True)
class EventOptions:
    """An event, and the model that it may compare with, as words of the command line."""

    event: str
    against: Path | None

    def query(self, network: Network, region: Region, *, counting: bool) -> Query:
        """Return the question whether, or where, the event happens in the region; counting: events that only count will do."""
        word = words().get(self.event.partition(":")[0])
        compares = word is not None and word.compares
        if self.against is not None and not compares:
            raise click.UsageError(f"--against is the other model of the event differ: expected --event differ, got {self.event}")
        if self.against is None and compares:
            raise click.UsageError(f"--event {self.event} compares with another model: expected --against MODEL beside it")
        other = None if self.against is None else load(self.against)
        read = named_event if counting else decided_event
        return Query(network, region, read(self.event, network, region.center, other))


def narrowed(region: Region, path: Path | None) -> Region:
    """Return the part of region that obeys the constraints in a file, all of it without one."""
    return region if path is None else Constrained(region, read_constraints(path, region.n))


def constraints_in(path: Path | None, network: Network) -> Sequence[Threshold]:
    """Return the constraints in a file, none without one."""
    return () if path is None else read_constraints(path, network.inputs)


def free_positions(source: str | None, network: Network) -> ArrayLike | None:
    """Return the free positions that a comma list or file names, None for all."""
    return None if source is None else read_positions(source, network.inputs)


def print_plan(query: Query, engine: str, *, counting: bool, jobs: int | None = None) -> None:
    """Print on standard error which engine is chosen for this question, and why."""
    with Session(engine, jobs=jobs) as session:
        click.echo(f"plan: {session.plan(session.pose(query, Budget()), counting=counting)}", err=True)


def _limit(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 < value <= LARGEST_LIMIT:
        raise click.BadParameter(f"expected a number above 0, at most {LARGEST_LIMIT:g}, got {value:g}")
    return value


ENGINE_HELP = f"{', '.join(choices())}; auto chooses by estimated cost."

region_options = grouped(
    "around",
    RegionOptions,
    (
        click.argument("source", metavar="INPUT", required=False),
        click.option("--radius", type=NATURAL, metavar="R", help="Inputs that differ in at most R bits."),
        click.option("--free", metavar="IDX", help="Inputs that differ only in these positions: like 0-5,9, or a file."),
        click.option("--everything", is_flag=True, help="All inputs there are; INPUT may be left out."),
        within_option,
        constraint_option,
    ),
)
question_options = grouped(
    "options",
    QuestionOptions,
    (
        click.option("--engine", type=click.Choice(choices()), default=AUTO, show_default=True, metavar="NAME", help=ENGINE_HELP),
        click.option("--timeout", type=float, callback=_limit, metavar="S", help="Seconds of wall clock, for each question."),
        click.option("--memory", "gib", type=float, callback=_limit, metavar="GB", help="Memory of a solver, in 2^30 bytes."),
        json_option,
        data_option,
    ),
)
count_event_options = grouped(
    "event",
    EventOptions,
    (
        click.option("--event", default="classes", show_default=True, help=event_help(counting=True, comparing=True)),
        against_option,
    ),
)
event_options = grouped(
    "event",
    EventOptions,
    (
        click.option("--event", default="leaves", show_default=True, help=event_help(counting=False, comparing=True)),
        against_option,
    ),
)
plan_option = click.option("--explain-plan", is_flag=True, help="Say on standard error which engine is chosen, and why.")
jobs_option = click.option(
    "--jobs", type=JOBS, metavar="J", help="Cores for this question, by default all; with 1, only one engine works on it."
)
