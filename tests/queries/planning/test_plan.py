"""How many cores one question may use: how many engines race, who is the best bet alone, and that no more are used."""

from __future__ import annotations

from math import inf
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bnnverify import BadQuery, EachClass, Everything, HammingBall, Leaves, Query, Subcube, attack, distance
from bnnverify.cli import BAD
from bnnverify.encoders.enumeration.cost_model import WIDE, is_wide
from bnnverify.problem.budget import Budget
from bnnverify.queries.engines.registry import choices, named
from bnnverify.queries.engines.registry import engines as named_engines
from bnnverify.queries.planning import plan
from bnnverify.queries.planning.plan import Plan
from bnnverify.queries.planning.posed import Posed
from bnnverify.queries.planning.session import Session
from tests.support.enumerated import planned
from tests.support.participants import network as random_network
from tests.support.roof import POINT, run_command, saved
from tests.support.zoo import majority

ALL = (1, 2, 3, 4, 8)


def engines(query: Query, *, counting: bool = False) -> list[str]:
    return ["+".join(planned(query, counting=counting, jobs=jobs).engines) for jobs in ALL]


def ball(widths: tuple[int, ...], n: int, radius: int) -> Query:
    network = random_network(1, (n, *widths, 4))
    return Query(network, HammingBall(np.zeros(n), radius), Leaves(network(np.zeros(n))))


def test_more_cores_more_engines() -> None:
    """Solvers come first where little stays open behind the first block, enumeration where much does."""
    little, much, hopeless = ball((60, 8), 100, 8), ball((99, 99), 100, 8), ball((60, 8), 784, 200)
    assert not is_wide(Posed.of(little, Budget()).question)
    assert is_wide(Posed.of(much, Budget()).question)
    solvers, looking = ["sat", "sat+sat:native", "sat+sat:native+bdd"], ["bits", "bits+bdd", "bits+bdd+sat:native"]
    assert engines(little) == [*solvers, "sat+sat:native+bdd+bits", "sat+sat:native+bdd+bits"]
    assert engines(much) == [*looking, "bits+bdd+sat:native+sat", "bits+bdd+sat:native+sat"]
    assert engines(hopeless) == [*solvers, solvers[-1], solvers[-1]]


def test_few_codes_need_no_portfolio() -> None:
    """The first block's 12 neurons have 4,096 codes at most, whatever the region."""
    assert engines(ball((12, 8), 784, 5)) == engines(ball((12, 8), 784, 30)) == ["codes"] * 5
    assert planned(ball((12, 8), 784, 5), counting=True).engines != ("codes",), "codes do not count"


def test_nobody_knows_how_long_a_solver_takes() -> None:
    """The estimate for codes covers the enumeration of them, not the solver's questions: distance tries an attack first."""
    chosen = planned(ball((12, 8), 784, 5), counting=False)
    assert (chosen.engines, chosen.seconds) == (("codes",), inf)


def test_wide_is_a_number_of_weights() -> None:
    for last, wide in ((WIDE // 40, False), (WIDE // 40 + 1, True)):
        solved = SimpleNamespace(live=(40, last))
        assert is_wide(solved) is wide  # type: ignore[arg-type]


def test_counts_have_two_engines_at_once() -> None:
    narrow = Query(majority(81), Subcube(np.zeros(81), np.arange(81) < 48), EachClass())
    assert engines(narrow, counting=True) == ["bdd", *["bdd+bits"] * 4]
    wide = Query(random_network(1, (100, 50, 10)), HammingBall(np.zeros(100), 9), EachClass())
    assert engines(wide, counting=True) == ["bits", *["bits+bdd"] * 4]
    assert engines(Query(majority(81), Everything(81), EachClass()), counting=True) == ["bdd"] * 5


def test_quick_questions_and_named_engines_have_one_engine() -> None:
    quick = Query(majority(9), HammingBall(np.zeros(9), 2), Leaves(0))
    assert engines(quick) == ["bits"] * 5
    assert planned(ball((60, 8), 100, 8), "bdd", counting=False, jobs=8).engines == ("bdd",)


@pytest.mark.parametrize(("there", "at_once"), [(1, 2), (2, 2), (3, 3), (16, 4)])
def test_by_default_all_cores_and_two_engines_even_on_one(there: int, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "cores", lambda: there)
    assert len(planned(ball((60, 8), 100, 8), counting=False).engines) == at_once


def test_enumeration_beside_others_leaves_them_a_core_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnnverify.queries.planning.session.cores", lambda: 6)

    def workers(engines: tuple[str, ...], jobs: int | None, sessions: int = 1) -> int:
        with Session(jobs=jobs, sessions=sessions) as session:
            return session._share(Plan(engines, "", counts=False))

    assert workers(("sat", "bdd", "bits"), 3) == 1
    assert workers(("sat", "bdd", "bits"), 8) == 6
    assert workers(("bits",), 1) == 1
    assert workers(("bits",), 2) == 2
    assert workers(("sat", "bits"), None) == 6
    assert workers(("bits",), None, sessions=3) == 2


@pytest.mark.parametrize(
    ("limits", "seconds", "apart"),
    [(Budget(), 0.1, False), (Budget(memory=2**30), 0.1, True), (Budget(1.0), 0.1, False), (Budget(1.0), 0.3, True)],
)
def test_an_engine_that_can_be_interrupted_runs_apart_only_to_keep_a_limit(limits: Budget, seconds: float, apart: bool) -> None:
    with Session() as session:
        assert session._is_apart(Plan(("bits",), "", counts=True, seconds=seconds), limits.start()) is apart
        assert session._is_apart(Plan(("sat",), "", counts=False, seconds=seconds), limits.start())
        assert session._is_apart(Plan(("bits", "bdd"), "", counts=False, seconds=seconds), limits.start())


def test_an_engine_is_made_for_each_name_and_told_the_truth() -> None:
    query = ball((12, 8), 100, 5)
    for name in named_engines():
        if named(name).ability.counted_by is not None:
            chosen = planned(query, name, counting=True)
            assert chosen.engines == (named(name).ability.counted_by or name,)
    with pytest.raises(BadQuery, match="engine exact answers yes or no and does not count: expected one of auto, "):
        planned(query, "exact", counting=True)
    with pytest.raises(BadQuery, match=f"engine must be one of {', '.join(choices())}, got 'nonsense'"):
        Session("nonsense")


def test_the_same_answers_on_one_core_and_on_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnnverify.queries.engines.enumeration.PATIENCE_YES_OR_NO", -1.0)
    monkeypatch.setattr(plan, "QUICK", -1.0)
    query = ball((9, 7), 14, 3)
    found = [attack(query, jobs=jobs).finding.verdict for jobs in (1, 3)]
    near = [distance(query.network, query.region.center, jobs=jobs).high for jobs in (1, 3)]
    assert len(set(found)) == len(set(near)) == 1
    assert near[0] == distance(query.network, query.region.center, engine="bits").high


def test_no_cores_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadQuery, match="jobs must be at least 1, got 0"):
        Session(jobs=0)
    assert run_command(capsys, "attack", saved(tmp_path), POINT, "--radius", "1", "--jobs", "0")[0] == BAD
    for jobs in ("1", "3"):
        code, out, err = run_command(capsys, "attack", saved(tmp_path), POINT, "--radius", "2", "--jobs", jobs, "--explain-plan")
        assert (code, "VULNERABLE" in out, "plan: bits" in err) == (0, True, True)
        assert run_command(capsys, "distance", saved(tmp_path), POINT, "--jobs", jobs)[0] == 0
