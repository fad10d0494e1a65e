"""A short attack in front of any engine: most questions about trained networks end here (docs/cnf.md, "Attack first").

An engine that is asked for by name does not get it in front, so that engines can be compared.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from bnnverify.problem.budget import Budget
from bnnverify.problem.events.becomes import Becomes
from bnnverify.queries.attacks.local_search import local_search
from bnnverify.queries.planning.posed import Posed
from bnnverify.results.finding import Witness

ATTACK = "attack"  # the name of what answers where the short attack finds a point
METHODS = (("gradient", 500), ("beam", 20_000))  # what is tried, and how many inputs it may put to the network
SHARE = 16  # of the region's points, the most that are put to the network one by one
WORK = 2**31  # the most inputs times weights that an attack may cost: a second or two
FEW = 2**12  # points up to which looking at each is as quick as an attack


def is_worthwhile(posed: Posed) -> bool:
    """Return whether an attack may save work: the region is large and has its centre.

    Who asks shell by shell already knows that there is nothing nearer, and most shells are empty.
    """
    return posed.question.region.size_bound > FEW and not posed.query.region.inner


def short_attack(posed: Posed, budget: Budget, seed: int = 0) -> Witness | None:
    """Return a point where the event happens, if a short attack on what presolve leaves finds one. seed: of ties and restarts."""
    question = posed.question
    weights = sum(block.matrix.size for block in question.network.blocks) + 1
    start, event = np.zeros(question.region.n, dtype=np.uint8), Becomes(*sorted(question.targets))
    for method, evaluations in METHODS:
        if budget.spent:
            break
        most = max(100, min(evaluations, WORK // weights, question.region.size_bound // SHARE))
        limits: dict[str, Any] = {"largest": question.region.outer, "evaluations": most, "seed": seed, "budget": budget}
        search = partial(local_search, question.network, start, event=event, constraints=question.region.constraints)
        attempt = search(method=method, **limits)
        if attempt.witness is not None:
            return posed.witness(np.array(attempt.witness.bits, dtype=np.uint8))
    return None
