"""A question is presolved once, whichever engine answers it, in whichever process; parts of its region are other questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from bnnverify import (
    Becomes,
    Budget,
    CodeFlips,
    Cost,
    EachClass,
    HammingBall,
    Leaves,
    Network,
    Query,
    Region,
    Shell,
    attack,
    certify,
    count,
    distance,
    marginals,
    tolerance,
    witnesses,
)
from bnnverify.encoders.presolve import presolve as room
from bnnverify.queries.execution.pool import Pool
from bnnverify.queries.execution.thread_pool import threads
from bnnverify.queries.planning import session as sessions
from bnnverify.queries.planning.portfolio import Portfolio
from bnnverify.queries.planning.posed import Posed
from bnnverify.queries.planning.session import Session
from bnnverify.queries.verbs import certify as certifying
from bnnverify.queries.verbs import distance as distances
from tests.support.random_networks import random_network
from tests.support.requirements import COUNTING_ENGINES, EVERY_ENGINE, OWN

NETWORK = random_network(3, 14, widths=(9, 7))
CENTER = np.zeros(14, dtype=np.uint8)
BALL, SHELL = HammingBall(CENTER, 4), Shell(CENTER, 2, 5, free=range(12))


@dataclass
class Presolves:
    """The networks and regions that were presolved, in order, and those that were left of them."""

    pairs: list[tuple[Network, Region]] = field(default_factory=list)
    left: list[tuple[Network, Region]] = field(default_factory=list)

    def of(self, network: Network) -> int:
        """Return how often this very network was presolved."""
        return sum(each is network for each, _ in self.pairs)

    def again(self) -> list[tuple[Network, Region]]:
        """Return what was presolved a second time: the very same, or what an earlier time had left of it."""
        earlier = [*self.left, *self.pairs]
        same = lambda pair, other: pair[0] is other[0] and pair[1].sha256 == other[1].sha256  # noqa: E731
        return [pair for pair in self.pairs if sum(same(pair, other) for other in earlier) > 1]


@pytest.fixture
def presolved(monkeypatch: pytest.MonkeyPatch) -> Presolves:
    """Record what is presolved; what else would run in processes runs in threads, where it is recorded too."""
    seen, bounded = Presolves(), room.bounded

    def recorded(network: Network, region: Region, budget: Budget = room.NO_LIMIT) -> room.Presolved:
        seen.pairs.append((network, region))
        left = bounded(network, region, budget)
        seen.left.append((left.network, left.region))
        return left

    def beside(workers: int, *, collects: bool = True) -> Pool:  # noqa: ARG001 - as `processes` is called
        return threads(workers)

    monkeypatch.setattr(room, "bounded", recorded)
    monkeypatch.setattr(sessions, "processes", beside)
    monkeypatch.setattr(certifying, "processes", beside)
    return seen


def checked(presolved: Presolves, query: Query, times: int = 1) -> None:
    assert presolved.of(query.decider) == times
    assert not presolved.again()


@pytest.mark.parametrize("region", [BALL, SHELL], ids=["ball", "shell"])
@pytest.mark.parametrize("event", [EachClass(), Leaves(NETWORK(CENTER)), CodeFlips(1, 3)], ids=str)
@pytest.mark.parametrize("engine", COUNTING_ENGINES)
def test_a_count(engine: str, event: EachClass, region: Region, presolved: Presolves) -> None:
    query = Query(NETWORK, region, event)
    assert count(query, engine=engine).exact
    checked(presolved, query)


@pytest.mark.parametrize("region", [BALL, SHELL], ids=["ball", "shell"])
@pytest.mark.parametrize("event", [Becomes(2), Leaves(NETWORK(CENTER)), CodeFlips(1, 3)], ids=str)
@pytest.mark.parametrize("engine", [*EVERY_ENGINE, *(name for name in OWN if ":" in name)])
def test_an_attack(engine: str, event: Becomes, region: Region, presolved: Presolves) -> None:
    query = Query(NETWORK, region, event)
    assert attack(query, engine=engine).finding.happens is not None
    checked(presolved, query)


@pytest.mark.parametrize("counting", [True, False])
def test_a_portfolio(counting: bool, presolved: Presolves) -> None:
    query = Query(NETWORK, BALL, Becomes(2))
    with threads(3) as pool:
        posed = Posed.of(query, Budget())
        portfolio = Portfolio(pool, ("bits", "bdd", "sat"), 1)
        if counting:
            portfolio.count(posed.question, Budget())
        else:
            portfolio.find(posed.question, Budget())
    checked(presolved, query)


def test_what_auto_races(presolved: Presolves, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan of a portfolio, with the short attack in front: it works on what presolve left as well."""
    monkeypatch.setattr(sessions, "slowness", lambda: 1e9)
    monkeypatch.setattr(sessions, "is_worthwhile", lambda _: True)
    query = Query(NETWORK, SHELL, Becomes(2))
    with Session(jobs=2) as session:
        assert len(session.plan(session.pose(query, Budget()), counting=False).engines) == 2
        presolved.pairs.clear()
        session.find(query, Budget())
    checked(presolved, query)


@pytest.mark.parametrize("engine", COUNTING_ENGINES)
@pytest.mark.parametrize("counting", [True, False, None])
@pytest.mark.parametrize("jobs", [1, 2])
def test_certify_presolves_once_per_row(jobs: int, counting: bool | None, engine: str, presolved: Presolves) -> None:
    samples = np.random.default_rng(0).integers(0, 2, (5, 14))
    assert len(certify(NETWORK, samples, radius=3, engine=engine, counting=counting, jobs=jobs).rows) == 5
    assert presolved.of(NETWORK) == 5
    assert not presolved.again()


@pytest.mark.parametrize("engine", EVERY_ENGINE)
@pytest.mark.parametrize("attacked", [False, True])
@pytest.mark.parametrize("cost", [None, Cost(np.arange(14) % 3 + 1, np.ones(14, dtype=bool))], ids=["flips", "costs"])
def test_distance_presolves_once_per_region(
    cost: Cost | None, attacked: bool, engine: str, presolved: Presolves, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once in all: steps that begin anew, for an attack or a witness came between, do not ask again what is known."""
    monkeypatch.setattr(distances, "QUICK", -1.0 if attacked else 1e9)
    known = distance(NETWORK, CENTER, event=Becomes(2), cost=cost, largest=6, engine=engine)
    assert known.exact
    assert presolved.pairs
    assert not presolved.again()


ASKED: dict[str, Callable[[], object]] = {
    "marginals": lambda: marginals(Query(NETWORK, SHELL, Becomes(2))),
    "witnesses": lambda: witnesses(Query(NETWORK, SHELL, Becomes(2))),
    "tolerance": lambda: tolerance(NETWORK, CENTER, share=Fraction(1, 10)),
    "tolerance of a ball": lambda: tolerance(NETWORK, CENTER, share=Fraction(1, 10), largest=4),
}


@pytest.mark.parametrize("name", ASKED)
def test_verbs_that_ask_many_questions(name: str, presolved: Presolves) -> None:
    ASKED[name]()
    assert presolved.of(NETWORK) >= 1
    assert not presolved.again()


def test_a_resumed_count_of_one_piece(tmp_path: Path, presolved: Presolves) -> None:
    query = Query(NETWORK, BALL, Leaves(NETWORK(CENTER)))
    for expected in (1, 1):  # the second time, to learn the size of the pieces
        presolved.pairs.clear()
        assert count(query, resume=tmp_path / "count").exact
        checked(presolved, query, expected)
