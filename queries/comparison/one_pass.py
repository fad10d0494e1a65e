"""One enumeration of the largest ball, distance by distance, which answers every smaller ball, codes and heat included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bnnverify.errors import Disagreement
from bnnverify.problem.events.leaves import Leaves
from bnnverify.problem.query import Query
from bnnverify.queries.comparison.task import Measured, Nearest, Task, Within
from bnnverify.queries.verbs.attack import attack
from bnnverify.queries.verbs.count import count
from bnnverify.queries.verbs.latent.latents import latents
from bnnverify.results.counts import Count, Shares, Tally
from bnnverify.results.finding import Witness
from bnnverify.results.latent import WIDEST, CodeShells, Latents, entropy
from bnnverify.results.outcome import Latent

FEW = 100_000  # points that the network itself classifies one by one, for the heat and as a second opinion


def measured_in_one_pass(query: Query, task: Task, engine: str) -> Measured:
    """Return the measurements of all points of the largest ball, or of a smaller one where the time was spent.

    engine: one that counts distance by distance.
    """
    network, ball = query.network, query.region
    if not network.blocks or network.widths[-2] > WIDEST:
        tally = count(query, engine=engine, budget=task.limits()).tally
        witness = _nearest(query, tally.shells, engine)
        return Measured(_distance(query, tally.shells, witness), _within(query, tally.shells, task), engine, reason=tally.reason)
    codes = latents(network, ball.center, radius=ball.outer, budget=task.limits())
    shells = codes.shells.shells
    counted = zip(task.radii, _within(query, shells, task), strict=True)
    within = tuple(replace(each, latent=_latent(codes, radius)) for radius, each in counted)
    nearest = _distance(query, shells, codes.witness)
    return Measured(nearest, within, engine, codes.shells.code_stable_radius, codes.reason)


def _distance(query: Query, shells: Sequence[Shares], witness: Witness | None) -> Nearest:
    """Return the smallest distance at which the finished shells have another class."""
    predicted = query.network(query.region.center)
    distance = next((shares.distance for shares in shells if _others(shares, predicted)), None)
    return Nearest(distance, len(shells) - 1 if distance is None else distance - 1, witness)


def _others(shares: Shares, predicted: int) -> int:
    """Return how many points of a shell have another class than the predicted one."""
    return sum(shares.counts) - shares.counts[predicted]


def _nearest(query: Query, shells: Sequence[Shares], engine: str) -> Witness | None:
    """Return a point of another class in the nearest shell that has one."""
    predicted = query.network(query.region.center)
    for shares in shells:
        if _others(shares, predicted):
            shell = Query(query.network, query.region.shell(shares.distance), Leaves(predicted))
            return attack(shell, engine=engine).finding.witness
    return None


def _within(query: Query, shells: Sequence[Shares], task: Task) -> tuple[Within, ...]:
    """Return the counts within every radius, with the heat where there are few points."""
    heat = _heat(query, shells) if query.region.size <= FEW else {}
    return tuple(replace(_counted(query, shells, radius), heat=heat.get(radius)) for radius in task.radii)


def _counted(query: Query, shells: Sequence[Shares], radius: int) -> Within:
    """Return the counts within a radius, from the shells that are finished."""
    network, ball = query.network, query.region.shell(0, radius)
    predicted = network(ball.center)
    inner = shells[: radius + 1]
    tally = Tally.partial(ball.size, [sum(column) for column in zip(*(s.counts for s in inner), strict=True)])
    others = set(range(network.classes)) - {predicted}
    outermost = Count.exactly(_others(inner[radius], predicted)) if radius < len(inner) else None
    return Within(tally.of(others), tally.sharpened().counts, outermost)


def _heat(query: Query, shells: Sequence[Shares]) -> dict[int, tuple[int, ...]]:
    """Return for each radius how many adversarial points flip each position, by classifying every point with the network.

    Raises Disagreement where the numbers of the shells differ.
    """
    network, ball = query.network, query.region
    predicted, total, heat = network(ball.center), np.zeros(ball.n, dtype=np.int64), {}
    for shares in shells:
        found = 0
        for points in ball.shell(shares.distance).points():
            adversarial = points[network(points) != predicted]
            total += (adversarial != ball.center).sum(axis=0, dtype=np.int64)
            found += len(adversarial)
        if found != _others(shares, predicted):
            raise Disagreement(
                f"distance {shares.distance}: one by one, {found} points leave class {predicted}; counted: {shares}"
            )
        heat[shares.distance] = tuple(total.tolist())
    return heat


def _latent(codes: Latents, radius: int) -> Latent | None:
    """Return the latent measures of the points within radius; None where not all of them were counted."""
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
