"""Which latent codes do the points of a region have, and how often? And which one do the samples of each class have?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from bnnverify.data.samples import Samples
from bnnverify.encoders.enumeration.enumeration import Enumeration
from bnnverify.encoders.presolve.presolve import presolve
from bnnverify.errors import BadQuery
from bnnverify.model.arrays import Bits, Indices
from bnnverify.model.latent_code import WIDEST, bits_of, integers_of
from bnnverify.model.network import Network
from bnnverify.problem.budget import INTERRUPTED, Budget, OutOfBudget
from bnnverify.problem.region import Region
from bnnverify.results.codes import ClassCodes, Codes


def codes(network: Network, region: Region, cut: int, *, budget: Budget | None = None) -> Codes:
    """Return how many points of the region have each code, the bits after the first `cut` blocks of the network.

    By looking at every point, as the bits engine does. When the budget is spent, the codes met so far.
    """
    budget = (budget or Budget()).start()
    counts: Counter[int] = Counter()
    reason = budget.reason
    try:
        region.sizes(budget)
        if region.constraints:
            found: Iterator[tuple[int | None, Indices, Indices]] = listed(network, region, cut, budget)
        else:
            found = met(coding(network, region, cut, mixed=True, budget=budget), budget)
        for _, numbers, times in found:
            counts.update(dict(zip(numbers.tolist(), times.tolist(), strict=True)))
    except OutOfBudget as out:
        reason = str(out)
    except KeyboardInterrupt:
        reason = INTERRUPTED
    reason = "" if counts.total() == region.known_size else reason
    words = bits_of(list(counts), network.prefix(cut).widths[-1]).tolist()
    return Codes(region.size_bound, {tuple(word): times for word, times in zip(words, counts.values(), strict=True)}, reason)


def coding(network: Network, region: Region, cut: int, *, mixed: bool, budget: Budget) -> Enumeration:
    """Return an enumeration of the region that asks for the bits after the first `cut` blocks; mixed: distances do not matter.

    Raises OutOfBudget when the budget is spent before it is made.
    """
    prefix = latent(network, cut)
    if region.n != network.inputs:
        raise BadQuery(f"region: expected {network.inputs} bits, got {region.n}")
    return Enumeration(presolve(prefix, region, budget), None, mixed=mixed, check=budget.check)


def latent(network: Network, cut: int | None = None) -> Network:
    """Return the network up to its latent code, the bits after the first `cut` blocks (default: all)."""
    if not network.blocks:
        raise BadQuery("codes: expected a network with a block whose bits are the code, got a head alone")
    prefix = network.prefix(len(network.blocks) if cut is None else cut)
    if prefix.widths[-1] > WIDEST:
        raise BadQuery(f"codes: expected a latent of at most {WIDEST} bits, got {prefix.widths[-1]}")
    return prefix


def listed(network: Network, region: Region, cut: int, budget: Budget) -> Iterator[tuple[int, Indices, Indices]]:
    """Do what `met` does, in a region whose constraints leave so few points that each is listed."""
    prefix = latent(network, cut)
    for distance, points in obeying(region, budget):
        yield distance, *np.unique(integers_of(prefix(points)), return_counts=True)


def obeying(region: Region, budget: Budget) -> Iterator[tuple[int, Bits]]:
    """Yield the points of a region under constraints, those of one distance together, until the budget is spent."""
    for points in region.points():
        if budget.spent:
            return
        away = region.distance(points)
        yield from ((d, points[away == d]) for d in np.unique(away).tolist())


def met(task: Enumeration, budget: Budget) -> Iterator[tuple[int | None, Indices, Indices]]:
    """Yield codes that occur and how often, with their distance (None: mixed), nearest first, until the budget is spent."""
    for runs in task.parts():
        for numbers, times in task.codes(runs):
            if budget.spent:
                return
            yield runs.distance, numbers, times


def class_codes(network: Network, samples: Samples, *, cut: int | None = None) -> ClassCodes:
    """Return the most frequent code of each class over samples: of their labels where they have any, else of their answers."""
    prefix = latent(network, cut)
    points = network.check(samples.bits)
    labels = network(points) if samples.labels is None else np.asarray(samples.labels)
    numbers = integers_of(prefix(points))
    if len(labels) and not 0 <= labels.min() <= labels.max() < network.classes:
        raise BadQuery(f"labels: expected classes 0..{network.classes - 1}, got {labels.min()}..{labels.max()}")
    found: list[int | None] = []
    times = []
    for label in range(network.classes):
        codes, counts = np.unique(numbers[labels == label], return_counts=True)
        found.append(int(codes[np.argmax(counts)]) if len(codes) else None)
        times.append((int(counts.max(initial=0)), int(counts.sum())))
    return ClassCodes(prefix.widths[-1], tuple(found), tuple(times))
