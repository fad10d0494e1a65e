"""What happens to the latent code, and through it to the class, everywhere around an input? One enumeration answers it all."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from bnnverify.encoders.enumeration.enumeration import Enumeration
from bnnverify.encoders.enumeration.layout import Runs
from bnnverify.errors import BadQuery, Disagreement
from bnnverify.model.arrays import Bits, Indices
from bnnverify.model.latent_code import bits_of, integers_of
from bnnverify.model.network import Network
from bnnverify.model.threshold import Threshold
from bnnverify.problem.ball import HammingBall
from bnnverify.problem.budget import INTERRUPTED, Budget, OutOfBudget
from bnnverify.problem.constrained import Constrained
from bnnverify.problem.events.leaves import Leaves
from bnnverify.problem.query import Query
from bnnverify.problem.region import Region
from bnnverify.queries.verbs.latent.codes import coding, latent, listed, met
from bnnverify.queries.verbs.latent.tail_margin import tail_margin
from bnnverify.results.finding import Witness, confirmed
from bnnverify.results.latent import CodeShells, Latents

LOOSE = 2**22  # rows that lie about before equal codes are put together
_NONE = np.empty(0, dtype=np.int64)


def latents(
    network: Network,
    center: ArrayLike,
    *,
    radius: int,
    free: ArrayLike | None = None,
    constraints: Sequence[Threshold] = (),
    cut: int | None = None,
    budget: Budget | None = None,
) -> Latents:
    """Return how many points within radius of center (n,) have each latent code, per distance, and what follows from it.

    free: positions that may flip, default all. constraints: what must hold of a point, and does of the centre. cut: the code is
    the bits after so many blocks, default all of them: the last block is the latent layer, or, in a network without one, the end
    of its backbone. When the budget is spent, the answer is about the largest ball that was finished, and says so.
    """
    started = time.monotonic()
    budget = (budget or Budget()).start()
    bits = network.check(center)
    region = around(bits, radius, free, constraints)
    prefix = latent(network, cut)
    tail = network.tail(len(prefix.blocks))
    task, finished, reason = None, list[_Shell](), budget.reason
    try:
        region.sizes(budget)
        task = None if constraints else coding(network, region, len(prefix.blocks), mixed=False, budget=budget)
        found = met(task, budget) if task else listed(network, region, len(prefix.blocks), budget)
        finished, interrupted = _finished(found, region)
        reason = INTERRUPTED if interrupted else budget.reason
    except OutOfBudget as out:
        reason = str(out)
    shells = _shelled(prefix, tail, region, finished or [_Shell.of(prefix(bits))])
    margin, sharp = tail_margin(tail, prefix(bits), budget=budget)
    return Latents(
        shells=shells,
        requested=region.outer,
        margin=margin,
        margin_exact=sharp,
        witness=_nearest(task, network, region, shells),
        seconds=time.monotonic() - started,
        reason="" if shells.radius == region.outer else reason,
    )


def around(center: Bits, radius: int, free: ArrayLike | None, constraints: Sequence[Threshold]) -> Region:
    """Return the points within radius that obey the constraints; BadQuery where the centre does not."""
    ball = HammingBall(center, radius, free=free)
    region: Region = Constrained(ball, constraints) if constraints else ball
    if center not in region:
        raise BadQuery("latents: expected a centre that obeys the constraints, got one that does not")
    return region


def _finished(found: Iterator[tuple[int | None, Indices, Indices]], region: Region) -> tuple[list[_Shell], bool]:
    """Return the codes of each shell, nearest first, as far as all of its points are in, and whether Ctrl-C ended it."""
    shells = [_Shell() for _ in range(region.outer + 1)]
    interrupted = False
    try:
        for distance, codes, counts in found:
            if distance is None:
                raise Disagreement("codes: expected points of one distance together, met a mixture")
            shells[distance].add(codes, counts)
    except KeyboardInterrupt:
        interrupted = True
    complete = [shell.size == size for shell, size in zip(shells, region.sizes(), strict=True)]
    return shells[: complete.index(False)] if False in complete else shells, interrupted


class _Shell:
    """Codes at one distance and how often they occur, gathered now and then."""

    def __init__(self) -> None:
        self._codes, self._counts, self.size, self._loose = [_NONE], [_NONE], 0, 0

    @classmethod
    def of(cls, code: Bits) -> _Shell:
        """Return the shell of one point."""
        shell = cls()
        shell.add(integers_of(code[None]), np.ones(1, dtype=np.int64))
        return shell

    def add(self, codes: Indices, counts: Indices) -> None:
        self._codes.append(codes)
        self._counts.append(counts)
        self.size += int(counts.sum())
        self._loose += len(codes)
        if self._loose > LOOSE:
            codes, counts = self.gathered()
            self._codes, self._counts, self._loose = [codes], [counts], 0

    def gathered(self) -> tuple[Indices, Indices]:
        """Return the codes, ascending, and how often each occurs."""
        codes, counts = np.concatenate(self._codes), np.concatenate(self._counts)
        if not len(codes):
            return codes, counts
        order = np.argsort(codes, kind="stable")
        codes, counts = codes[order], counts[order]
        first = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
        return codes[first], np.add.reduceat(counts, first)


def _shelled(prefix: Network, tail: Network, region: Region, shells: list[_Shell]) -> CodeShells:
    rows = [shell.gathered() for shell in shells]
    distances = np.repeat(np.arange(len(rows)), [len(codes) for codes, _ in rows])
    codes, counts = (np.concatenate(column) for column in zip(*rows, strict=True))
    different, place = np.unique(codes, return_inverse=True)
    labels = np.asarray(tail(bits_of(different, prefix.widths[-1])), dtype=np.int64)[place.ravel()]
    sizes = (1,) if len(shells) == 1 else region.sizes()[: len(shells)]  # the centre alone, though nobody has counted the others
    return CodeShells(prefix.widths[-1], sizes, tail.classes, distances, codes, labels, counts)


def _nearest(task: Enumeration | None, network: Network, region: Region, shells: CodeShells) -> Witness | None:
    """Return a point of another class at the smallest distance where there is one, replayed."""
    if shells.distance is None:
        return None
    query = Query(network, region, Leaves(shells.predicted))
    if task is None:
        points = np.concatenate(list(region.shell(shells.distance).points()))
        return confirmed(query, points[np.flatnonzero(query.happens(points))[0]])
    wanted = shells.codes[(shells.distances == shells.distance) & (shells.labels != shells.predicted)]
    for runs in task.parts():
        if runs.distance == shells.distance:
            for part, bits in task.bits(runs):
                hits = np.flatnonzero(np.isin(integers_of(bits.T), wanted))
                if len(hits):
                    point = region.center.copy()
                    point[region.positions] ^= _flips(task, runs[part], int(hits[0]))
                    return confirmed(query, point)
    raise Disagreement(f"latents: expected another class at distance {shells.distance}, found none there")


def _flips(task: Enumeration, runs: Runs, place: int) -> Bits:
    """Return the flips of the point at this place among those of the runs."""
    ends = np.cumsum(runs.stops - runs.starts)
    run = int(np.searchsorted(ends, place, side="right"))
    return task.first_layer.flips(runs.prefixes[run], int(runs.stops[run] - (ends[run] - place)))
