"""The optional engine exact: it says what enumeration says, keeps its limits, and where it is missing or of no use it says so."""

from __future__ import annotations

import signal
import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from bnnverify import (
    Becomes,
    Block,
    HammingBall,
    Head,
    Leaves,
    Network,
    Query,
    attack,
    certify,
    count,
    distance,
    load,
    read_samples,
    save,
)
from bnnverify.cli import BAD, DECIDED, main
from bnnverify.encoders.clauses.pseudo_boolean import Rows
from bnnverify.errors import BadQuery, MissingExtra, WitnessRejected
from bnnverify.problem.ball import Everything, Shell
from bnnverify.problem.budget import Budget
from bnnverify.queries.comparison.compare import check_arguments
from bnnverify.queries.engines.registry import named
from bnnverify.queries.planning.session import Session
from bnnverify.results.finding import Verdict
from tests.support.drawn import queries
from tests.support.enumerated import Direct, enumerated
from tests.support.random_networks import random_network
from tests.support.requirements import DATA, needs_data, needs_exact
from tests.support.zoo import NETWORK, SAMPLES, majority

CROSSING = Query(NETWORK, HammingBall(SAMPLES.bits[3], 2), Leaves(0))  # four ones: one flip more is a majority of nine


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the package exact one that cannot be imported."""
    monkeypatch.setitem(sys.modules, "exact", None)


@pytest.fixture
def running() -> Direct:
    return Direct(named("exact").open)


@pytest.mark.usefixtures("missing")
def test_a_missing_package_is_said_before_any_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnnverify.queries.execution.process.Process.pipe", None)  # no child is started
    monkeypatch.setattr("bnnverify.queries.planning.posed.presolve", None)
    sentence = r"engine exact needs exact, which is not installed|exact cannot be imported"
    for ask in (attack, count):
        with pytest.raises(MissingExtra, match=sentence):
            ask(CROSSING, engine="exact")
    with pytest.raises(MissingExtra, match=r"pip install 'bnnverify\[exact\]'"):
        distance(NETWORK, SAMPLES.bits[0], engine="exact")
    with pytest.raises(MissingExtra):
        certify(NETWORK, SAMPLES, radius=2, engine="exact")
    with pytest.raises(MissingExtra):  # before models are trained
        check_arguments(["no_pen-D1"], SAMPLES, radii=[1], limit=None, against=[], engine="exact", resume=None)


@pytest.mark.usefixtures("missing")
@pytest.mark.parametrize("command", ["attack", "count", "distance", "certify"])
def test_the_command_line_says_what_to_install(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(NETWORK, tmp_path / "nine.npz")
    np.save(tmp_path / "bits.npy", SAMPLES.bits)
    about = [str(tmp_path / "bits.npy")] if command == "certify" else ["111100000"]
    radius = [] if command == "distance" else ["--radius", "2"]
    assert main([command, str(tmp_path / "nine.npz"), *about, *radius, "--engine", "exact"]) == BAD
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "bnnverify: engine exact needs exact, which is not installed: pip install 'bnnverify[exact]'\n"


@needs_exact
@settings(max_examples=150, deadline=None)
@given(query=queries())
def test_yes_or_no_equals_enumeration(query: Query) -> None:
    engine = Direct(named("exact").open)
    want = enumerated(query)
    for event in (query.event, *map(Becomes, range(query.network.classes)), *map(Leaves, range(query.network.classes))):
        question = Query(query.network, query.region, event)
        finding = engine.find(question, Budget())
        assert finding.happens is (sum(want[c] for c in question.targets) > 0)
        assert finding.witness is None or finding.witness.label in question.targets


@needs_exact
@pytest.mark.parametrize("power", [20, 31, 32, 62, 63, 64, 80, 200])
def test_large_weights_are_whole_numbers_to_the_last_digit(power: int) -> None:
    """Nine weights of 2^power and one of 1, or of -1: five large ones reach 5 * 2^power + 1 with the small one, never without."""
    holding = import_module("bnnverify.queries.engines.pseudo_boolean").holding
    for small in (1, -1):
        for most, want in [(5, "UNSAT"), (6, "SAT")]:
            rows = Rows(most=most)
            inputs = rows.inputs(10)
            rows.add([rows.at_least([2**power] * 9 + [small], inputs, 5 * 2**power + 1)])
            rows.add([-rows.at_least([2**power] * 9, inputs[:9], 6 * 2**power)])  # not six large ones
            solver = holding(rows)
            assert solver.runFull(False, 0) == (want if small > 0 else "UNSAT")
            if solver.hasSolution():
                values = solver.getLastSolutionFor([str(x) for x in inputs])
                assert (sum(values[:9]), values[9]) == (5, 1)


@needs_exact
def test_large_weights_of_a_network(running: Direct) -> None:
    large = 2**50
    network = Network((Block([[large] * 9 + [1]], [5 * large + 1]),), Head([[0], [1]], [1, 0], [1, 0]))
    assert running.find(Query(network, HammingBall(np.zeros(10), 5), Becomes(1)), Budget()).happens is False
    witness = running.find(Query(network, HammingBall(np.zeros(10), 6), Becomes(1)), Budget()).witness
    assert witness is not None
    assert witness.distance == 6


@needs_exact
@pytest.mark.parametrize("seed", range(4))
def test_no_flip_of_a_witness_can_be_spared(seed: int, running: Direct) -> None:
    network = random_network(seed, 20)
    region = HammingBall(np.zeros(20), 20)
    witness = running.find(Query(network, region, Leaves(network(region.center))), Budget()).witness
    assert witness is not None
    for i in witness.flips:
        fewer = np.array(witness.bits)
        fewer[i] = 0
        assert network(fewer) == network(region.center)


@needs_exact
def test_a_wrong_encoding_is_found_out(running: Direct, monkeypatch: pytest.MonkeyPatch) -> None:
    truly = Rows.at_least
    monkeypatch.setattr(Rows, "at_least", lambda made, weights, bits, bound: -truly(made, weights, bits, bound))
    with pytest.raises(WitnessRejected):
        running.find(Query(NETWORK, Everything(9), Leaves(0)), Budget())


@needs_exact
def test_shells_and_fixed_bits(running: Direct) -> None:
    for distance_, want in [(0, False), (4, False), (5, True), (9, True)]:
        assert running.find(Query(NETWORK, Shell(np.zeros(9), distance_), Becomes(1)), Budget()).happens is want
    few = HammingBall(np.zeros(9), 4, free=[0, 1, 2, 3])
    assert running.find(Query(NETWORK, few, Becomes(1)), Budget()).happens is False


@needs_exact
def test_counting_is_refused_with_what_to_use_instead(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sentence = "engine exact answers yes or no and does not count: expected engine auto, bits, bdd or sat to count"
    with pytest.raises(BadQuery, match=sentence):
        count(CROSSING, engine="exact")
    with pytest.raises(BadQuery, match=sentence):
        count(CROSSING, engine="exact", resume=tmp_path / "pieces")
    save(NETWORK, tmp_path / "nine.npz")
    np.save(tmp_path / "bits.npy", SAMPLES.bits)
    model = str(tmp_path / "nine.npz")
    for words in (["count", model, "111100000"], ["certify", model, str(tmp_path / "bits.npy"), "--count"]):
        assert main([*words, "--radius", "2", "--engine", "exact"]) == BAD
        assert capsys.readouterr().err == f"bnnverify: {sentence}\n"
    assert main(["certify", model, str(tmp_path / "bits.npy"), "--radius", "2", "--engine", "exact"]) == DECIDED


@needs_exact
def test_the_time_limit_is_kept_and_the_next_question_answered() -> None:
    """Whether 34 of 40 neurons of the third layer are ever 1 together stays open for longer than ten seconds."""
    hard = Network(random_network(1, 60, widths=(40, 40, 40)).blocks, Head([[0] * 40, [1] * 40], [34, 0], [1, 0]))
    query = Query(hard, HammingBall(np.zeros(60), 12), Becomes(1))
    with Session("exact") as session:
        session.find(CROSSING, Budget())  # the process is up
        started = time.monotonic()
        finding = session.find(query, Budget(seconds=0.5).start()).finding
        assert time.monotonic() - started < 5
        assert finding.happens is None
        assert finding.reason == "stopped after 0.5 s"
        assert session.find(CROSSING, Budget()).finding.happens


@needs_exact
@needs_data
def test_a_trained_network_equals_sat() -> None:
    network = load(DATA / "npaq-models" / "mnist-400-bnn_2blk_50_20.pt")
    samples = read_samples("mnist", network, data_dir=DATA, limit=5)
    verdicts = {
        engine: [row.verdict for row in certify(network, samples, radius=3, engine=engine, counting=False).rows]
        for engine in ("exact", "sat")
    }
    assert verdicts["exact"] == verdicts["sat"]
    assert {Verdict.ROBUST, Verdict.VULNERABLE} == set(verdicts["exact"])


@needs_exact
def test_ctrl_c_is_pythons_again_afterwards(running: Direct) -> None:
    network = majority(9)
    finding = running.find(Query(network, HammingBall(np.zeros(9), 5), Leaves(0)), Budget())
    assert finding.happens
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
