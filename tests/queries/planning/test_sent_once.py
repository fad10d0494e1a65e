"""What goes to other processes: a model once to each worker, and to engines nothing but what presolve left."""

from __future__ import annotations

import io
import pickle
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pytest

from bnnverify import Budget, HammingBall, Leaves, Network, Query, attack, certify, load, read_input
from bnnverify.queries.execution.process_pool import processes
from bnnverify.queries.planning.portfolio import Portfolio
from bnnverify.queries.planning.posed import Posed
from tests.support.participants import comparison_of
from tests.support.participants import field as participants_of
from tests.support.random_networks import random_network
from tests.support.requirements import DATA, needs_data

NETWORK = random_network(3, 60, widths=(50, 40))
CENTER = np.zeros(60, dtype=np.uint8)


@dataclass
class Sent:
    """The bytes of each message of this process to another one, and how often each network went through each pipe."""

    lengths: list[int] = field(default_factory=list)
    networks: Counter[tuple[int, str]] = field(default_factory=Counter)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    seen, send = Sent(), Connection.send

    class Weighing(pickle.Pickler):
        pipe: int

        def persistent_id(self, value: object) -> None:
            if isinstance(value, Network):
                seen.networks[self.pipe, value.sha256] += 1

    def weighed(pipe: Connection, message: Any) -> None:
        weighing = Weighing(content := io.BytesIO())
        weighing.pipe = pipe.fileno()
        weighing.dump(message)
        seen.lengths.append(len(content.getvalue()))
        send(pipe, message)

    monkeypatch.setattr(Connection, "send", weighed)
    return seen


def test_certify_sends_a_model_once_to_each_worker(sent: Sent) -> None:
    samples = np.random.default_rng(0).integers(0, 2, (6, 60))
    table = certify(NETWORK, samples, radius=2, jobs=2)
    assert len(table.rows) == 6
    times = [times for (_, sha256), times in sent.networks.items() if sha256 == NETWORK.sha256]
    assert times in ([1], [1, 1])
    assert sum(sent.lengths) < len(times) * len(pickle.dumps(NETWORK)) + 6 * 2000 + 4000


def test_compare_sends_each_model_once_to_each_worker(sent: Sent) -> None:
    participants = participants_of(seeds=1)
    assert len(comparison_of(participants, jobs=2).rows) == 2 * 8 * len(participants)
    models = {participant.network.sha256 for participant in participants}
    assert models == {sha256 for _, sha256 in sent.networks}
    assert set(sent.networks.values()) == {1}


@pytest.mark.parametrize("names", [("sat",), ("sat", "bdd", "bits")], ids=",".join)
@pytest.mark.parametrize("counting", [True, False])
def test_engines_get_what_presolve_left(names: tuple[str, ...], counting: bool, sent: Sent) -> None:
    posed = Posed.of(Query(NETWORK, HammingBall(CENTER, 2), Leaves(NETWORK(CENTER))), Budget())
    with processes(3, collects=False) as pool:
        portfolio = Portfolio(pool, names, 1)
        _ = portfolio.count(posed.question, Budget()) if counting else portfolio.find(posed.question, Budget())
    assert {sha256 for _, sha256 in sent.networks} == {posed.question.network.sha256}
    assert set(sent.networks.values()) == {1}


@pytest.mark.slow  # reading the network takes ten seconds
@needs_data
def test_a_question_about_lfc_takes_half_a_megabyte(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network alone is 23 MB in 64-bit numbers: once it went along with each question."""
    monkeypatch.setenv("BNNVERIFY_DATA", str(DATA))
    network = load(DATA / "finn-lfc-packed" / "lfcW1A1-mnist.tar.gz")
    image = read_input("mnist:3", network)
    query = Query(network, HammingBall(image, 2), Leaves(network(image)))
    for engine in ("sat", "auto"):
        sent.lengths.clear()
        attack(query, engine=engine, budget=Budget(seconds=2))
        assert 100_000 < max(sent.lengths) < 550_000
        assert sum(sent.lengths) < 2 * 550_000
    assert network.sha256 not in {sha256 for _, sha256 in sent.networks}
