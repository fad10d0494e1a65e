"""Long counts go on where they were stopped, killed or interrupted."""

from __future__ import annotations

from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import BadInput, EachClass, Everything, HammingBall, Query, Region, Shell, count
from bnnverify.problem.budget import Budget
from tests.support.requirements import COUNTING_ENGINES
from tests.support.zoo import majority, parity

NETWORK = majority(9)
FOUR_ONES = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0])
REGIONS = [HammingBall(FOUR_ONES, 3), Shell(FOUR_ONES, 2, 4, free=[0, 2, 4, 6, 8]), Everything(9)]


@pytest.mark.parametrize("engine", COUNTING_ENGINES)
@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.kind)
def test_count_by_pieces_is_the_count(engine: str, region: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnnverify.queries.planning.plan.Plan.piece", 5)
    query, path = Query(NETWORK, region, EachClass()), tmp_path / "pieces.jsonl"
    whole, pieces = count(query, engine="bits"), count(query, engine=engine, resume=path)
    assert pieces.counts == whole.counts
    assert pieces.tally.shells in ((), whole.tally.shells)
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) > 3
    path.write_bytes(b"".join(lines[:3]) + lines[3][:7])  # killed in the middle of a line
    heard: list[int] = []
    again = count(query, engine=engine, resume=path, progress=lambda progress: heard.append(progress.done))
    assert again.counts == whole.counts
    assert heard == sorted(heard)
    assert path.read_bytes().splitlines(keepends=True) == lines
    with pytest.raises(BadInput, match="expected an earlier run of count"):
        count(Query(parity(9), region, EachClass()), engine=engine, resume=path)


def test_a_stopped_count_by_pieces_is_an_interval_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnnverify.queries.planning.plan.Plan.piece", 2**20)
    network, path = parity(40), tmp_path / "pieces.jsonl"
    query = Query(network, HammingBall(np.zeros(40), 6), EachClass())
    heard: list[int] = []

    def stop(progress: Any) -> None:
        heard.append(progress.done)
        if len(heard) > 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        count(query, resume=path, progress=stop)
    kept = len(path.read_text().splitlines())
    assert kept >= 1
    stopped = count(query, engine="bits", budget=Budget(seconds=0.0), resume=path)
    assert not stopped.exact
    even = sum(comb(40, d) for d in (0, 2, 4, 6))
    assert stopped.counts[0].low <= even <= stopped.counts[0].high
    done = count(query, resume=path)
    assert [k.low for k in done.counts] == [even, query.region.size - even]
