"""Marginals and witnesses per distance, against plain enumeration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from bnnverify import Becomes, Budget, HammingBall, Query
from bnnverify.queries.verbs.marginals import marginals
from bnnverify.queries.verbs.witnesses import witnesses
from tests.support.drawn import queries
from tests.support.zoo import majority


@settings(max_examples=60, deadline=None)
@given(query=queries())
def test_marginals_equal_enumeration(query: Query) -> None:
    want = np.zeros(query.region.n, dtype=int)
    for points in query.region.points():
        happens = np.isin(query.network(points), list(query.targets))
        want += (points[happens] != query.region.center).sum(axis=0)
    assert [count.low for count in marginals(query, engine="bits")] == want.tolist()
    assert all(count.exact for count in marginals(query))


@settings(max_examples=60, deadline=None)
@given(query=queries())
def test_a_witness_for_every_distance_that_has_one(query: Query) -> None:
    distances = set()
    for points in query.region.points():
        distances |= set(query.region.distance(points[np.isin(query.network(points), list(query.targets))]).tolist())
    found = witnesses(query)
    assert list(found) == list(range(query.region.inner, query.region.outer + 1))
    for distance, finding in found.items():
        assert finding.happens is (distance in distances)
        if finding.witness:
            assert finding.witness.distance == distance
            assert query.network(finding.witness.bits) in query.targets


@pytest.mark.parametrize("engine", ["bits", "bdd", "sat"])
def test_every_engine_and_a_spent_budget(engine: str) -> None:
    query = Query(majority(9), HammingBall([1, 1, 1, 0, 0, 0, 0, 0, 0], 2), Becomes(1))
    # two of the six zeros must be flipped: each of them is in 5 of the 15 pairs, the ones in none
    assert [count.low for count in marginals(query, engine=engine)] == [0, 0, 0, 5, 5, 5, 5, 5, 5]
    stopped = marginals(query, engine=engine, budget=Budget(seconds=0.0))
    assert all(count.low <= want <= count.high for count, want in zip(stopped, [0] * 3 + [5] * 6, strict=True))
