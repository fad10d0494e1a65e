"""All measurements of one sample of one model, as one row per radius."""

from __future__ import annotations

import resource
import time
from dataclasses import replace

from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.problem.ball import HammingBall
from bnnverify.problem.events.each_class import EachClass
from bnnverify.problem.query import Query
from bnnverify.queries.attacks.local_search import local_search
from bnnverify.queries.comparison.by_distance import measured_by_distance
from bnnverify.queries.comparison.one_pass import measured_in_one_pass
from bnnverify.queries.comparison.task import Measured, Nearest, Task, Within
from bnnverify.queries.engines.registry import named
from bnnverify.queries.execution.events import Worker
from bnnverify.queries.planning.session import Session
from bnnverify.results.counts import Count
from bnnverify.results.finding import Verdict
from bnnverify.results.outcome import Outcome

TRIES = 2_000  # inputs that each attack may evaluate: some tenths of a second


def measure(network: Network, bits: Bits, task: Task) -> tuple[Outcome, ...]:
    """Return one row per radius for the input bits (n,); its seed, sample, arm and label are left to the caller, 0 and "".

    seconds is CPU time, that of this process and of the solvers' processes that it started and that ended meanwhile.
    """
    before = _cpu_seconds()
    query = _largest(network, bits, task)
    engine = one_pass_engine(query, task)
    measured = measured_by_distance(query, task) if engine is None else measured_in_one_pass(query, task, engine)
    rows = _rows(query, task, measured)
    greedy, gradient = (_attacked(network, bits, task, method) for method in ("greedy", "gradient"))
    seconds = _cpu_seconds() - before
    return tuple(replace(row, attacked=True, greedy=greedy, gradient=gradient, seconds=seconds) for row in rows)


def measure_in_worker(worker: Worker, network: Network, bits: Bits, task: Task) -> tuple[Outcome, ...]:  # noqa: ARG001
    """Return the rows of one sample of one model: the work of a worker process."""
    return measure(network, bits, task)


def unmeasured(network: Network, bits: Bits, task: Task, reason: str) -> tuple[Outcome, ...]:
    """Return rows without a measurement, with the reason."""
    query = _largest(network, bits, task)
    within = tuple(Within(Count(0, query.region.shell(0, radius).size)) for radius in task.radii)
    return _rows(query, task, Measured(Nearest(None, 0, None), within, "", reason=reason))


def one_pass_engine(query: Query, task: Task) -> str | None:
    """Return the engine that counts the largest ball distance by distance within this process; None where none does.

    This is the only choice between the two ways to measure.
    """
    if task.counting is False:
        return None
    with Session(task.engine) as session:
        engines = session.plan(session.pose(query, task.limits()), counting=True).engines
    return engines[0] if len(engines) == 1 and named(engines[0]).ability.interruptible else None


def _largest(network: Network, bits: Bits, task: Task) -> Query:
    """Return the question about the largest ball."""
    return Query(network, HammingBall(bits, task.radii[-1]), EachClass())


def _cpu_seconds() -> float:
    """Return the seconds of CPU time of this process and of its children that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def _attacked(network: Network, bits: Bits, task: Task, method: str) -> int | None:
    """Return how many flips an attack needed, with the same limit of evaluated inputs for every network; None without success."""
    witness = local_search(network, bits, method=method, largest=task.radii[-1], evaluations=TRIES).witness
    return witness.distance if witness else None


def _rows(query: Query, task: Task, measured: Measured) -> tuple[Outcome, ...]:
    each = zip(task.radii, measured.within, strict=True)
    return tuple(_row(query, radius, within, measured) for radius, within in each)


def _row(query: Query, radius: int, within: Within, measured: Measured) -> Outcome:
    nearest, witness = measured.nearest, measured.nearest.witness
    return Outcome(
        seed=0,
        sample=0,
        arm="",
        radius=radius,
        label=0,
        predicted=query.network(query.region.center),
        verdict=_verdict(within.adversarial),
        size=query.region.shell(0, radius).size,
        adversarial=within.adversarial,
        shell=within.shell,
        targeted=within.targeted,
        distance=nearest.distance,
        beyond=nearest.beyond,
        witness=witness.flips if witness else None,
        becomes=witness.label if witness else None,
        heat=within.heat,
        code_radius=measured.code_radius,
        latent=within.latent,
        engine=measured.engine,
        reason=measured.reason,
    )


def _verdict(adversarial: Count) -> Verdict:
    if adversarial.low > 0:
        return Verdict.VULNERABLE
    return Verdict.ROBUST if adversarial.high == 0 else Verdict.UNKNOWN
