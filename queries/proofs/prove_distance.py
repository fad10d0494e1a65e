"""A distance in flips with a proof: nothing nearer changes the answer, and the witness does. Others can check both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from bnnverify.data.samples import Sample
from bnnverify.errors import BadQuery, Disagreement
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.model.threshold import Threshold
from bnnverify.problem.ball import HammingBall
from bnnverify.problem.budget import INTERRUPTED, Budget
from bnnverify.problem.constrained import Constrained
from bnnverify.problem.events.leaves import Leaves
from bnnverify.problem.region import Region
from bnnverify.queries.planning.plan import PRESOLVE
from bnnverify.queries.proofs.folder import ProofFolder, unused
from bnnverify.queries.proofs.prove import Claimed, Task, attempted
from bnnverify.results.answers import Distance
from bnnverify.results.certification import Row
from bnnverify.results.counts import Count
from bnnverify.results.finding import Verdict
from bnnverify.results.proofs import Proven


def prove_distance(
    network: Network,
    center: ArrayLike,
    found: Distance,
    *,
    folder: Path,
    free: ArrayLike | None = None,
    constraints: Sequence[Threshold] = (),
    index: int = 0,
    label: int | None = None,
    budget: Budget | None = None,
) -> Proven:
    """Return ROBUST within found.low - 1 flips, with a proof of that and the witness in folder; or UNKNOWN, with the reason.

    center, free, constraints: as in the question that `distance` answered; found: its answer, in flips, about leaving the class
    of the centre. folder: new or empty. index: a number of at least 0 for this input. Ctrl-C gives UNKNOWN.
    """
    bits = network.check(center)
    if index < 0:
        raise BadQuery(f"index: expected a number of at least 0, got {index}")
    if found.norm != "0" or found.event != str(Leaves(network(bits))):
        came = f"{found.event} in norm {found.norm}"
        raise BadQuery(f"proof: expected a distance in flips to leaving class {network(bits)}, got {came}")
    region = Constrained(HammingBall(bits, found.low - 1, free=free), constraints)
    claimed = Claimed(Sample(index, bits, label), _beyond(found, region))
    with ProofFolder(unused(folder), network, region, (index,)) as proofs:
        task = Task(network, region.outer, region.free, region.constraints, budget or Budget(), proofs.drafts)
        started = time.monotonic()
        try:
            ((_, row, files),) = attempted(task, [claimed], 1)
        except KeyboardInterrupt:
            seconds, nothing = time.monotonic() - started, Count(0, region.ball.size)
            row = Row(index, label, network(bits), Verdict.UNKNOWN, nothing, PRESOLVE, seconds, INTERRUPTED)
            files = {}
        if row.verdict is Verdict.VULNERABLE:
            raise Disagreement(f"distance: expected nothing nearer than {found.low}, the proof's solver found a witness there")
        proofs.keep(row, bits, files, (found.low, found.high))
    return Proven(str(folder), region.outer, row.verdict, row.seconds, row.reason)


def _beyond(found: Distance, region: Region) -> Bits | None:
    """Return the bits of the witness, which flips free positions only and obeys the constraints."""
    if found.witness is None:
        return None
    point = np.array(found.witness.bits, dtype=np.uint8)
    if np.any((point != region.center) & ~region.free):
        raise BadQuery("proof: expected a witness that flips free positions only, got another one")
    if not all(row.holds(point) for row in region.constraints):
        raise BadQuery("proof: expected a witness that obeys the constraints, got another one")
    return point
