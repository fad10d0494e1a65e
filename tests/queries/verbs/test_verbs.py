"""count, attack, distance: what they return and refuse, and why an engine is chosen."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from bnnverify import (
    BadQuery,
    Becomes,
    Disagreement,
    Distance,
    EachClass,
    Everything,
    HammingBall,
    Leaves,
    Query,
    Shell,
    Tally,
    Verdict,
    attack,
    count,
    distance,
)
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines.registry import choices
from bnnverify.queries.planning.session import Counted
from bnnverify.queries.verbs.count import result_of
from tests.support.enumerated import planned
from tests.support.requirements import COUNTING_ENGINES, EVERY_ENGINE
from tests.support.zoo import NETWORK, SAMPLES, ZOO, majority


@pytest.mark.parametrize("engine", COUNTING_ENGINES)
@pytest.mark.parametrize("case", ZOO, ids=lambda case: case.name)
def test_count(case: Any, engine: str) -> None:
    if engine != "auto" and case not in ZOO[:4]:
        pytest.skip("the engines are tested elsewhere; here the way through the child")
    result = count(case.query, engine=engine)
    assert result.exact
    assert tuple(k.low for k in result.counts) == case.counts
    predicted = case.network(case.region.center)
    assert result.adversarial.low == case.region.size - case.counts[predicted]
    assert result.low == result.high == result.adversarial.low
    assert result.density == Fraction(result.low, case.region.size)
    data = json.loads(json.dumps(result.to_json()))
    assert data["counts"] == {"low": list(case.counts), "high": list(case.counts)}
    assert data["exact"] is True
    assert data["region"]["size"] == case.region.size


def test_questions_that_make_no_sense() -> None:
    ball = HammingBall(SAMPLES.bits[2], np.int64(2))
    assert json.dumps(count(Query(NETWORK, ball, Leaves(np.int64(0)))).to_json())
    assert json.dumps(distance(NETWORK, SAMPLES.bits[0], largest=np.int64(2)).to_json())
    with pytest.raises(BadQuery, match=r"class must be a whole number, got \[1, 2\]"):
        Becomes([1, 2])  # type: ignore[arg-type]
    with pytest.raises(BadQuery, match="event: expected Leaves"):
        Query(NETWORK, ball, "leaves")  # type: ignore[arg-type]
    with pytest.raises(BadQuery, match=r"radius must be a whole number, got 1\.5"):
        distance(NETWORK, SAMPLES.bits[0], largest=1.5)  # type: ignore[arg-type]


def test_events() -> None:
    region = HammingBall(SAMPLES.bits[2], 2)
    assert count(Query(NETWORK, region, Leaves(0))).low == 15
    assert count(Query(NETWORK, region, Leaves(1))).low == region.size - 15
    assert count(Query(NETWORK, region, Becomes(0, 1))).low == region.size
    with pytest.raises(BadQuery, match="class must be between 0 and 1, got 2"):
        Query(NETWORK, region, Becomes(2))
    with pytest.raises(BadQuery, match="at least one class"):
        Becomes()
    with pytest.raises(BadQuery, match="expected 9 bits, got 8"):
        Query(NETWORK, Everything(8), EachClass())


def test_unknown_engine() -> None:
    names = ", ".join(choices())
    with pytest.raises(BadQuery, match=f"one of {names}, got 'magic'"):
        count(ZOO[0].query, engine="magic")


def test_a_tally_that_contradicts_the_network_is_no_result() -> None:
    query = Query(NETWORK, HammingBall(SAMPLES.bits[0], 1), EachClass())
    with pytest.raises(Disagreement, match="centre is of class 0"):
        result_of(query, Counted(Tally.partial(10, [0, 10]), ("wrong",)), 0.0)
    with pytest.raises(Disagreement, match="tally of 10 points"):
        result_of(query, Counted(Tally.partial(9, [9, 0]), ("wrong",)), 0.0)


@pytest.mark.parametrize("engine", EVERY_ENGINE)
def test_attack(engine: str) -> None:
    found = attack(Query(NETWORK, HammingBall(SAMPLES.bits[3], 2), Leaves(0)), engine=engine)
    assert found.finding.verdict is Verdict.VULNERABLE
    witness = found.finding.witness
    assert witness is not None
    assert NETWORK(witness.bits) == witness.label == 1
    assert witness.distance <= 2
    assert json.dumps(found.to_json())
    assert attack(Query(NETWORK, HammingBall(SAMPLES.bits[1], 2), Leaves(0)), engine=engine).finding.verdict is Verdict.ROBUST


@pytest.mark.parametrize("engine", EVERY_ENGINE)
def test_distance(engine: str) -> None:
    for bits, want in zip(SAMPLES.bits, (5, 3, 2, 1, 1, 5), strict=True):
        result = distance(NETWORK, bits, engine=engine)
        assert result.exact
        assert (result.low, result.high) == (want, want)
        assert result.witness is not None
        assert result.witness.distance == want
        assert NETWORK(result.witness.bits) != NETWORK(bits)
    near = distance(NETWORK, SAMPLES.bits[0], largest=3, engine=engine)
    assert (near.low, near.high, near.exact, near.witness) == (4, None, True, None)
    held = distance(NETWORK, SAMPLES.bits[0], free=[0, 1, 2, 3], engine=engine)
    assert (held.low, held.high, held.exact) == (5, None, True)
    assert distance(NETWORK, SAMPLES.bits[0], event=Becomes(0), engine=engine).low == 0


def test_distance_reports_and_stops() -> None:
    reports: list[Distance] = []
    distance(NETWORK, SAMPLES.bits[1], progress=reports.append)
    assert [known.low for known in reports] == sorted(known.low for known in reports)
    assert all(known.searched == 9 and not known.exact for known in reports)
    wide = majority(81)
    nearly = np.arange(81) < 39  # two more ones are needed; the region alone decides distances 0 and 1
    stopped = distance(wide, nearly.astype(int), engine="sat", budget=Budget(seconds=0.0))
    assert not stopped.exact
    assert stopped.low == 2
    assert stopped.high is None
    assert [(part.first, part.last) for part in stopped.proved] == [(1, 1)]
    assert stopped.reason.startswith("stopped after")
    with pytest.raises(BadQuery, match="radius must be between 0 and 9, got 10"):
        distance(NETWORK, SAMPLES.bits[0], largest=10)


def test_auto_gives_its_reason() -> None:
    small = planned(ZOO[0].query, counting=True)
    assert small.engines == ("bits",)
    assert str(small).startswith("bits: 512 points")
    network = majority(81)
    wide = Query(network, Everything(81), EachClass())
    assert planned(wide, counting=True).engines == ("bdd",)
    middle = Query(network, HammingBall(np.zeros(81), 60, free=np.arange(81) < 60), EachClass())
    assert planned(middle, counting=True).engines == planned(wide, counting=True).engines == ("bdd",)
    assert planned(wide, counting=False).engines == ("codes",), "one neuron has two codes"
    enormous = majority(2000)
    assert planned(Query(enormous, Everything(2000), EachClass()), counting=True).engines == ("bdd",)
    assert planned(Query(network, Shell(np.zeros(81), 40), EachClass()), "sat", counting=False).reason == "asked for"
