"""Proofs under constraints: written, checked, and rejected where the claim, the formula or the list says anything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bnnverify import BadInput, BadQuery, Block, Constrained, HammingBall, Head, Network, Verdict, check, distance, prove
from bnnverify.checker import patterns
from bnnverify.checker.sample import checked_claim
from bnnverify.cli import main
from bnnverify.encoders.clauses import annotated, cnf
from bnnverify.errors import Rejected, WitnessRejected
from bnnverify.formats import save
from bnnverify.model.threshold import Threshold
from bnnverify.problem.constraints import NEVER, at_least, at_most, one_hot, weighted
from bnnverify.queries.engines import enumeration
from bnnverify.queries.proofs.prove_distance import prove_distance
from tests.support.drawn import constrained_regions, networks
from tests.support.proven import changed, network, relisted, written_proof
from tests.support.random_networks import random_network

some = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def verdict(net: Network, region: Constrained) -> Verdict:
    """Return what plain enumeration says."""
    points = np.concatenate([region.center[None][:0], *region.points()])
    left = len(points) and bool((np.asarray(net(points)) != net(region.center)).any())
    return Verdict.VULNERABLE if left else Verdict.ROBUST


@some
@given(data=st.data())
def test_every_proof_under_constraints_is_accepted(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    n = data.draw(st.integers(1, 8))
    net, region = data.draw(networks(n)), data.draw(constrained_regions(n))
    region = Constrained(HammingBall(region.center, region.outer), region.constraints)
    folder = tmp_path_factory.mktemp("proof")
    row = written_proof(folder, net, region.outer, region.center, region.constraints)
    if row.verdict is Verdict.UNKNOWN:
        assert "different sums" in row.reason
        return
    assert row.verdict is verdict(net, region)
    found = checked_claim(folder / "0", net)
    assert found.claim.verdict == row.verdict.value
    assert len(found.claim.constraints) == len(region.constraints)


GROUPS = [row for first in range(0, 24, 4) for row in one_hot(range(first, first + 4))]
CENTER = (np.arange(24) % 4 == 0).astype(np.uint8)


def grouped(folder: Path, seed: int, rows: list[Threshold] = GROUPS, radius: int = 4) -> Any:
    return written_proof(folder, network(seed), radius, CENTER, rows)


def robust_only_in_groups() -> list[int]:
    """Return seeds whose network keeps its class in the groups, and loses it in the ball."""
    found = []
    for seed in range(60):
        verdicts = [verdict(network(seed), Constrained(HammingBall(CENTER, 4), rows)) for rows in (GROUPS, [])]
        if verdicts == [Verdict.ROBUST, Verdict.VULNERABLE]:
            found.append(seed)
    return found


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """Return those of them that have a proof by a trace."""
    found = []
    for seed in robust_only_in_groups():
        folder = tmp_path_factory.mktemp(str(seed))
        assert grouped(folder, seed).verdict is Verdict.ROBUST
        if checked_claim(folder / "0", network(seed)).claim.by == "trace":
            found.append(seed)
    assert len(found) >= 3
    return found[:6]


def claim(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "0" / "claim.json").read_text())
    return found


def _dropped(folder: Path) -> None:
    """The claim forgets its constraints, and is about the ball."""
    path = folder / "0" / "claim.json"
    path.write_text(json.dumps({name: value for name, value in claim(folder).items() if name != "constraints"}))


def _one_dropped(folder: Path) -> None:
    changed(folder, constraints=claim(folder)["constraints"][1:])


def _weakened(folder: Path) -> None:
    """Every group may have any number of bits."""
    changed(folder, constraints=[[bound - 1, *rest] for bound, *rest in claim(folder)["constraints"]])


def _moved(folder: Path) -> None:
    """The first group has its bits elsewhere."""
    rows = claim(folder)["constraints"]
    changed(folder, constraints=[[bound, *(n + i % 2 for i, n in enumerate(rest))] for bound, *rest in rows[:2]] + rows[2:])


def _other_literal(folder: Path) -> None:
    """A line says that the opposite of a literal is a constraint."""
    path = folder / "0" / "meanings.txt"
    lines = path.read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("holds"))
    word, number, literal = lines[at].split()
    lines[at] = f"{word} {number} {-int(literal)}"
    path.write_text("\n".join(lines) + "\n")


def _beyond_the_claim(folder: Path) -> None:
    """A line names a constraint that the claim does not have."""
    path = folder / "0" / "meanings.txt"
    path.write_text(path.read_text() + "holds 99 1\n")


def _lines_dropped(folder: Path) -> None:
    """No line says which literals are constraints: their clauses come from nowhere."""
    path = folder / "0" / "meanings.txt"
    path.write_text("".join(f"{line}\n" for line in path.read_text().splitlines() if not line.startswith("holds")))


def _forged(folder: Path) -> None:
    """A clause for free: a constraint that nobody claims."""
    path = folder / "0" / "formula.cnf"
    head, *clauses = path.read_text().splitlines()
    _, _, variables, count = head.split()
    flips = [line.split()[1] for line in (folder / "0" / "meanings.txt").read_text().splitlines() if line.startswith("flip")]
    path.write_text("\n".join([f"p cnf {variables} {int(count) + 1}", *clauses, f"-{flips[3]} 0"]) + "\n")


FORGERIES: list[Callable[[Path], None]] = [
    *(_dropped, _one_dropped, _weakened, _moved, _other_literal, _beyond_the_claim, _lines_dropped, _forged)
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_another_constraint_in_the_claim_or_the_formula_is_rejected(
    forge: Callable[[Path], None], seeds: list[int], tmp_path: Path
) -> None:
    refused = 0
    for seed in seeds:
        folder = tmp_path / str(seed)
        folder.mkdir()
        grouped(folder, seed)
        checked_claim(folder / "0", network(seed))
        forge(folder)
        try:
            checked_claim(folder / "0", network(seed))
        except Rejected:
            refused += 1
        else:  # only where fewer constraints show the same
            assert forge is _one_dropped
            rows = GROUPS[1:]
            assert verdict(network(seed), Constrained(HammingBall(CENTER, 4), rows)) is Verdict.ROBUST
    assert refused >= 2


def _unrequired(patch: pytest.MonkeyPatch) -> None:
    """An encoder that defines constraints and does not require them."""
    right = cnf.Cnf.inputs

    def wrong(self: cnf.Cnf, n: int) -> list[int]:
        found = right(self, n)
        self.clauses = [clause for clause in self.clauses if clause not in {(literal,) for literal in self.held}]
        return found

    patch.setattr(cnf.Cnf, "inputs", wrong)


def _stronger(patch: pytest.MonkeyPatch) -> None:
    """An encoder that requires more of the flips than the constraint does."""
    right = Constrained.flip_rows.func  # type: ignore[attr-defined]

    def wrong(self: Constrained) -> tuple[Threshold, ...]:
        return tuple(Threshold(row.positions, row.weights, row.bound + 1) for row in right(self))

    patch.setattr(Constrained, "flip_rows", property(wrong))


def _mixed_up(patch: pytest.MonkeyPatch) -> None:
    """A writer that numbers constraints wrongly."""
    right = annotated._held
    patch.setattr(annotated, "_held", lambda *about: {k + 1: literal for k, literal in right(*about).items()})


@pytest.mark.parametrize("mistake", [_unrequired, _stronger, _mixed_up])
def test_a_mistake_of_the_writer_is_found_out(
    mistake: Callable[[pytest.MonkeyPatch], None], seeds: list[int], tmp_path: Path
) -> None:
    for seed in seeds:
        folder = tmp_path / str(seed)
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            mistake(patch)
            try:
                row = grouped(folder, seed)
            except (WitnessRejected, ValueError):  # the writer found it out itself
                continue
        if row.verdict is Verdict.ROBUST:
            with pytest.raises(Rejected):
                checked_claim(folder / "0", network(seed))


def test_a_witness_obeys_the_constraints(tmp_path: Path) -> None:
    net = random_network(1, 24, (9, 7))
    row = written_proof(tmp_path, net, 6, CENTER, GROUPS)
    assert row.verdict is Verdict.VULNERABLE
    bits = claim(tmp_path)["witness"]
    assert np.array(list(bits), dtype=int).reshape(6, 4).sum(axis=1).tolist() == [1] * 6
    assert checked_claim(tmp_path / "0", net).claim.by == "witness"
    points = HammingBall(CENTER, 6).sample(500, seed=1)
    outside = points[(np.asarray(net(points)) != net(CENTER)) & ~Constrained(HammingBall(CENTER, 6), GROUPS).contains(points)]
    changed(tmp_path, witness="".join(map(str, outside[0].tolist())))
    with pytest.raises(Rejected, match="every constraint of the claim holds"):
        checked_claim(tmp_path / "0", net)


MALFORMED: list[tuple[object, str]] = [
    ([], "or no constraints at all"),
    ({}, "or no constraints at all"),
    ([3], "as bound, weight, position"),
    ([[1, 1]], "as bound, weight, position"),
    ([[1, 1, 1.0]], "as bound, weight, position"),
    ([[1, True, 1]], "as bound, weight, position"),
    ([[1, 1, 24]], "between 0 and 23"),
    ([[1, 1, -1]], "between 0 and 23"),
    ([[1, 1, 3, 1, 2]], "ascending positions"),
    ([[1, 1, 3, 1, 3]], "ascending positions"),
    ([[1, 2**62, 3]], r"below 2\^62"),
    ([[-(2**62), 1, 3]], r"below 2\^62"),
]


@pytest.mark.parametrize(("rows", "sentence"), MALFORMED)
def test_malformed_constraints_are_rejected(rows: object, sentence: str, seeds: list[int], tmp_path: Path) -> None:
    grouped(tmp_path, seeds[0])
    changed(tmp_path, constraints=rows)
    with pytest.raises(Rejected, match=sentence):
        checked_claim(tmp_path / "0", network(seeds[0]))


def deep(seed: int) -> Network:
    """Return a network whose blocks behind the first are wide: its proofs go by patterns."""
    random = np.random.default_rng(seed)
    first = random.choice([-1, 1], (30, 24))
    blocks = [Block(first, first.sum(axis=1) // 2 + random.integers(-1, 2, 30))]
    for inputs, outputs in ((30, 80), (80, 80)):
        weights = random.choice([-1, 1], (outputs, inputs))
        blocks.append(Block(weights, weights.sum(axis=1) // 2 + random.integers(-1, 2, outputs)))
    return Network(tuple(blocks), Head(random.choice([-1, 1], (2, 80)), [0, 0]))


def test_patterns_are_those_of_the_points_that_obey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each point by itself, and by the words of the first block's neurons, constraints among them."""
    met = 0
    rows = [*one_hot(range(4)), *at_most(1, range(4, 24))]
    for seed in range(40):
        net, folder = deep(seed), tmp_path / str(seed)
        region = Constrained(HammingBall(CENTER, 3), rows)
        with_, without = verdict(net, region), verdict(net, Constrained(region.ball, []))
        if (with_, without) != (Verdict.ROBUST, Verdict.VULNERABLE):
            continue
        folder.mkdir()
        row = written_proof(folder, net, 3, CENTER, rows)
        assert (row.verdict, claim(folder)["by"]) == (Verdict.ROBUST, "patterns")
        for few in (patterns.FEW, 0):
            monkeypatch.setattr(patterns, "FEW", few)
            assert checked_claim(folder / "0", net).patterns > 0
        changed(folder, constraints=[row.row for row in checked_claim(folder / "0", net).claim.constraints][:1])
        for few in (2**18, 0):
            monkeypatch.setattr(patterns, "FEW", few)
            if verdict(net, Constrained(HammingBall(CENTER, 3), rows[:1])) is Verdict.VULNERABLE:
                with pytest.raises(Rejected, match="patterns: expected class"):
                    checked_claim(folder / "0", net)
        monkeypatch.undo()
        met += 1
    assert met
    assert enumeration.FEW == 2**18


def test_an_empty_region_is_proved(tmp_path: Path) -> None:
    for k, rows in enumerate([[NEVER], list(at_least(20, range(24))), [*at_least(2, [0, 1]), *at_most(0, [1])]]):
        folder = tmp_path / str(k)
        folder.mkdir()
        row = written_proof(folder, network(5), 3, CENTER, rows)
        assert row.verdict is Verdict.ROBUST
        assert checked_claim(folder / "0", network(5)).claim.verdict == "ROBUST"


def test_a_folder_of_proofs_lists_its_constraints(tmp_path: Path) -> None:
    net, folder = network(3), tmp_path / "proofs"
    points = Constrained(HammingBall(CENTER, 8), GROUPS).sample(4, seed=1)
    result = prove(net, points, radius=2, folder=folder, constraints=GROUPS)
    assert (result.constraints, result.decided) == (12, True)
    found = check(folder)
    assert found.accepted
    assert found.constraints == 12
    assert found.to_json()["constraints"] == 12
    assert prove(net, points, radius=2, folder=folder, constraints=GROUPS).rows == result.rows  # continued
    for rows in ([], GROUPS[:2]):
        with pytest.raises(BadInput, match="an earlier run with the same constraints"):
            prove(net, points, radius=2, folder=folder, constraints=rows)
    plain = tmp_path / "plain"
    prove(net, points[:1], radius=2, folder=plain)
    assert "constraints" not in json.loads((plain / "proof.json").read_text())
    assert "constraints" not in json.loads((plain / "0" / "claim.json").read_text())
    with pytest.raises(BadInput, match="an earlier run with the same constraints"):
        prove(net, points[:1], radius=2, folder=plain, constraints=GROUPS)


@pytest.mark.parametrize("rows", [None, [[-2, *[1, 0]]], "all", []])
def test_a_list_that_names_other_constraints_is_rejected(rows: object, tmp_path: Path) -> None:
    folder = tmp_path / "proofs"
    prove(network(3), CENTER[None], radius=2, folder=folder, constraints=GROUPS)
    listed = json.loads((folder / "proof.json").read_text())
    listed = {**listed, "constraints": rows} if rows is not None else {k: v for k, v in listed.items() if k != "constraints"}
    (folder / "proof.json").write_text(json.dumps(listed))
    relisted(folder)
    if rows in ("all", []):
        with pytest.raises(BadInput, match=r"expected constraints in proof\.json as a list of rows"):
            check(folder)
        return
    (row,) = check(folder).rows
    assert not row.accepted
    assert "expected the constraints of proof.json" in row.reason


def test_a_distance_under_constraints_is_proved(seeds: list[int], tmp_path: Path) -> None:
    for seed in seeds[:3]:
        net, folder = network(seed), tmp_path / str(seed)
        found = distance(net, CENTER, constraints=GROUPS)
        assert prove_distance(net, CENTER, found, folder=folder, constraints=GROUPS).holds
        checked = check(folder)
        assert checked.accepted
        assert checked.rows[0].distance == (found.low, found.high)
        plain = distance(net, CENTER)
        assert plain.high is not None
        assert plain.high <= 4 < found.low
        with pytest.raises(BadQuery, match="a witness that obeys the constraints"):
            prove_distance(net, CENTER, plain, folder=tmp_path / "other", constraints=GROUPS)


def test_the_command_line_checks_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = network(3)
    save(net, tmp_path / "m.npz")
    prove(net, CENTER[None], radius=2, folder=tmp_path / "p", constraints=[*GROUPS, weighted({0: 2, 5: -1}, -1)])
    assert main(["check", str(tmp_path / "p"), "--model", str(tmp_path / "m.npz")]) == 0
    assert "under 13 constraints" in " ".join(capsys.readouterr().out.split())
