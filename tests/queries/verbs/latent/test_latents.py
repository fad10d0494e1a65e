"""Every figure about latent codes, against plain enumeration: all points of the ball put to the network, one by one."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from itertools import combinations
from math import log2
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnverify import BadQuery, Block, Disagreement, Head, Network, latents
from bnnverify.encoders.enumeration import enumeration
from bnnverify.model.arrays import Bits
from bnnverify.model.latent_code import bits_of, integers_of
from bnnverify.queries.verbs.latent import latents as room
from bnnverify.results.codes import entropy
from bnnverify.results.latent import CodeShells, Latents
from tests.support.drawn import latent_questions
from tests.support.enumerated import tau
from tests.support.misbehaving import stopping
from tests.support.random_networks import latent_network
from tests.support.zoo import majority, parity

Point = tuple[int, tuple[int, ...], int]  # distance, code, class


def plain(network: Network, center: Bits, radius: int, free: list[int], cut: int) -> list[Point]:
    """Return distance, code and class of every point of the ball."""
    points = []
    for distance in range(radius + 1):
        for flips in combinations(free, distance):
            point = center.copy()
            point[list(flips)] ^= 1
            points.append((distance, tuple(network.prefix(cut)(point).tolist()), network(point)))
    return points


def apart(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    return sum(x != y for x, y in zip(a, b, strict=True))


def check(answer: Latents, points: list[Point], network: Network, cut: int) -> None:
    """Compare every figure with one made from the listed points."""
    shells = answer.shells
    (_, code, label), width, radius = points[0], len(points[0][1]), max(d for d, _, _ in points)
    assert (shells.size, shells.radius, shells.width, shells.predicted) == (len(points), radius, width, label)
    assert bits_of([shells.center], width)[0].tolist() == list(code)
    for k, shares in enumerate(shells.shells):
        assert shares.counts == tuple(sum(p[0] == k and p[2] == c for p in points) for c in range(network.classes))
    changed = [d for d, _, c in points if c != label]
    assert shells.adversarial == tuple(changed.count(k) for k in range(radius + 1))
    assert shells.density == tuple(Fraction(changed.count(k), sum(d == k for d, _, _ in points)) for k in range(radius + 1))
    assert shells.stable == (not changed)
    assert shells.distance == min(changed, default=None)
    assert shells.flips == tuple(sum(p[1][j] != code[j] for p in points) for j in range(width))
    moved = [d for d, other, _ in points if other != code]
    assert shells.code_stable_radius == min(moved, default=radius + 1) - 1
    assert shells.code_changes == tuple(moved.count(k) for k in range(radius + 1))
    times = Counter(other for _, other, _ in points)
    assert {tuple(bits_of([n], width)[0].tolist()): k for n, k in shells.times.items()} == times
    assert shells.reachable == len(times)
    shares = [k / len(points) for k in times.values()]
    assert entropy(shells.times.values()) == pytest.approx(-sum(p * log2(p) for p in shares), abs=1e-12)
    assert shells.spectrum() == tuple(sum(apart(other, code) == d for _, other, _ in points) for d in range(width + 1))
    zeros = (0,) * width
    assert shells.spectrum(0) == tuple(sum(apart(other, zeros) == d for _, other, _ in points) for d in range(width + 1))
    margin = tau(network, code, cut)
    assert (answer.margin, answer.margin_exact) == (margin, True)
    assert answer.certified == all(apart(other, code) <= margin for _, other, _ in points)
    assert answer.beyond == sum(apart(other, code) > margin for _, other, _ in points)
    assert answer.bound == Fraction(sum(apart(other, code) for _, other, _ in points), margin + 1)
    assert answer.bound >= answer.beyond >= len(changed) == answer.adversarial
    assert not (answer.certified and changed)
    witness = answer.witness
    assert (witness is None) == (not changed)
    if witness is not None:
        assert network(witness.bits) == witness.label != label
        assert witness.distance == min(changed)
    assert answer.exact
    assert json.dumps(answer.to_json())


@settings(max_examples=100, deadline=None)
@given(question=latent_questions(), data=st.data())
def test_every_measure_equals_enumeration(question: tuple[Network, Bits, int, list[int]], data: st.DataObject) -> None:
    network, center, radius, free = question
    cut = data.draw(st.sampled_from([None, *range(1, len(network.blocks) + 1)]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enumeration, "AT_ONCE", 1)
        patch.setattr(room, "LOOSE", data.draw(st.sampled_from([0, 2**22])))
        answer = latents(network, center, radius=radius, free=free, cut=cut)
    cut = len(network.blocks) if cut is None else cut
    points = plain(network, center, radius, free, cut)
    check(answer, points, network, cut)
    smaller = answer.shells.within(radius // 2)
    assert smaller.flips == plain_flips([p for p in points if p[0] <= radius // 2])
    assert smaller.adversarial == answer.shells.adversarial[: radius // 2 + 1]


def plain_flips(points: list[Point]) -> tuple[int, ...]:
    return tuple(sum(p[1][j] != points[0][1][j] for p in points) for j in range(len(points[0][1])))


@pytest.mark.parametrize("widths", [(13, 17, 3), (17, 9, 1), (20, 62), (33, 20, 21), (65, 7, 5), (12, 5, 6, 18)])
def test_widths_of_every_kind(widths: tuple[int, ...]) -> None:
    """One latent bit, 62 of them, more than a table counts, and odd numbers of inputs."""
    for seed in range(3):
        network = latent_network(widths, seed)
        center = np.random.default_rng(seed).integers(0, 2, widths[0], dtype=np.uint8)
        answer = latents(network, center, radius=2)
        points = plain(network, center, 2, list(range(widths[0])), len(network.blocks))
        if widths[-1] <= 20:
            check(answer, points, network, len(network.blocks))
        assert answer.shells.flips == plain_flips(points)
        assert answer.shells.adversarial == tuple(sum(p[0] == k and p[2] != points[0][2] for p in points) for k in range(3))
        assert answer.shells.times == Counter(integers_of(np.array([p[1] for p in points])).tolist())
        assert answer.bound >= answer.beyond >= answer.adversarial


def test_majority_by_reasoning() -> None:
    """4 of 7 bits are ones: flipping any of them changes the only latent bit and the class."""
    answer = latents(majority(7), [1, 1, 1, 1, 0, 0, 0], radius=2)
    assert answer.shells.adversarial == (0, 4, 6)
    assert answer.shells.flips == (10,)
    assert (answer.shells.distance, answer.shells.code_stable_radius, answer.shells.reachable) == (1, 0, 2)
    assert (answer.margin, answer.certified, answer.beyond, answer.bound) == (0, False, 10, 10)
    assert answer.witness is not None
    assert answer.witness.distance == 1


def test_parity_by_reasoning() -> None:
    """From 3 of 7 ones, the code counts the ones in unary: one flip moves one latent bit, and the class with it."""
    answer = latents(parity(7), [1, 1, 1, 0, 0, 0, 0], radius=1)
    assert answer.shells.flips == (0, 0, 3, 4, 0, 0, 0)
    assert answer.shells.adversarial == (0, 7)
    assert answer.margin == 0


@pytest.mark.parametrize(
    "head",
    [Head(np.zeros((3, 2)), [0, 0, 0]), Head([[1, 1]], [0]), Head([[1, 1], [1, 1]], [5, 5], [1, 0])],
    ids=["zero weights", "one class", "equal scores"],
)
def test_a_class_that_never_changes(head: Head) -> None:
    network = Network((Block(np.eye(2, 5), [1, 1]),), head)
    answer = latents(network, np.zeros(5), radius=5)
    assert (answer.margin, answer.certified, answer.beyond, answer.shells.stable) == (2, True, 0, True)
    assert (answer.shells.reachable, answer.shells.distance, answer.witness) == (4, None, None)


def test_a_constant_latent_is_visible_as_such() -> None:
    network = Network((Block(np.ones((3, 6)), [0, 7, -2]),), Head([[1, 0, 0], [0, 1, 1]], [0, 0]))
    shells = latents(network, np.zeros(6), radius=6).shells
    assert (shells.reachable, shells.flips, shells.code_stable_radius, shells.size) == (1, (0, 0, 0), 6, 64)
    assert entropy(shells.times.values()) == 0.0


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 10])
def test_a_stopped_count_is_exact_about_a_smaller_ball(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enumeration, "AT_ONCE", 1)
    network, center = latent_network((20, 9, 4), 0), np.zeros(20, dtype=np.uint8)
    answer = latents(network, center, radius=3, budget=stopping(after))
    assert not answer.exact
    assert (answer.requested, answer.reason) == (3, "stopped after 1 s")
    reached = answer.shells.radius
    assert reached < 3
    complete = latents(network, center, radius=reached)
    measures: list[dict[str, Any]] = [each.shells.to_json() for each in (answer, complete)]
    assert measures[0] == measures[1]


def test_codes_that_miss_a_point_are_refused() -> None:
    complete = latents(parity(7), np.zeros(7), radius=2).shells
    rows = (complete.distances, complete.codes, complete.labels)
    with pytest.raises(Disagreement, match="every point of 3 shells"):
        CodeShells(complete.width, (1, 7, 21), complete.classes, *rows, complete.counts - (complete.distances == 2))


def test_questions_that_make_no_sense() -> None:
    with pytest.raises(BadQuery, match="a head alone"):
        latents(Network((), Head(np.eye(3), [0, 0, 0])), np.zeros(3), radius=1)
    with pytest.raises(BadQuery, match="at most 62 bits, got 63"):
        latents(Network((Block(np.eye(63), np.ones(63)),), Head(np.ones((2, 63)), [0, 0])), np.zeros(63), radius=1)
    with pytest.raises(BadQuery, match="radius must be between 0 and 7, got 8"):
        latents(majority(7), np.zeros(7), radius=8)
    with pytest.raises(BadQuery, match="radius must be between 0 and 2, got 3"):
        latents(majority(7), np.zeros(7), radius=2).shells.within(3)
