"""Long counts go on where they were stopped, killed or interrupted."""

from __future__ import annotations

from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import BadInput, EachClass, Everything, HammingBall, Leaves, Query, Region, Shell, count
from bnnverify.problem.budget import Budget
from tests.support.misbehaving import alter, keys, rewrite
from tests.support.requirements import COUNTING_ENGINES
from tests.support.zoo import majority, parity

NETWORK = majority(9)
FOUR_ONES = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0])
REGIONS = [HammingBall(FOUR_ONES, 3), Shell(FOUR_ONES, 2, 4, free=[0, 2, 4, 6, 8]), Everything(9)]


@pytest.mark.parametrize("engine", COUNTING_ENGINES)
@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.kind)
def test_count_by_pieces_is_the_count(engine: str, region: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnnverify.queries.planning.plan.Plan.piece", 5)
    query, path = Query(NETWORK, region, EachClass()), tmp_path / "pieces.sqlite"
    complete, pieces = count(query, engine="bits"), count(query, engine=engine, resume=path)
    assert pieces.counts == complete.counts
    assert pieces.tally.shells in ((), complete.tally.shells)
    stored = keys(path)
    assert len(stored) > 2
    assert alter(path, "DELETE FROM rows WHERE key > '1'") == len(stored) - 2  # as if it was killed after two pieces
    reports: list[int] = []
    again = count(query, engine=engine, resume=path, progress=lambda progress: reports.append(progress.done))
    assert again.counts == complete.counts
    assert reports == sorted(reports)
    assert keys(path) == stored
    with pytest.raises(BadInput, match="expected finished work with model"):
        count(Query(parity(9), region, EachClass()), engine=engine, resume=path)


def test_a_stopped_count_by_pieces_is_an_interval_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnnverify.queries.planning.plan.Plan.piece", 2**20)
    network, path = parity(40), tmp_path / "pieces.sqlite"
    query = Query(network, HammingBall(np.zeros(40), 6), EachClass())
    reports: list[int] = []

    def stop(progress: Any) -> None:
        reports.append(progress.done)
        if len(reports) > 2:
            raise KeyboardInterrupt

    assert count(query, engine="bits", resume=path, progress=stop).reason == "interrupted"
    assert path.exists()
    stopped = count(query, engine="bits", budget=Budget(seconds=0.0), resume=path)
    assert not stopped.exact
    even = sum(comb(40, d) for d in (0, 2, 4, 6))
    assert stopped.counts[0].low <= even <= stopped.counts[0].high
    done = count(query, resume=path)
    assert [k.low for k in done.counts] == [even, query.region.size - even]


def test_a_count_of_another_event_or_region_is_refused(tmp_path: Path) -> None:
    path, region = tmp_path / "pieces.sqlite", HammingBall(FOUR_ONES, 3)
    count(Query(NETWORK, region, EachClass()), resume=path)
    others = (
        (Query(NETWORK, HammingBall(FOUR_ONES, 2), EachClass()), "region"),
        (Query(NETWORK, HammingBall(1 - FOUR_ONES, 3), EachClass()), "place"),
        (Query(NETWORK, region, Leaves(1)), "event"),
    )
    for query, name in others:
        with pytest.raises(BadInput, match=f"expected finished work with {name} "):
            count(query, resume=path)


def exactly(*counts: int) -> list[dict[str, Any]]:
    return [{"low": n, "high": n, "confidence": 1.0} for n in counts]


CONTRADICTIONS: list[dict[str, Any]] = [  # three flips of nine bits around four ones: 130 points
    {"size": 131},
    {"counts": exactly(130)},
    {"counts": exactly(130, 1)},
    {"counts": exactly(64, 65)},
    {"counts": exactly(131, -1)},
    {"counts": exactly(130, 0), "shells": [{"distance": 1, "counts": [9, 1]}]},
    {"counts": exactly(130, 0), "shells": [{"distance": 1, "counts": [10, 0]}]},
    {"counts": exactly(130, 0), "shells": [{"distance": -1, "counts": [1, 0]}]},
    {"counts": exactly(130, 0), "shells": [{"distance": 1, "counts": [9]}]},
    {"counts": exactly(5, 125), "shells": [{"distance": d, "counts": [3, 0]} for d in (1, 2)]},
    {"shells": 7},
    {"counts": None},
]


@pytest.mark.parametrize("changed", CONTRADICTIONS, ids=str)
def test_pieces_that_contradict_are_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    """Though their checksums are right."""
    query, path = Query(NETWORK, HammingBall(FOUR_ONES, 3), EachClass()), tmp_path / "pieces.sqlite"
    count(query, resume=path)
    rewrite(path, lambda _, tally: tally | changed)
    with pytest.raises(BadInput, match=f"resume file {path}: piece 0: expected an answer to this question, got something else"):
        count(query, resume=path)
