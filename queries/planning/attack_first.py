"""What costs little comes first: what the region decides, then a short walk downhill; only what is left goes to an engine.

Most questions about trained networks end here (docs/cnf.md, "Cheap first"). An engine that is asked for by name does not get this
in front of it, so that engines can be compared.
"""

from __future__ import annotations

import numpy as np

from bnnverify.encoders.presolve.presolve import Presolved, presolve
from bnnverify.problem.budget import Budget
from bnnverify.problem.event import Becomes
from bnnverify.problem.query import Query
from bnnverify.queries.attacks.local_search import local_search
from bnnverify.queries.engines.base import Engine
from bnnverify.results.counts import Tally
from bnnverify.results.finding import Finding, Witness, confirmed
from bnnverify.results.progress import Report, silent

WAYS = (("gradient", 500), ("beam", 20_000))  # what is tried, and how many inputs it may put to the network
SHARE = 16  # of the region's points, the most that are put to the network one by one
WORK = 2**31  # the most inputs times weights that an attack may cost: a second or two


class AttackFirst:
    """An Engine with an attack in front of its `find`. name: who answered last: "presolve", "attack" or the engine.

    seed: of the attack's ties and restarts. Regions without their centre are not attacked: whoever asks shell by shell already
    knows that there is nothing nearer, and most shells are empty.
    """

    def __init__(self, engine: Engine, seed: int = 0) -> None:
        self._engine, self._seed = engine, seed
        self.name, self.ability = engine.name, engine.ability

    def find(self, query: Query, budget: Budget) -> Finding:
        """Return whether query.event happens in query.region, with a replayed witness if it does."""
        solved = presolve(query.network, query.region)
        if not query.targets.intersection(solved.classes):
            self.name = "presolve"
            return Finding(False)
        witness = None if query.region.inner or budget.spent else attacked(query, solved, self._seed)
        if witness is not None:
            self.name = "attack"
            return Finding(True, witness)
        finding = self._engine.find(query, budget)
        self.name = self._engine.name
        return finding

    def count(self, query: Query, budget: Budget, report: Report = silent) -> Tally:
        tally = self._engine.count(query, budget, report)
        self.name = self._engine.name
        return tally

    def close(self) -> None:
        self._engine.close()


def attacked(query: Query, solved: Presolved, seed: int = 0) -> Witness | None:
    """Return a point of query.region, a ball, where the event happens, if a short attack finds one; no flip of it can be spared.

    The attack runs on what presolve leaves of the network, which is a fraction of it.
    """
    numbers = [k for k, label in enumerate(solved.classes) if label in query.targets]
    weights = sum(block.matrix.size for block in solved.network.blocks) + 1
    start = np.zeros(solved.region.n, dtype=np.uint8)
    event, largest = Becomes(*numbers), solved.region.outer
    for way, evaluations in WAYS:
        most = max(100, min(evaluations, WORK // weights, query.region.size // SHARE))
        attempt = local_search(solved.network, start, method=way, event=event, largest=largest, evaluations=most, seed=seed)
        if attempt.witness is not None:
            return confirmed(query, solved.points(np.array(attempt.witness.bits, dtype=np.uint8)))
    return None
