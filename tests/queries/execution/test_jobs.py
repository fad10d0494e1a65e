"""How many cores one question may use: how many engines race, who is the best bet alone, and that no more are used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bnnverify import BadQuery, EachClass, Everything, HammingBall, Leaves, Query, Subcube, attack, distance
from bnnverify.cli import BAD
from bnnverify.encoders.enumeration.cost import WIDE, is_wide
from bnnverify.encoders.presolve.presolve import presolve
from bnnverify.problem.budget import Budget
from bnnverify.queries.planning import plan
from bnnverify.queries.planning.plan import Choice, Session, choose, opened
from bnnverify.queries.planning.subprocess_engine import SubprocessEngine
from tests.support.participants import network as random_network
from tests.support.roof import POINT, said, saved
from tests.support.zoo import majority

ALL = (1, 2, 3, 4, 8)


def engines(query: Query, *, counting: bool = False) -> list[str]:
    return [choose(query, counting=counting, jobs=jobs).engine for jobs in ALL]


def ball(widths: tuple[int, ...], n: int, radius: int) -> Query:
    network = random_network(1, (n, *widths, 4))
    return Query(network, HammingBall(np.zeros(n), radius), Leaves(network(np.zeros(n))))


def test_more_cores_more_engines() -> None:
    """Solvers come first where little stays open behind the first block, enumeration where much does."""
    little, much, hopeless = ball((60, 8), 100, 8), ball((99, 99), 100, 8), ball((60, 8), 784, 200)
    assert not is_wide(presolve(little.network, little.region))
    assert is_wide(presolve(much.network, much.region))
    solvers, looking = ["sat", "sat+sat:native", "sat+sat:native+bdd"], ["bits", "bits+bdd", "bits+bdd+sat:native"]
    assert engines(little) == [*solvers, "sat+sat:native+bdd+bits", "sat+sat:native+bdd+bits"]
    assert engines(much) == [*looking, "bits+bdd+sat:native+sat", "bits+bdd+sat:native+sat"]
    assert engines(hopeless) == [*solvers, solvers[-1], solvers[-1]]


def test_few_codes_need_no_race() -> None:
    """The first block's 12 neurons have 4,096 codes at most, whatever the region."""
    assert engines(ball((12, 8), 784, 5)) == engines(ball((12, 8), 784, 30)) == ["codes"] * 5
    assert choose(ball((12, 8), 784, 5), counting=True).engine != "codes", "codes do not count"


def test_wide_is_a_number_of_weights() -> None:
    for last, wide in ((WIDE // 40, False), (WIDE // 40 + 1, True)):
        solved = SimpleNamespace(live=(40, last))
        assert is_wide(solved) is wide  # type: ignore[arg-type]


def test_counts_race_in_pairs() -> None:
    narrow = Query(majority(81), Subcube(np.zeros(81), np.arange(81) < 48), EachClass())
    assert engines(narrow, counting=True) == ["bdd", *["bdd+bits"] * 4]
    wide = Query(random_network(1, (100, 50, 10)), HammingBall(np.zeros(100), 9), EachClass())
    assert engines(wide, counting=True) == ["bits", *["bits+bdd"] * 4]
    assert engines(Query(majority(81), Everything(81), EachClass()), counting=True) == ["bdd"] * 5


def test_quick_questions_and_named_engines_have_one_engine() -> None:
    quick = Query(majority(9), HammingBall(np.zeros(9), 2), Leaves(0))
    assert engines(quick) == ["bits"] * 5
    assert choose(ball((60, 8), 100, 8), "bdd", counting=False, jobs=8).engine == "bdd"


@pytest.mark.parametrize(("there", "raced"), [(1, 2), (2, 2), (3, 3), (16, 4)])
def test_by_default_all_cores_and_two_engines_even_on_one(there: int, raced: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "cores", lambda: there)
    assert len(choose(ball((60, 8), 100, 8), counting=False).engine.split("+")) == raced


def test_enumeration_beside_others_leaves_them_a_core_each(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Any, ...]] = []

    class Noted(SubprocessEngine):
        def __init__(self, *given: Any) -> None:
            made.append(given[1:])
            super().__init__(*given)

    monkeypatch.setattr(plan, "SubprocessEngine", Noted)
    monkeypatch.setattr(plan, "cores", lambda: 6)

    def workers(engine: str, jobs: int | None, sessions: int = 1, memory: int | None = None) -> Sequence[tuple[Any, ...]]:
        made.clear()
        opened(Choice(engine, "", counts=False), Budget(None, memory), jobs=jobs, sessions=sessions).close()
        return list(made)

    assert workers("sat+bdd+bits", 3) == [(None, 1)] * 3
    assert workers("sat+bdd+bits", 8) == [(None, 6)] * 3
    assert workers("bits", 1, memory=2**30) == [(2**30, 1)]
    assert workers("bits", 2, memory=2**30) == [(2**30, 2)]
    assert workers("sat+bits", None) == [(None, 6)] * 2
    assert workers("bits", None, sessions=3) == [(None, 2)]
    alone = opened(Choice("bits", "", counts=True), Budget(), jobs=4)
    assert alone._workers == 4  # type: ignore[attr-defined]


def test_the_same_answers_on_one_core_and_on_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "PATIENCE_FIND", -1.0)
    query = ball((9, 7), 14, 3)
    found = [attack(query, jobs=jobs).finding.verdict for jobs in (1, 3)]
    near = [distance(query.network, query.region.center, jobs=jobs).high for jobs in (1, 3)]
    assert len(set(found)) == len(set(near)) == 1
    assert near[0] == distance(query.network, query.region.center, engine="bits").high


def test_no_cores_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadQuery, match="jobs must be at least 1, got 0"):
        Session("auto", Budget(), jobs=0)
    assert said(capsys, "attack", saved(tmp_path), POINT, "--radius", "1", "--jobs", "0")[0] == BAD
    for jobs in ("1", "3"):
        code, out, err = said(capsys, "attack", saved(tmp_path), POINT, "--radius", "2", "--jobs", jobs, "--explain-plan")
        assert (code, "VULNERABLE" in out, "plan: bits" in err) == (0, True, True)
        assert said(capsys, "distance", saved(tmp_path), POINT, "--jobs", jobs)[0] == 0
