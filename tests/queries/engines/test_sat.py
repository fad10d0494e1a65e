"""The SAT engine against plain enumeration, with and without enough time."""

from itertools import count as from_zero
from math import comb

import numpy as np
import pytest

from bnnverify import Becomes, Block, EachClass, Head, Leaves, Network, Query
from bnnverify.encoders.clauses.cardinality import ENCODINGS, adder
from bnnverify.errors import WitnessRejected
from bnnverify.formats import load
from bnnverify.problem.ball import Everything, HammingBall, Shell, Subcube
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines import sat as by_sat
from bnnverify.queries.engines.registry import named
from bnnverify.queries.engines.sat import SatEngine
from tests.support.enumerated import Direct, enumerated
from tests.support.random_networks import hard_query, random_network, random_region
from tests.support.requirements import DATA, needs_data

EXAMPLE = DATA / "npaq-models" / "mnist-100-bnn_1blk_100-perturb_2-id_0.txt"


def contains(tally, truth):
    return all(count.low <= number <= count.high for count, number in zip(tally.counts, truth, strict=True))


@pytest.mark.parametrize("look", [1, 8, by_sat.ENUMERATED], ids="look{}".format)
@pytest.mark.parametrize("seed", range(12))
def test_every_question_about_random_networks(seed, look, monkeypatch):
    """Small looks make causes overlap: every point is still counted once."""
    monkeypatch.setattr(by_sat, "ENUMERATED", look)
    network, region = random_network(seed, 9), random_region(seed, 9)
    truth = enumerated(Query(network, region, EachClass()))
    events = [EachClass(), Leaves(seed % 4), Becomes(seed % 4), Becomes(0, 1), Becomes(0, 1, 2, 3)]
    for event in events:
        query = Query(network, region, event)
        tally = Direct(SatEngine).count(query, Budget())
        asked = tally.of(query.targets)
        assert asked.exact, event
        assert asked.low == sum(truth[c] for c in query.targets), event
        assert contains(tally, truth)
        finding = Direct(SatEngine).find(query, Budget())
        assert finding.happens == (asked.low > 0)
    assert [c.low for c in Direct(SatEngine).count(Query(network, region, EachClass()), Budget()).counts] == truth


@pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_every_encoding(encoding):
    network, region = random_network(3, 12, widths=(7,)), HammingBall(np.zeros(12), 4)
    tally = Direct(SatEngine, encoding).count(Query(network, region, EachClass()), Budget())
    assert [c.low for c in tally.counts] == enumerated(Query(network, region, EachClass()))
    assert all(c.exact for c in tally.counts)


def test_ties_go_by_rank():
    network = Network((), Head([[2, 0], [0, 2], [1, 1]], [0, 0, 0], [2, 0, 1]))  # 00 and 11: all equal, rank 0 is class 1
    tally = Direct(SatEngine).count(Query(network, Everything(2), EachClass()), Budget())
    assert [c.low for c in tally.counts] == [1, 3, 0]


def test_a_decided_region_needs_no_solver(monkeypatch):
    monkeypatch.setattr(by_sat, "Solver", None)
    network = Network((Block(np.ones((1, 80)), [41]),), Head([[0], [1]], [0, 0]))
    query = Query(network, HammingBall(np.zeros(80), 40), Leaves(0))
    assert Direct(SatEngine).count(query, Budget(0)).of(query.targets).high == 0
    assert Direct(SatEngine).find(query, Budget(0)).happens is False
    assert Direct(SatEngine).find(Query(network, query.region, Becomes(0)), Budget(0)).witness.flips == ()


def test_eighty_bits_in_closed_form():
    """Class 1 needs a 1 among the first three bits: 7/8 of everything, counted in three looks."""
    weights = np.zeros((1, 80))
    weights[0, :3] = 1
    network = Network((Block(weights, [1]),), Head([[0], [1]], [1, 0], [1, 0]))
    tally = Direct(SatEngine).count(Query(network, Everything(80), EachClass()), Budget(60))
    assert [(c.low, c.high) for c in tally.counts] == [(2**77, 2**77), (7 * 2**77, 7 * 2**77)]


def test_a_needle_in_a_large_ball():
    """Class 1 only where all of 79 given bits are flipped, out of 80."""
    network = Network((Block([[1] * 79 + [0]], [79]),), Head([[0], [1]], [1, 0], [1, 0]))
    query = Query(network, HammingBall(np.zeros(80), 79), Leaves(0))
    assert Direct(SatEngine).find(query, Budget()).witness.flips == tuple(range(79))
    assert Direct(SatEngine).find(Query(network, query.region.shell(0, 78), Leaves(0)), Budget()).happens is False


def test_regions_without_their_centre_and_without_freedom():
    network = Network((), Head([[0, 0, 0], [1, 1, 1]], [1, 0], [1, 0]))  # class 1 from one 1 on
    zeros = np.zeros(3)
    for region, truth in [(Shell(zeros, 1), [0, 3]), (HammingBall(zeros, 1), [1, 3]), (Subcube(zeros, []), [1, 0])]:
        tally = Direct(SatEngine).count(Query(network, region, EachClass()), Budget())
        assert [c.low for c in tally.counts] == truth


@pytest.mark.parametrize("event", [EachClass(), Leaves(0), Becomes(1)], ids=str)
def test_a_spent_budget_gives_an_interval(event):
    network, region = random_network(2, 9), HammingBall(np.zeros(9), 4)
    truth = enumerated(Query(network, region, EachClass()))
    assert min(truth[:2]) > 0
    tally = Direct(SatEngine).count(Query(network, region, event), Budget(0))
    assert contains(tally, truth)
    assert not all(count.exact for count in tally.counts)
    assert tally.reason == "stopped after 0 s"
    finding = Direct(SatEngine).find(Query(network, region, Becomes(*np.flatnonzero(truth)[1:].tolist())), Budget(0))
    assert finding.happens is None or finding.witness is not None


class Ticking(Budget):
    """A budget that is spent after so many looks at the clock."""

    def __init__(self, looks):
        super().__init__(1.0)
        object.__setattr__(self, "_ticks", from_zero())
        object.__setattr__(self, "_looks", looks)

    def start(self):
        return self

    @property
    def spent(self):
        return self.left <= 0

    @property
    def left(self):
        return 1.0 if next(self._ticks) < self._looks else 0.0


@pytest.mark.parametrize("looks", [2, 5, 8, 20, 50])
def test_wherever_it_stops_the_interval_holds_the_truth(looks, monkeypatch):
    monkeypatch.setattr(by_sat, "ENUMERATED", 8)
    monkeypatch.setattr(by_sat, "BATCH", 3)
    query = Query(random_network(2, 9), HammingBall(np.zeros(9), 4), EachClass())
    truth, reports = enumerated(query), []
    tally = Direct(SatEngine).count(query, Ticking(looks), reports.append)
    assert contains(tally, truth)
    assert all(contains(progress.tally, truth) and progress.done <= progress.total for progress in reports)
    assert sorted(p.done for p in reports) == [p.done for p in reports]


def test_the_time_limit_is_kept():
    budget = Budget(0.5)
    tally = Direct(SatEngine).count(hard_query(), budget)
    assert tally.reason
    assert budget.left > -2
    assert sum(c.low for c in tally.counts) > 0


def test_a_wrong_encoding_is_found_out():
    majority = Network((Block(np.ones((1, 9)), [5]),), Head([[0], [1]], [0, 0]))
    liar = Direct(SatEngine, lambda clauses, terms, bound: -adder(clauses, terms, bound))
    for ask in (liar.count, liar.find):
        with pytest.raises(WitnessRejected):
            ask(Query(majority, Everything(9), Leaves(0)), Budget())


@needs_data
@pytest.mark.parametrize("name", ["mnist-100-bnn_1blk_50", "mnist-100-bnn_1blk_20"])
def test_npaq_at_radius_2(name):
    network = load(DATA / "npaq-models" / f"{name}.pt")
    center = (np.array(EXAMPLE.read_text().split(), dtype=int) > 0).astype(np.uint8)
    query = Query(network, HammingBall(center, 2), EachClass())
    assert query.region.size == 1 + 100 + comb(100, 2)
    tally = Direct(SatEngine).count(query, Budget())
    assert [c.low for c in tally.counts] == enumerated(query)
    assert all(c.exact for c in tally.counts)


@pytest.mark.parametrize("seed", range(6))
def test_no_flip_of_a_witness_can_be_spared(seed):
    network, region = random_network(seed, 12), HammingBall(np.zeros(12), 12)
    query = Query(network, region, Leaves(network(region.center)))
    witness = Direct(SatEngine).find(query, Budget()).witness
    for i in witness.flips if witness else ():
        fewer = np.array(witness.bits)
        fewer[i] = 0
        assert network(fewer) == query.event.label


@pytest.mark.parametrize("name", ["sat:diagram", "sat:adder", "sat:native"])
def test_every_variant_is_registered_and_counts(name):
    assert named(name).ability == named("sat").ability
    query = Query(random_network(3, 9), HammingBall(np.zeros(9), 3), EachClass())
    assert [c.low for c in Direct(named(name).open).count(query, Budget()).counts] == enumerated(query)
