"""What engines begin and end a yes-or-no question with: what presolve or the nearest point decides, and a witness to show."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from bnnverify.encoders.presolve.presolve import Presolved, presolve
from bnnverify.model.arrays import Bits
from bnnverify.problem.query import Query
from bnnverify.results.finding import Finding, confirmed


def opened(query: Query) -> tuple[Presolved, frozenset[int], Finding | None]:
    """Return the presolved question, its numbers of the target classes, and the answer if that is already clear.

    It is where no target is left, or where the point with the fewest flips, the first of the free positions, is one.
    """
    question = presolve(query.network, query.region)
    targets = frozenset(k for k, label in enumerate(question.classes) if label in query.targets)
    if not targets:
        return question, targets, Finding(False)
    nearest = (np.arange(question.region.n) < question.region.inner).astype(np.uint8)
    if question.network(nearest) in targets:
        return question, targets, Finding(True, confirmed(query, question.points(nearest)))
    return question, targets, None


def witnessed(query: Query, question: Presolved, targets: Collection[int], flips: Bits) -> Finding:
    """Return that the event happens at flips, less those it does not need; raises WitnessRejected where it does not."""
    return Finding(True, confirmed(query, question.points(minimal_flips(question, targets, flips))))


def minimal_flips(question: Presolved, targets: Collection[int], flips: Bits) -> Bits:
    """Return what is left of flips, where a target is the answer, when they are taken back one by one until none is to spare."""
    spared = True
    while spared:
        spared = False
        for i in np.flatnonzero(flips).tolist():
            fewer = flips.copy()
            fewer[i] = 0
            if fewer in question.region and question.network(fewer) in targets:
                flips, spared = fewer, True
    return flips
