"""Events whose deciding network is not the asked one, through every engine and the verbs that go by them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bnnverify import Ball, CodeFlips, Differ, HammingBall, Query, attack, count, distance, marginals, pair, save, witnesses
from bnnverify.cli import main
from bnnverify.errors import BadModel
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines.base import Engine
from tests.support.drawn import networks, regions
from tests.support.enumerated import every_input
from tests.support.random_networks import random_network

some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Draw questions about code flips, or about another network."""
    n = draw(st.integers(1, 8))
    network, region = draw(networks(n)), draw(regions(n))
    cuts = [cut for cut in range(1, len(network.blocks) + 1) if network.widths[cut]]
    if cuts and draw(st.booleans()):
        cut = draw(st.sampled_from(cuts))
        return Query(network, region, CodeFlips(cut, draw(st.integers(1, network.widths[cut]))))
    return Query(network, region, Differ(draw(networks(n))))


def hits(query: Query) -> np.ndarray:
    """Return the points of the region at which the event happens, by its definition."""
    points = every_input(query.region.n)[query.region.contains(every_input(query.region.n))]
    if isinstance(query.event, Differ):
        return points[query.network(points) != query.event.other(points)]
    code = query.network.prefix(query.event.cut)  # type: ignore[attr-defined]
    apart = (code(points) != code(query.region.center)).sum(axis=1)
    return points[apart >= query.event.at_least]  # type: ignore[attr-defined]


@some
@given(query=queries())
def test_counts_equal_enumeration(engine: Engine, query: Query) -> None:
    tally = engine.count(query, Budget())  # type: ignore[arg-type]
    assert tally.of(query.targets).exact
    assert tally.of(query.targets).low == len(hits(query))


@some
@given(query=queries())
def test_yes_or_no_equals_enumeration(finder: Engine, query: Query) -> None:
    finding = finder.find(query, Budget())  # type: ignore[arg-type]
    want = hits(query)
    assert finding.happens is (len(want) > 0)
    if finding.witness is not None:  # type: ignore[attr-defined]
        witness = finding.witness  # type: ignore[attr-defined]
        assert witness.bits in set(map(tuple, want.tolist()))
        assert witness.label == query.network(witness.bits)


@some
@given(query=queries())
def test_the_verbs_agree(query: Query) -> None:
    want, found = hits(query), count(query, engine="bits", jobs=1)
    assert (found.low, found.high) == (len(want), len(want))
    assert found.predicted == query.network(query.region.center)
    away = query.region.distance(want)
    assert [count.low for count in marginals(query, engine="bits", jobs=1)] == (want != query.region.center).sum(axis=0).tolist()
    assert {d for d, finding in witnesses(query, engine="bits", jobs=1).items() if finding.happens} == set(away.tolist())
    assert attack(query, jobs=1).finding.happens is (len(want) > 0)
    if found.tally.shells:
        assert found.adversarial.low <= query.region.size


def test_pieces_are_counted_with_the_code_of_the_first_centre(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts of a region have other centres; the event is posed once."""
    query = Query(random_network(3, 9), HammingBall(np.zeros(9), 4), CodeFlips(1, 2))
    parts = Ball.parts
    monkeypatch.setattr(Ball, "parts", lambda region, _: parts(region, 20))
    assert count(query, engine="bits", jobs=1, resume=tmp_path / "pieces.db").low == len(hits(query)) > 0
    other = Query(query.network, query.region, Differ(random_network(4, 9)))
    assert count(other, engine="bits", jobs=1, resume=tmp_path / "others.db").low == len(hits(other)) > 0
    third = Query(query.network, query.region, Differ(random_network(5, 9)))
    with pytest.raises(ValueError, match="others"):
        count(third, engine="bits", jobs=1, resume=tmp_path / "others.db")


def test_distance_to_code_flips() -> None:
    query = Query(random_network(3, 9), HammingBall(np.zeros(9), 9), CodeFlips(1, 3))
    nearest = query.region.distance(hits(query)).min()
    assert distance(query.network, np.zeros(9), event=CodeFlips(1, 3), jobs=1).high == nearest


def test_the_command_line_counts_code_flips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = random_network(3, 9)
    save(network, tmp_path / "model.npz")
    query = Query(network, HammingBall(np.zeros(9), 3), CodeFlips(1, 2))
    asked = [str(tmp_path / "model.npz"), "000000000", "--radius", "3", "--event", "codeflips:2@1"]
    assert main(["count", *asked]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f"the latent code after block 1 changes in 2 or more bits at {len(hits(query))} of these inputs" in out
    assert main(["attack", *asked]) == 0
    assert "VULNERABLE" in capsys.readouterr().out
    assert main(["distance", *asked[:2], "--event", "codeflips:2@1"]) == 0
    assert "(exact)" in capsys.readouterr().out


def test_other_networks_are_paired_once() -> None:
    query = Query(random_network(3, 9), HammingBall(np.zeros(9), 3), Differ(random_network(4, 9)))
    assert query.over(query.region.shell(2)).decider is query.decider
    assert query.decider.sha256 == pair(query.network, query.event.other).sha256  # type: ignore[attr-defined]


def test_networks_that_do_not_pair_are_refused() -> None:
    with pytest.raises(BadModel, match="got a prefix"):
        Query(random_network(3, 9), HammingBall(np.zeros(9), 1), Differ(random_network(3, 9).prefix(1)))
