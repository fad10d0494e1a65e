"""Everything a comparison asks about one sample of one model: one enumeration of the largest ball answers every smaller one."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bnnverify.errors import Disagreement
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.problem.budget import Budget
from bnnverify.problem.event import EachClass, Leaves
from bnnverify.problem.query import Query
from bnnverify.problem.region import HammingBall
from bnnverify.queries.attacks.local_search import local_search
from bnnverify.queries.engines.registry import named
from bnnverify.queries.planning.calibration import slowness
from bnnverify.queries.planning.plan import plan
from bnnverify.queries.planning.posed import Posed
from bnnverify.queries.verbs.attack import attack
from bnnverify.queries.verbs.count import count
from bnnverify.queries.verbs.distance import distance
from bnnverify.queries.verbs.latent.latents import latents
from bnnverify.results.comparison import Latent, Outcome
from bnnverify.results.counts import Count, Shares, Tally
from bnnverify.results.finding import Verdict, Witness
from bnnverify.results.latent import WIDEST, CodeShells, Latents, entropy

TRIES = 2_000  # inputs that each attack may put to the network: some tenths of a second
FEW = 100_000  # points that the network itself is asked about one by one, for the pixels that matter and as a second opinion


@dataclass(frozen=True)
class Task:
    """What is asked about every sample of every model. radii ascend. timeout: seconds per question; memory: bytes of a solver.

    counting: count the adversarial inputs (True), only decide (False), or count where that costs no more than deciding (None).
    """

    radii: tuple[int, ...]
    engine: str = "auto"
    counting: bool | None = None
    timeout: float | None = None
    memory: int | None = None

    def budget(self) -> Budget:
        """Return the limits of one question, the clock starting now."""
        return Budget(self.timeout, self.memory)


@dataclass(frozen=True)
class _Near:
    """What is known of the nearest point of another class: at distance, or None; none up to beyond, proved."""

    distance: int | None
    beyond: int
    witness: Witness | None


@dataclass(frozen=True)
class _Within:
    """What is known of the points within a radius: shares of the classes and of the outermost shell, None where not counted."""

    adversarial: Count
    targeted: tuple[Count, ...] | None = None
    shell: Count | None = None
    latent: Latent | None = None
    heat: tuple[int, ...] | None = None


@dataclass(frozen=True)
class _Found:
    near: _Near
    within: tuple[_Within, ...]  # per radius
    engine: str
    code_radius: int | None = None
    reason: str = ""


def case(network: Network, bits: Bits, task: Task) -> tuple[Outcome, ...]:
    """Return one row per radius for the input bits (n,); its seed, sample, arm and label are left to the caller, 0 and "".

    seconds is CPU time, that of this process and of the solvers' processes that it started and that ended meanwhile.
    """
    before = _worked()
    query = Query(network, HammingBall(bits, task.radii[-1]), EachClass())
    found = _enumerated(query, task) if _is_one_pass(query, task) else _asked(query, task)
    rows = _rows(query, task, found, **_attacked(network, bits, task))
    seconds = _worked() - before
    return tuple(replace(row, attacked=True, seconds=seconds) for row in rows)


def _worked() -> float:
    """Return the seconds of CPU time of this process and of its children that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def unanswered(network: Network, bits: Bits, task: Task, reason: str) -> tuple[Outcome, ...]:
    """Return rows that know nothing, and why."""
    query = Query(network, HammingBall(bits, task.radii[-1]), EachClass())
    nothing = tuple(_Within(Count(0, query.region.shell(0, radius).size)) for radius in task.radii)
    return _rows(query, task, _Found(_Near(None, 0, None), nothing, "none", reason=reason), None, None)


def _rows(query: Query, task: Task, found: _Found, greedy: int | None, gradient: int | None) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(
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
            distance=found.near.distance,
            beyond=found.near.beyond,
            witness=found.near.witness.flips if found.near.witness else None,
            becomes=found.near.witness.label if found.near.witness else None,
            greedy=greedy,
            gradient=gradient,
            heat=within.heat,
            code_radius=found.code_radius,
            latent=within.latent,
            engine=found.engine,
            reason=found.reason,
        )
        for radius, within in zip(task.radii, found.within, strict=True)
    )


def _verdict(adversarial: Count) -> Verdict:
    if adversarial.low > 0:
        return Verdict.VULNERABLE
    return Verdict.ROBUST if adversarial.high == 0 else Verdict.UNKNOWN


def _is_one_pass(query: Query, task: Task) -> bool:
    """Return whether an engine of this process counts the largest ball, distance by distance."""
    if task.counting is False:
        return False
    engines = plan(Posed.of(query, Budget()).question, task.engine, counting=True, slowness=slowness()).engines
    return len(engines) == 1 and named(engines[0]).ability.interruptible


def _attacked(network: Network, bits: Bits, task: Task) -> dict[str, int | None]:
    """Return how many flips each attack needed, with the same number of inputs to try for every network."""
    tries = {
        way: local_search(network, bits, method=way, largest=task.radii[-1], evaluations=TRIES) for way in ("greedy", "gradient")
    }
    return {way: attempt.witness.distance if attempt.witness else None for way, attempt in tries.items()}


def _enumerated(query: Query, task: Task) -> _Found:
    """Return what one look at every point of the largest ball says, or at those of a smaller one where time ran out."""
    network, ball = query.network, query.region
    if network.blocks and network.widths[-2] <= WIDEST:
        codes = latents(network, ball.center, radius=ball.outer, budget=task.budget())
        shells, witness, reason = codes.shells.shells, codes.witness, codes.reason
    else:
        codes, tally = None, count(query, engine="bits", budget=task.budget()).tally
        shells, reason = tally.shells, tally.reason
        witness = _nearest(query, shells)
    predicted = network(ball.center)
    distance = next((s.distance for s in shells if sum(s.counts) > s.counts[predicted]), None)
    near = _Near(distance, len(shells) - 1 if distance is None else distance - 1, witness)
    heat = _heat(query, shells) if ball.size <= FEW else {}
    within = [_counted(query, shells, radius) for radius in task.radii]
    if codes is not None:
        within = [replace(w, latent=_latent(codes, r)) for w, r in zip(within, task.radii, strict=True)]
    within = [replace(w, heat=heat.get(r)) for w, r in zip(within, task.radii, strict=True)]
    return _Found(near, tuple(within), "bits", codes.shells.code_stable_radius if codes else None, reason)


def _counted(query: Query, shells: Sequence[Shares], radius: int) -> _Within:
    """Return the counts within a radius, from the shells that are finished."""
    network, ball = query.network, query.region.shell(0, radius)
    predicted = network(ball.center)
    inner = shells[: radius + 1]
    tally = Tally.seen(ball.size, [sum(column) for column in zip(*(s.counts for s in inner), strict=True)])
    others = set(range(network.classes)) - {predicted}
    outermost = Count.exactly(sum(inner[radius].counts) - inner[radius].counts[predicted]) if radius < len(inner) else None
    return _Within(tally.of(others), tally.sharpened().counts, outermost)


def _nearest(query: Query, shells: Sequence[Shares]) -> Witness | None:
    """Return a point of another class in the nearest shell that has one."""
    predicted = query.network(query.region.center)
    for shares in shells:
        if sum(shares.counts) > shares.counts[predicted]:
            shell = Query(query.network, query.region.shell(shares.distance), Leaves(predicted))
            return attack(shell, engine="bits").finding.witness
    return None


def _heat(query: Query, shells: Sequence[Shares]) -> dict[int, tuple[int, ...]]:
    """Return for each radius how many adversarial points flip each position, by asking the network about every point.

    Raises Disagreement where that does not give the numbers of the shells.
    """
    network, ball = query.network, query.region
    predicted, total, heat = network(ball.center), np.zeros(ball.n, dtype=np.int64), {}
    for shares in shells:
        met = 0
        for points in ball.shell(shares.distance).points():
            away = points[network(points) != predicted]
            total += (away != ball.center).sum(axis=0, dtype=np.int64)
            met += len(away)
        if met != sum(shares.counts) - shares.counts[predicted]:
            raise Disagreement(f"distance {shares.distance}: one by one, {met} points leave class {predicted}; counted: {shares}")
        heat[shares.distance] = tuple(total.tolist())
    return heat


def _latent(codes: Latents, radius: int) -> Latent | None:
    """Return what the points within radius do to the code; None where they are not all in."""
    if radius > codes.shells.radius:
        return None
    shells: CodeShells = codes.shells.within(radius)
    return Latent(
        flips=shells.flips,
        spectrum=shells.spectrum(),
        codes=shells.reachable,
        entropy=entropy(shells.times.values()),
        margin=codes.margin,
        certified=shells.most_flips <= codes.margin,
        bound=sum(shells.flips) // (codes.margin + 1),
    )


def _asked(query: Query, task: Task) -> _Found:
    """Return what proofs of distance say where nobody can look at every point, and counts where they are asked for."""
    network, center, largest = query.network, query.region.center, task.radii[-1]
    nearest = distance(network, center, largest=largest, engine=task.engine, budget=task.budget())
    known = nearest.low if nearest.high is not None and nearest.exact else None
    near = _Near(known, nearest.low - 1, nearest.witness)
    within = []
    for radius in task.radii:
        size = query.region.shell(0, radius).size
        found = nearest.high is not None and nearest.high <= radius
        decided = _Within(Count(1, size) if found else Count(0, 0 if radius < nearest.low else size))
        within.append(_sharper(decided, query, radius, task) if task.counting else decided)
    return _Found(near, tuple(within), nearest.engine, None, nearest.reason)


def _sharper(decided: _Within, query: Query, radius: int, task: Task) -> _Within:
    """Return the counts within a radius by whichever engine suits, never wider than what is known."""
    result = count(replace(query, region=query.region.shell(0, radius)), engine=task.engine, budget=task.budget())
    low, high = max(decided.adversarial.low, result.adversarial.low), min(decided.adversarial.high, result.adversarial.high)
    if low > high:
        raise Disagreement(f"radius {radius}: the distance says {decided.adversarial}, the count {result.adversarial}")
    return _Within(Count(low, high), result.counts)
