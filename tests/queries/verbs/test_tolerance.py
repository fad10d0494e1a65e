"""Radii that are safe up to a share of adversarial inputs: against enumeration, and both meanings where they differ."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from bnnverify import BadQuery, Becomes, Block, Head, Leaves, Network
from bnnverify.problem.budget import Budget
from bnnverify.queries.verbs.tolerance import tolerance
from bnnverify.report.sentences import safe_radius_sentences
from bnnverify.results.counts import Tally
from bnnverify.results.tolerance import SafeRadius
from tests.support.zoo import first_bit, majority, parity


def shares(net: Network, center: np.ndarray, largest: int, free: list[int], label: int) -> list[Fraction]:
    """Return by enumeration which share of each ball does not get this label."""
    points = np.array(list(product((0, 1), repeat=len(center))), dtype=np.uint8)
    away = points != center
    inside = ~np.delete(away, free, axis=1).any(axis=1)
    found = []
    for radius in range(largest + 1):
        ball = points[inside & (away.sum(axis=1) <= radius)]
        found.append(Fraction(int((net(ball) != label).sum()), len(ball)))
    return found


@pytest.mark.parametrize("largest", [0, 3, 6])
def test_equals_enumeration(largest: int) -> None:
    for net in (majority(7), parity(7), first_bit(7)):
        for center, free in ((np.arange(7) < 5, list(range(7))), (np.zeros(7), [0, 1, 2, 3, 5, 6])):
            bits = center.astype(np.uint8)
            want = shares(net, bits, largest, free, net(bits))
            for share in {Fraction(0), Fraction(1, 3), *(s for s in want if s < 1)}:
                found = tolerance(net, bits, share=share, largest=largest, free=free)
                assert found.exact
                assert found.shares == tuple(want)
                fails = [radius for radius, part in enumerate(want) if part > share]
                assert found.fails_at == (fails[0] if fails else None)
                assert found.first_failure == (fails[0] if fails else largest + 1) - 1
                assert found.largest_success == max(radius for radius, part in enumerate(want) if part <= share)


@pytest.mark.parametrize("engine", ["bits", "bdd", "sat"])
def test_engines_agree_whether_or_not_they_count_by_distance(engine: str) -> None:
    center = (np.arange(6) < 4).astype(np.uint8)
    want = shares(majority(6), center, 6, list(range(6)), 1)
    assert tolerance(majority(6), center, share=Fraction(1, 3), largest=6, engine=engine).shares == tuple(want)


def test_the_two_definitions_differ_where_the_share_falls_again() -> None:
    found = tolerance(parity(7), np.zeros(7), share=Fraction(1, 2), largest=4)  # odd distances are adversarial
    assert found.shares == (0, Fraction(7, 8), Fraction(7, 29), Fraction(42, 64), Fraction(42, 99))
    assert (found.first_failure, found.fails_at, found.largest_success) == (0, 1, 4)


def test_a_share_that_is_just_reached_is_tolerated() -> None:
    exactly = tolerance(parity(7), np.zeros(7), share=Fraction(7, 8), largest=1)
    assert (exactly.first_failure, exactly.fails_at) == (1, None)
    below = tolerance(parity(7), np.zeros(7), share=Fraction(7, 8) - Fraction(1, 10**30), largest=1)
    assert (below.first_failure, below.fails_at) == (0, 1)


def test_no_radius_at_all() -> None:
    found = tolerance(majority(5), np.ones(5), share=Fraction(1, 2), largest=1, event=Becomes(1))
    assert (found.first_failure, found.largest_success, found.fails_at) == (None, None, 0)
    assert json.dumps(found.to_json())


def test_a_stopped_search_returns_the_counted_shares() -> None:
    wide = Network((Block(np.ones((1, 60)), [30]),), Head([[0], [1]], [0, 0]))
    center = (np.arange(60) < 25).astype(np.uint8)
    found = tolerance(wide, center, share=Fraction(1, 100), largest=20, engine="sat", budget=Budget(seconds=0.0))
    assert not found.exact
    assert found.reason.startswith("stopped")
    assert found.largest_success is None or found.largest_success < 20
    partly = SafeRadius("bits", "leaves:0", 0, Fraction(1, 100), (Fraction(0), Fraction(1, 200)), 5, 1.0, "stopped after 1 s")
    assert (partly.exact, partly.first_failure, partly.largest_success, partly.fails_at) == (False, 1, 1, None)


@pytest.mark.parametrize("engine", ["auto", "bits", "bdd", "sat"])
def test_growing_radii_end_at_the_first_that_fails(engine: str) -> None:
    center = (np.arange(6) < 4).astype(np.uint8)
    native = engine in ("bdd", "sat")  # a process each
    for free in ([0, 2, 3, 5], [1], []) if not native else ([0, 2, 3, 5],):
        want = shares(majority(6), center, len(free), free, 1)
        for share in {Fraction(1, 3), *(s for s in want if s < 1 and not native)}:
            found = tolerance(majority(6), center, share=share, free=free, engine=engine)
            fails = next((radius for radius, part in enumerate(want) if part > share), None)
            assert (found.fails_at, found.failing, found.exact) == (fails, fails, True)
            assert found.shares == tuple(want[: len(want) if fails is None else fails + 1])
            assert found.searched == len(found.shares) - 1


def test_shares_are_reported_as_they_are_counted() -> None:
    reports: list[SafeRadius] = []
    found = tolerance(parity(7), np.zeros(7), share=Fraction(9, 10), progress=lambda known, _: reports.append(known))
    assert found.exact
    assert [known.shares for known in reports] == [found.shares[: len(known.shares)] for known in reports]
    assert [len(known.shares) for known in reports] == sorted(len(known.shares) for known in reports)
    assert {known.searched for known in reports} == set(range(8))


def test_stopped_within_a_ball_still_knows_that_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """20 of the 29 points within 2 flips are met, 7 of them adversarial; nothing is known of single distances."""
    stopped = Tally.partial(29, [13, 7], "stopped after 1 s")
    monkeypatch.setattr("bnnverify.queries.engines.enumeration.BitsEngine.count", lambda *_: stopped)
    for share, failing in ((Fraction(7, 29), None), (Fraction(6, 29), 2)):
        found = tolerance(parity(7), np.zeros(7), share=share, largest=2, engine="bits")
        assert (found.shares, found.failing, found.fails_at, found.first_failure, found.exact) == ((), failing, None, None, False)
        last = ", at radius 2 at the latest" if failing else ""
        assert f"first failure: nothing is counted yet{last}" in safe_radius_sentences(found)
        assert found.to_json()["failing"] == failing


def test_questions_that_make_no_sense() -> None:
    for share in (Fraction(-1, 2), Fraction(1)):
        with pytest.raises(BadQuery, match="tolerance must be at least 0 and below 1"):
            tolerance(majority(5), np.zeros(5), share=share, largest=2)
    with pytest.raises(BadQuery, match="radius must be between 0 and 5, got 6"):
        tolerance(majority(5), np.zeros(5), share=Fraction(0), largest=6, event=Leaves(0))
