"""Networks, regions and questions that hypothesis draws: small enough to enumerate, usual ones and ones at the limits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from hypothesis import strategies as st

from bnnverify import Ball, Becomes, Block, Constrained, EachClass, Head, Leaves, Network, Query, Region
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.threshold import Threshold
from bnnverify.problem.constraints import Thresholds, at_least, at_most, exactly, one_hot, ordered, weighted
from bnnverify.problem.events.base import Event

INPUTS = (0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 8, 8, 9, 9, 9)  # most questions about few bits are decided before any engine starts
DEPTHS, WIDTHS = (0, 1, 1, 2, 2, 3, 4), (1, 2, 3, 4, 5, 6, 6, 7, 7)
KINDS = ([-1, 1], [-1, 0, 1], [-3, -2, 0, 1, 5])  # of weights
HUGE = (2**40, 2**40 + 1, 2**56, 2**57)  # factors of weights, whose sums stay below 2^62
FAR = 2**61  # a bound that no sum or every sum reaches


@st.composite
def networks(draw: st.DrawFn, n: int) -> Network:
    """Draw networks with 0-4 blocks: ±1, ternary or small whole weights, bounds near the middle, ties on purpose.

    Every other one has something unusual: no neurons, rows twice or with the opposite sign, huge weights, bounds far off.
    """
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values, odd = draw(st.sampled_from(KINDS)), draw(st.booleans())
    blocks, width = [], n
    for _ in range(draw(st.sampled_from(DEPTHS))):
        outputs = draw(st.sampled_from([0, *WIDTHS] if odd else WIDTHS))
        weights = _doubled(random, random.choice(values, (outputs, width))) if odd else random.choice(values, (outputs, width))
        bounds = np.minimum(weights, 0).sum(1) // 2 + np.maximum(weights, 0).sum(1) // 2 + random.integers(-1, 3, outputs)
        blocks.append(_stretched(random, weights, bounds) if odd else Block(weights, bounds))
        width = outputs
    classes = draw(st.sampled_from([1, 2, 2, 3, 3, 4, 5]))
    offsets = draw(st.sampled_from([[0], [0], [-1, 0, 1], [-1, 0, 1], [-(2**40), 0, 2**40]]))
    weights = random.choice(values, (classes, width))
    weights = _doubled(random, weights) * int(random.choice([1, 2**40])) if odd else weights
    return Network(tuple(blocks), Head(weights, random.choice(offsets, classes), random.permutation(classes)))


def _doubled(random: np.random.Generator, rows: Integers) -> Integers:
    """Return the rows, some of them replaced by another one, or by its opposite."""
    others = random.integers(0, max(1, len(rows)), len(rows))
    signs = random.choice([-1, 1], (len(rows), 1))
    return np.where(random.random((len(rows), 1)) < 0.4, signs * rows[others], rows)


def _stretched(random: np.random.Generator, weights: Integers, bounds: Integers) -> Block:
    """Return a block in which some rows are multiplied by a huge factor, and some bounds are far off or one beside."""
    factors = random.choice([1, 1, *(HUGE[:3] if np.abs(weights).max(initial=0) > 3 else HUGE)], len(weights))
    far = random.choice([-FAR, FAR], len(weights))
    bounds = np.where(random.random(len(weights)) < 0.15, far, bounds * factors + random.integers(-1, 2, len(weights)))
    return Block(weights * factors[:, None], bounds)


@st.composite
def regions(draw: st.DrawFn, n: int) -> Region:
    """Draw balls and shells around any centre; one in eight has no free position."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    free = random.random(n) < draw(st.sampled_from([0, 0.5, 0.8, 1, 1, 1, 1, 1]))
    outer = int(random.integers(0, free.sum() + 1))
    inner = int(random.integers(0, outer + 1)) if draw(st.booleans()) else 0
    return Ball(random.integers(0, 2, n), free, inner, outer)


def thresholds(seed: int, n: int) -> list[Threshold]:
    """Return 0 to 4 random constraints over n bits: groups, cardinalities, chains, weights, huge ones, ties at bounds."""
    random, found = np.random.default_rng(seed), list[Threshold]()
    for _ in range(random.integers(0, 5)):
        spots = random.permutation(n)[: random.integers(0, n + 1)].tolist()
        k = int(random.integers(0, len(spots) + 1))
        weights = random.integers(-4, 5, len(spots)) * int(random.choice([1, 1, 2**50]))
        reached = int(weights @ random.integers(0, 2, len(spots)))
        kinds: list[Thresholds] = [one_hot(spots), at_most(k, spots), at_least(k, spots), exactly(k, spots), ordered(spots)]
        kinds += [(weighted(dict(zip(spots, weights.tolist(), strict=True)), reached + int(random.integers(-1, 2))),)] * 3
        found += kinds[random.integers(len(kinds))]
    return found


@st.composite
def constrained_regions(draw: st.DrawFn, n: int) -> Constrained:
    """Draw balls and shells under 0 to 4 constraints; every other one has groups of which one bit is 1, at the centre too."""
    ball, random = draw(regions(n)), np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):
        return Constrained(ball, thresholds(int(random.integers(2**32)), n))
    center, groups = ball.center.copy(), np.array_split(random.permutation(n), int(random.integers(1, 4)))
    for group in groups:
        center[group[:-1]], center[group[-1:]] = 0, 1
    kinds = [one_hot, one_hot, partial(at_most, 1), partial(at_least, 1)]
    rows = [row for group in groups for row in kinds[random.integers(4)](group.tolist())]
    return Constrained(Ball(center, ball.free, ball.inner, ball.outer), rows)


@st.composite
def queries(draw: st.DrawFn, regions: Callable[[int], st.SearchStrategy[Region]] = regions) -> Query:
    """Draw questions about 0-9 bits: counts per class, leaving a class, or becoming one of several."""
    n = draw(st.sampled_from(INPUTS))
    network, region = draw(networks(n)), draw(regions(n))
    labels = st.integers(0, network.classes - 1)
    events: list[st.SearchStrategy[Event]] = [
        st.just(EachClass()),
        st.builds(Leaves, labels),
        st.lists(labels, min_size=1).map(lambda chosen: Becomes(*chosen)),
    ]
    return Query(network, region, draw(st.one_of(events)))


@st.composite
def latent_questions(draw: st.DrawFn) -> tuple[Network, Bits, int, list[int]]:
    """Draw questions about latent codes: network, centre, radius and free positions."""
    n = draw(st.integers(1, 9))
    network = draw(networks(n).filter(lambda network: bool(network.blocks)))
    center = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)), dtype=np.uint8)
    free = sorted(draw(st.sets(st.integers(0, n - 1)))) if draw(st.booleans()) else list(range(n))
    return network, center, draw(st.integers(0, len(free))), free
