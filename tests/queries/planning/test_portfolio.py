"""Engines that race: the first answer counts, the others are stopped, and what stopped ones knew is put together."""

from __future__ import annotations

import time
from math import comb

import numpy as np
import pytest

from bnnverify import BadModel, Block, Budget, Count, Disagreement, EachClass, Head, Network, Query, Subcube, Tally, attack, count
from bnnverify.queries.planning.plan import ENGINES, choose
from bnnverify.queries.planning.portfolio import Portfolio, _together
from bnnverify.queries.planning.subprocess_engine import SubprocessEngine
from tests.support.zoo import named

CASE = named("parity, ball")
SLEEPER, CRASHER, COMPLAINER = (f"tests.support.misbehaving:{name}" for name in ("Sleeper", "Crasher", "Complainer"))


@pytest.mark.parametrize("other", [SLEEPER, CRASHER])
def test_the_first_answer_wins_and_nobody_waits_for_the_rest(other: str) -> None:
    race = Portfolio([SubprocessEngine(other), SubprocessEngine(ENGINES["bits"])])
    assert race.name == "sleeper+bits"
    started = time.monotonic()
    for _ in range(2):
        assert tuple(k.low for k in race.count(CASE.query, Budget()).counts) == CASE.counts
        assert race.name == "bits"
        assert race.find(CASE.query, Budget()).happens
    race.close()
    assert time.monotonic() - started < 20


def test_all_stopped_leaves_what_they_know_together() -> None:
    race = Portfolio([SubprocessEngine(SLEEPER), SubprocessEngine(CRASHER)])
    tally = race.count(CASE.query, Budget(seconds=1.0))
    assert tally.counts == (Count(1, 64), Count(0, 63))
    assert "stopped after 1 s" in tally.reason
    assert "ended with status -6" in tally.reason
    finding = race.find(CASE.query, Budget(seconds=0.3))
    assert finding.happens is None
    assert "; " in finding.reason
    race.close()


def test_a_reason_that_all_share_is_said_once() -> None:
    race = Portfolio([SubprocessEngine(SLEEPER), SubprocessEngine(SLEEPER)])
    assert race.find(CASE.query, Budget(seconds=0.3)).reason == "stopped after 0.3 s"
    race.close()


def test_intervals_are_cut_with_each_other() -> None:
    first, second = Tally.seen(10, [4, 1], "a"), Tally(10, (Count(0, 6), Count(4, 10)), "b")
    assert _together([first, second]).counts == (Count(4, 6), Count(4, 6))
    with pytest.raises(Disagreement, match="counts that agree"):
        _together([Tally.seen(10, [9, 0], "a"), Tally.seen(10, [0, 9], "b")])


def test_an_error_of_one_is_an_error_of_the_race() -> None:
    race = Portfolio([SubprocessEngine(COMPLAINER), SubprocessEngine(SLEEPER)])
    with pytest.raises(BadModel, match="expected something else"):
        race.find(CASE.query, Budget())
    race.close()


def test_auto_races_where_enumeration_is_long_but_not_hopeless() -> None:
    """40 free bits, of which the network reads 6: a diagram is done at once, enumeration would take many minutes."""
    reads = Block(np.eye(6, 40, dtype=int), np.ones(6))
    counters = Block(np.ones((200, 6)), np.arange(200) % 6 + 1)
    network = Network((reads, counters), Head([[0] * 200, [1] * 200], [120, 0]))
    query = Query(network, Subcube(np.zeros(40), np.arange(40)), EachClass())
    assert choose(query, counting=True).engine == "bdd+bits"
    result = count(query)
    assert result.engine == "bdd"
    # class 1 needs more than 120 of the 200 counters; of the six kinds 34, 34, 33, 33, 33 and 33 fire from 1, 2, ... ones on
    assert 34 + 34 + 33 <= 120 < 34 + 34 + 33 + 33
    fours = sum(comb(6, ones) for ones in (4, 5, 6))
    assert [k.low for k in result.counts] == [(64 - fours) << 34, fours << 34]
    assert attack(query).finding.happens
