"""Decision diagrams against plain enumeration: the algebra, whole-number counts, the engine; both packages alike."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from math import comb
from random import Random

import numpy as np
import pytest

from bnnverify import (
    Ball,
    Becomes,
    Block,
    EachClass,
    Everything,
    HammingBall,
    Head,
    Leaves,
    Network,
    Query,
    Region,
    Shell,
    Subcube,
)
from bnnverify.encoders.diagrams import frontier
from bnnverify.encoders.diagrams import region_sets as bdd
from bnnverify.encoders.diagrams.packages import PACKAGES, Package
from bnnverify.encoders.diagrams.region_sets import Diagrams, Inside
from bnnverify.encoders.presolve.presolve import presolve
from bnnverify.encoders.walk import encode
from bnnverify.errors import BadQuery, Disagreement
from bnnverify.formats import load
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines import diagrams as by_bdd
from bnnverify.queries.engines.diagrams import STRATEGIES, BddEngine
from bnnverify.results.finding import Finding
from bnnverify.results.progress import Progress
from tests.support.enumerated import Direct
from tests.support.requirements import DATA, needs_data

ROOM = 1 << 26  # bytes: small tables for small questions


@pytest.fixture(scope="module", params=sorted(PACKAGES))
def package(request: pytest.FixtureRequest) -> Package:
    return PACKAGES[request.param](ROOM)


@pytest.fixture(scope="module", params=["frontier", *product(("region", "blocks"), sorted(PACKAGES))], ids=str)
def engine(request: pytest.FixtureRequest) -> Iterator[BddEngine]:
    strategy, package = (request.param, None) if request.param == "frontier" else request.param
    engine = Direct(BddEngine, package, strategy)
    yield engine
    engine.close()


def everywhere(package: Package, n: int) -> Inside:
    return Inside(package, package.true, frozenset(package.variables(n)), lambda: None)


def random_network(random: Random, n: int, widths: tuple[int, ...], classes: int) -> Network:
    """Return a network of small ternary weights, with ties and constant neurons on purpose."""
    blocks, width = [], n
    for m in widths:
        rows = [[random.choice((-2, -1, -1, 0, 1, 1)) for _ in range(width)] for _ in range(m)]
        blocks.append(Block(np.array(rows).reshape(m, width), np.array([random.randint(-2, 2) for _ in range(m)])))
        width = m
    head = [[random.choice((-1, 0, 1)) for _ in range(width)] for _ in range(classes)]
    ranks = random.sample(range(classes), classes)
    return Network(tuple(blocks), Head(np.array(head).reshape(classes, width), [random.randint(-1, 1) for _ in ranks], ranks))


def random_region(random: Random, n: int) -> Region:
    center = np.array([random.randint(0, 1) for _ in range(n)], dtype=np.uint8)
    free = np.array([random.random() < 0.8 for _ in range(n)])
    outer = random.randint(0, int(free.sum()))
    return Ball(center, free, random.randint(0, outer), outer)


def enumerated(network: Network, region: Region) -> list[int]:
    return sum(np.bincount(network(points), minlength=network.classes) for points in region.points()).tolist()


@pytest.mark.parametrize("longest", [bdd.LARGEST_DIAGRAM, 0], ids=["rows", "adders"])
@pytest.mark.parametrize("seed", range(10))
def test_thresholds_of_inputs_and_of_composed_bits(
    package: Package, seed: int, longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bdd, "LARGEST_DIAGRAM", longest)
    monkeypatch.setattr(bdd, "NODES_PER_DIGIT", longest)
    random, n = Random(seed), 6
    space = everywhere(package, n)
    x = space.inputs(n)
    care = space.at_least([1] * n, x, 2)
    algebra = space.within(care)
    bits = [a & b & care for a, b in pairwise(x)]
    for chosen, values in ((x, lambda p: p), (bits, lambda p: [a & b for a, b in pairwise(p)])):
        weights, bound = [random.randint(-5, 5) for _ in chosen], random.randint(-4, 6)
        want = sum(
            sum(p) >= 2 and sum(w * v for w, v in zip(weights, values(p), strict=True)) >= bound
            for p in product((0, 1), repeat=n)
        )
        assert package.count(algebra.at_least(weights, chosen, bound), n) == want


def test_the_seam(package: Package) -> None:
    x, y = package.variables(2)
    assert package.minus(x, y) == x & ~y
    assert package.either(x, y) == (x & ~y) | (y & ~x)
    assert package.choose(x, y, ~y) == ~package.either(x, y)
    assert [package.count(f, 2) for f in (package.false, x & y, x, x | y, package.true)] == [0, 1, 2, 3, 4]
    assert package.count(package.true, 0) == 1
    assert package.pick(x & ~y, 2) == [1, 0]
    assert len(package.pick(package.true, 2)) == 2
    assert package.variables(3)[:2] == [x, y]


def test_counts_of_80_bits_are_whole(package: Package) -> None:
    x = package.variables(80)
    assert package.count(package.true, 80) == 2**80
    assert package.count(x[0] & x[79], 80) == 2**78
    assert package.count(~x[3], 80) == 2**79
    nowhere = x[0]
    for bit in x[1:]:
        nowhere &= bit
    assert package.count(~nowhere, 80) == 2**80 - 1
    half = everywhere(package, 80).at_least([1] * 80, x, 40)
    assert package.count(half, 80) == sum(comb(80, k) for k in range(40, 81))


def test_conjunction_of_none_and_of_many(package: Package) -> None:
    space = everywhere(package, 5)
    x = space.inputs(5)
    assert space.all([]) == package.true
    assert [package.count(space.all(x[:k]), 5) for k in range(6)] == [32, 16, 8, 4, 2, 1]
    assert space.within(x[0]).all([]) == x[0]


@pytest.mark.parametrize("seed", range(12))
def test_the_one_walk_reads_the_algebra(package: Package, seed: int) -> None:
    random = Random(seed)
    network = random_network(random, 6, (4, 3), 3)
    _, wins = encode(everywhere(package, 6), network, range(3))
    assert [package.count(wins[c], 6) for c in range(3)] == enumerated(network, Everything(6))


@pytest.mark.parametrize("seed", range(40))
def test_counts_and_examples_equal_enumeration(engine: BddEngine, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    monkeypatch.setattr(by_bdd, "SMALL", random.choice((3, 10**6)))
    n = random.randint(1, 9)
    network = random_network(random, n, tuple(random.randint(1, 6) for _ in range(random.randint(0, 3))), random.randint(1, 5))
    region = random_region(random, n)
    want = enumerated(network, region)
    tally = engine.count(Query(network, region, EachClass()), Budget())
    assert [(count.low, count.high) for count in tally.counts] == [(k, k) for k in want]
    assert tally.size == region.size
    for c in range(network.classes):
        for event in (Becomes(c), Leaves(c)):
            query = Query(network, region, event)
            asked = sum(want[k] for k in query.targets)
            counted = engine.count(query, Budget()).of(query.targets)
            assert counted.exact
            assert counted.low == asked
            finding = engine.find(query, Budget())
            assert finding.happens is (asked > 0)
            assert (finding.witness is not None) is (asked > 0)


def test_80_inputs_counted_to_the_last(engine: BddEngine) -> None:
    head = Head([[0], [2]], [1, 0])
    network = Network((Block(np.ones((1, 80)), [41]),), head)
    more = sum(comb(80, k) for k in range(41, 81))
    tally = engine.count(Query(network, Everything(80), EachClass()), Budget())
    assert [count.low for count in tally.counts] == [2**80 - more, more]
    rare = Network((Block(np.ones((1, 80)), [80]),), head)
    assert engine.count(Query(rare, Everything(80), Becomes(1)), Budget()).counts[1].low == 1
    finding = engine.find(Query(rare, Everything(80), Becomes(1)), Budget())
    assert finding.witness is not None
    assert finding.witness.bits == (1,) * 80


def test_huge_weights_stay_inside_the_region(engine: BddEngine) -> None:
    random = Random(5)
    rows = [[random.randint(-(2**40), 2**40) for _ in range(40)] for _ in range(4)]
    network = Network((Block(np.array(rows), [0, 2**39, -(2**39), 5]),), Head(np.array([[1, 1, -1, 0], [0, -1, 1, 1]]), [0, 0]))
    region = HammingBall(np.array([random.randint(0, 1) for _ in range(40)]), 2)
    tally = engine.count(Query(network, region, EachClass()), Budget())
    assert [count.low for count in tally.counts] == enumerated(network, region)


@pytest.mark.parametrize(
    "region",
    [
        Everything(7),
        HammingBall(np.ones(7), 3),
        Shell(np.zeros(7), 2, 5),
        Subcube(np.ones(7), [1, 4, 6]),
        HammingBall(np.ones(7), 0),
    ],
    ids=lambda region: region.kind,
)
@pytest.mark.parametrize("most", [1, 5, 1000])
def test_parts_share_out_the_region(region: Region, most: int) -> None:
    pieces = list(region.parts(most))
    points = [tuple(point) for piece in pieces for batch in piece.points() for point in batch.tolist()]
    assert sorted(points) == sorted(tuple(point) for batch in region.points() for point in batch.tolist())
    assert all(piece.size <= most for piece in pieces)


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_reports_hold_the_truth_and_narrow(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for room, limit in ((by_bdd, "SMALL"), (frontier, "YIELD"), (frontier, "FEW"), (frontier, "MEMORY")):
        monkeypatch.setattr(room, limit, 1)
    network, region = random_network(Random(3), 8, (6,), 3), Everything(8)
    want, seen = enumerated(network, region), list[Progress]()
    Direct(BddEngine, strategy=strategy).count(Query(network, region, EachClass()), Budget(), seen.append)
    assert len(seen) >= (2 if strategy == "frontier" else 16)
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    for progress in seen:
        assert all(c.low <= k <= c.high for c, k in zip(progress.tally.counts, want, strict=True))
    assert all(count.exact for count in seen[-1].tally.counts)


def test_a_spent_budget_leaves_an_interval_and_its_reason(engine: BddEngine) -> None:
    query = Query(random_network(Random(3), 8, (6,), 3), Everything(8), EachClass())
    tally = engine.count(query, Budget(0))
    assert tally.reason == "stopped after 0 s"
    assert {(count.low, count.high) for count in tally.counts} == {(0, 0), (0, 256)}  # presolve rules one class out
    elsewhere = Query(query.network, query.region, Leaves(query.network(query.region.center)))
    assert engine.find(elsewhere, Budget(0)) == Finding(None, reason="stopped after 0 s")


def test_a_full_table_leaves_an_interval_and_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> list[int]:
        raise MemoryError("Unable to allocate 1.00 GiB for an array with shape (1,) and data type int64")  # numpy's words

    monkeypatch.setattr(Diagrams, "shares", full)
    monkeypatch.setattr(Diagrams, "example", full)
    monkeypatch.setattr(frontier, "distinct", full)
    for strategy in ("region", "frontier"):
        query = Query(random_network(Random(3), 8, (6,), 3), Everything(8), EachClass())
        tally = Direct(BddEngine, strategy=strategy).count(query, Budget(memory=2**28))
        assert tally.reason.endswith("not fit into the memory limit of 0.25 GiB")
        assert {(count.low, count.high) for count in tally.counts} == {(0, 0), (0, 256)}
        elsewhere = Query(query.network, query.region, Leaves(query.network(query.region.center)))
        reason = Direct(BddEngine, strategy=strategy).find(elsewhere, Budget()).reason
        assert reason == "the sets of points do not fit into memory"


def test_a_real_full_table_ends_in_an_interval_that_holds_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_network(Random(1), 20, (40, 9), 4)
    want = enumerated(network, Everything(20))
    monkeypatch.setattr(by_bdd, "SMALL", 1 << 8)
    for name in sorted(PACKAGES):
        tally = Direct(BddEngine, name, "region").count(Query(network, Everything(20), EachClass()), Budget(memory=1 << 24))
        assert "do not fit" in tally.reason
        assert all(count.low <= k <= count.high for count, k in zip(tally.counts, want, strict=True))


@pytest.mark.parametrize("name", sorted(PACKAGES))
def test_a_package_that_is_full_says_so(name: str) -> None:
    network = random_network(Random(1), 20, (40, 9), 4)
    with pytest.raises(MemoryError, match="do not fit"):
        Diagrams(name, memory=1 << 22).shares(network, Everything(20))


def test_shares_that_do_not_add_up_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_network(Random(3), 5, (6,), 3)
    question = presolve(network, Everything(5))
    assert not question.decided
    diagrams = Diagrams("oxidd", ROOM)
    monkeypatch.setattr(bdd._LastLayer, "winners", lambda last: [last.algebra.care] * last.head.classes)
    with pytest.raises(Disagreement, match="share 32 points"):
        diagrams.shares(question.network, question.region)


def test_unknown_packages_and_strategies_are_named() -> None:
    with pytest.raises(BadQuery, match="one of frontier, region, blocks, got 'best'"):
        Direct(BddEngine, strategy="best")
    with pytest.raises(BadQuery, match="one of oxidd, cudd, got 'buddy'"):
        Diagrams("buddy")


SLOW = [pytest.param("blocks", name, marks=pytest.mark.slow) for name in sorted(PACKAGES)]


@needs_data
@pytest.mark.parametrize(("strategy", "name"), [("frontier", None), *(("region", name) for name in sorted(PACKAGES)), *SLOW])
def test_100_50_10_at_radius_3(strategy: str, name: str | None) -> None:
    folder = DATA / "bnnquanalyst-csv"
    network = load(folder / "models" / "mnist_bnn_1_blk_100_50_10")
    image = (np.loadtxt(folder / "inputs" / "instance_0_100.txt") > 0).astype(np.uint8)
    tally = Direct(BddEngine, name, strategy).count(Query(network, HammingBall(image, 3), EachClass()), Budget())
    assert [count.low for count in tally.counts] == [150348, 0, 2773, 11, 1, 0, 8578, 0, 5040, 0]
    assert all(count.exact for count in tally.counts)
