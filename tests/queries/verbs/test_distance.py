"""Distances and cheapest changes: against plain enumeration, stopped, and against published optima of real networks."""

from __future__ import annotations

import csv
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bnnverify import BadQuery, Becomes, Block, Head, Leaves, Network, WitnessRejected, distance, load
from bnnverify.problem.ball import Subcube
from bnnverify.problem.budget import Budget
from bnnverify.problem.cost import NORMS, Cost, flip_cost, pixel_cost
from bnnverify.problem.events.base import Event
from bnnverify.problem.query import Query
from bnnverify.queries.attacks.upper_bound import minimal_witness, upper_bound
from bnnverify.queries.planning.session import Decided
from bnnverify.queries.verbs import distance as room
from bnnverify.results.answers import Distance
from bnnverify.results.finding import Finding, confirmed
from tests.support.requirements import DATA, needs_data
from tests.support.zoo import majority, parity

HUGE = 2**40
PUBLISHED = DATA / "msakai-bnn"
PICTURES = {"mnist": "bnn_mnist_7_label9.png", "mnist_rot": "bnn_mnist_rot_8_label1.png"}
MODELS = {"mnist": "mnist.npz", "mnist_rot": "mnist_rot_reordered.npz"}


def network(seed: int, n: int) -> Network:
    """Return a random network of 0 to 3 blocks and 1 to 4 classes, ties included."""
    random, blocks, width = np.random.default_rng(seed), [], n
    for outputs in ([6, 5], [7], [], [5, 4, 4])[seed % 4]:
        weights = random.choice((-1, 1), (outputs, width)) * random.integers(1, 2 + seed % 3, (outputs, width))
        blocks.append(Block(weights, weights.sum(axis=1) // 2 + random.integers(-width // 3, width // 3 + 1, outputs)))
        width = outputs
    classes = int(random.integers(1, 5))
    return Network(tuple(blocks), Head(random.integers(-3, 4, (classes, width)), random.integers(-2, 3, classes)))


def cheapest(net: Network, center: np.ndarray, event: Event, cost: Cost) -> int | None:
    """Return by enumeration what the cheapest point costs at which the event happens."""
    points = np.array(list(product((0, 1), repeat=len(center))), dtype=np.uint8)
    away = points != center
    inside = ~(away & ~cost.possible).any(axis=1) & np.isin(net(points), list(event.posed(net, center)[1]))
    return min((cost.of(np.flatnonzero(row).tolist()) for row in away[inside]), default=None)


def checked(net: Network, center: np.ndarray, event: Event, cost: Cost, engine: str) -> Distance:
    """Return the distance after holding everything it says against enumeration and itself."""
    want = cheapest(net, center, event, cost)
    found = distance(net, center, event=event, cost=cost, engine=engine)
    assert found.exact
    assert found.high == want
    assert found.low == (cost.total + 1 if want is None else want)
    assert found.norm == cost.norm
    if found.witness is not None:
        assert cost.of(found.witness.flips) == want
        assert net(found.witness.bits) == found.witness.label in event.posed(net, center)[1]
    spans = [(part.first, part.last) for part in found.proved]
    assert [first for first, _ in spans] == [1, *(last + 1 for _, last in spans[:-1])][: len(spans)]
    assert not spans or spans[-1][1] == found.low - 1
    return found


@pytest.mark.parametrize("seed", range(60))
def test_equals_enumeration(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 10))
    net, center = network(seed, n), random.integers(0, 2, n).astype(np.uint8)
    norm, most = list(NORMS)[seed // 4 % 4], (1, 4, 300, HUGE)[seed % 4 if seed % 16 else 3]
    cost = Cost(random.integers(1, most, n, endpoint=True), random.random(n) < 0.85, norm)
    event = Becomes(int(random.integers(net.classes))) if seed % 3 == 0 else Leaves(net(center))
    checked(net, center, event, cost, "auto")


@pytest.mark.parametrize("engine", ["bits", "bdd", "sat"])
def test_every_engine_keeps_to_the_costs(engine: str) -> None:
    for net in (majority(7), parity(5)):
        n = net.inputs
        center = (np.arange(n) < n // 2).astype(np.uint8)
        for values in (np.arange(1, n + 1), np.full(n, HUGE), HUGE // np.arange(1, n + 1)):
            for norm in ("1", "inf"):
                checked(net, center, Leaves(net(center)), Cost(values, np.arange(n) != 1, norm), engine)


def test_majority_by_hand() -> None:
    center = np.zeros(5, dtype=np.uint8)  # three flips make 1 the majority
    cost = Cost(np.array([5, 4, 3, 2, 9]), np.array([True, True, True, True, False]))
    assert distance(majority(5), center, cost=cost).low == 2 + 3 + 4
    assert distance(majority(5), center, cost=Cost(cost.values**2, cost.possible, "2")).low == 4 + 9 + 16
    assert distance(majority(5), center, cost=Cost(cost.values, cost.possible, "inf")).low == 4
    held = distance(majority(5), center, cost=cost, free=[0, 1, 4])
    assert (held.exact, held.high, held.low) == (True, None, 10)
    short = distance(majority(5), center, cost=cost, largest=8)
    assert (short.exact, short.high, short.low, short.searched) == (True, None, 9, 8)


def test_nothing_to_pay_with() -> None:
    none = Cost(np.ones(5), np.zeros(5, dtype=np.bool_))
    center = np.ones(5, dtype=np.uint8)
    stuck = distance(majority(5), center, cost=none)
    assert (stuck.exact, stuck.high, stuck.low, stuck.searched) == (True, None, 1, 0)
    there = distance(majority(5), center, cost=none, event=Becomes(1))
    assert (there.low, there.high) == (0, 0)
    assert there.witness is not None
    assert there.witness.flips == ()
    alone = Network((), Head(np.ones((1, 4)), [0]))
    assert distance(alone, np.zeros(4), cost=Cost(np.arange(1, 5), np.ones(4, dtype=np.bool_))).high is None


def test_hopeless_regions_are_not_split(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENUMERABLE", "FEW", "QUICK"):
        monkeypatch.setattr(room, name, 0)
    for seed in range(16):
        random = np.random.default_rng(seed)
        net, center = network(seed, 7), random.integers(0, 2, 7).astype(np.uint8)
        cost = Cost(random.integers(1, 6, 7), np.ones(7, dtype=np.bool_), list(NORMS)[seed % 4])
        checked(net, center, Leaves(net(center)), cost, "bits")


def test_a_stopped_search_returns_the_attack_witness(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = Decided(Finding(None, reason="stopped after 1 s"), ("bits",))
    monkeypatch.setattr("bnnverify.queries.planning.session.Session.find_posed", lambda *_: stopped)
    monkeypatch.setattr("bnnverify.queries.planning.posed.Posed.clear_finding", lambda _: None)
    monkeypatch.setattr(room, "QUICK", -1.0)
    cost = Cost(np.array([5, 4, 3, 2, 1]), np.ones(5, dtype=np.bool_))
    last = Network((), Head([[0, 0, 0, 0, 0], [0, 0, 1, 1, 1]], [2, 0], [1, 0]))  # class 1 from two ones among the last three on
    found = distance(last, np.zeros(5), cost=cost, engine="bits")
    assert (found.low, found.exact, found.reason) == (1, False, "stopped after 1 s")
    assert found.high is not None
    assert found.witness is not None
    assert found.high == cost.of(found.witness.flips) >= 3
    late = distance(last, np.zeros(5), cost=cost, engine="bits", budget=Budget(seconds=0.0))
    assert (late.low, late.high) == (1, None)
    assert json.dumps(found.to_json())


def test_a_witness_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    center = np.zeros(5, dtype=np.uint8)
    dear = confirmed(Query(majority(5), Subcube(center, np.arange(5)), Leaves(0)), np.ones(5, dtype=np.uint8))
    monkeypatch.setattr(
        "bnnverify.queries.planning.session.Session.find_posed", lambda *_: Decided(Finding(True, dear), ("bits",))
    )
    with pytest.raises(WitnessRejected, match="costs at most"):
        distance(majority(5), center, cost=Cost(np.arange(1, 6), np.ones(5, dtype=np.bool_)), engine="bits")


def test_attacks_end_and_never_undercut_the_lowest_cost() -> None:
    for seed in range(24):
        random = np.random.default_rng(seed)
        net, center = network(seed, 8), random.integers(0, 2, 8).astype(np.uint8)
        cost = Cost(random.integers(1, 9, 8), random.random(8) < 0.8, list(NORMS)[seed % 4])
        query = Query(net, Subcube(center, cost.possible), Leaves(net(center)))
        found, want = upper_bound(query, cost, Budget()), cheapest(net, center, query.event, cost)
        if found is None:
            continue
        assert want is not None
        assert cost.of(found.flips) >= want
        assert minimal_witness(query, found, cost) == found
        assert upper_bound(query, cost, Budget()) == found


def test_questions_that_make_no_sense() -> None:
    with pytest.raises(BadQuery, match="costs: expected 5 numbers, got 4"):
        distance(majority(5), np.zeros(5), cost=flip_cost(4))
    with pytest.raises(BadQuery, match="radius must be between 0 and 10, got 11"):
        distance(majority(5), np.zeros(5), cost=Cost(np.array([1, 2, 3, 4, 9]), np.arange(5) < 4), largest=11)


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize(("name", "norm"), list(product(MODELS, NORMS)))
def test_published_optima(name: str, norm: str) -> None:
    pixels = np.asarray(Image.open(PUBLISHED / PICTURES[name]).convert("L")).ravel()
    net = load(PUBLISHED / MODELS[name])
    assert net.coding is not None
    found = distance(net, net.coding.bits(pixels), cost=pixel_cost(net.coding, pixels, norm))
    assert found.exact
    assert found.high == published(PUBLISHED / "published_optima.csv")[name, norm]
    changed = pixels.astype(np.int64)
    for i, step in found.changes:
        changed[i] += step
    assert 0 <= changed.min() <= changed.max() <= 255
    assert net(net.coding.bits(changed)) != found.predicted
    apart = np.abs(changed - pixels)
    assert found.high == {"0": (apart > 0).sum(), "1": apart.sum(), "2": (apart**2).sum(), "inf": apart.max()}[norm]


def published(path: Path) -> dict[tuple[str, str], int]:
    with path.open(newline="") as file:
        return {(row["dataset"], row["norm"]): int(row["optimum"]) for row in csv.DictReader(file)}
