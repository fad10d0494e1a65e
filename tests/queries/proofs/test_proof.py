"""Proofs in folders: written, continued, checked, and rejected once anything in them is changed."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import HammingBall, Leaves, Query, Samples, attack, save
from bnnverify.checker.sample import checked_claim
from bnnverify.errors import BadInput, BadQuery, Rejected
from bnnverify.problem.budget import Budget
from bnnverify.queries.proofs.check import check
from bnnverify.queries.proofs.prove import prove
from bnnverify.results.finding import Verdict
from tests.support.proven import RADIUS, SEED, center, changed, checked, network, proven, reason, relisted, samples, written_proof
from tests.support.zoo import majority


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the proofs of four samples of one network."""
    folder = tmp_path_factory.mktemp("proofs") / "made"
    result = prove(network(SEED), samples(SEED, 1, 2, 3), radius=RADIUS, folder=folder)
    assert result.decided
    return folder


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def test_proofs_are_accepted_and_agree_with_other_engines(made: Path) -> None:
    result = check(made, network=network(SEED))
    assert result.accepted
    assert [row.index for row in result.rows] == [1, 2, 3, SEED]
    for row in result.rows:
        ball = HammingBall(center(row.index), RADIUS)
        query = Query(network(SEED), ball, Leaves(network(SEED)(ball.center)))
        assert row.verdict == attack(query, engine="bits").finding.verdict.value
    traced = result.rows[-1]
    assert (traced.verdict, traced.by) == ("ROBUST", "trace")
    assert traced.lemmas > 1
    assert not list(made.glob(".draft*"))


def test_a_finished_folder_is_not_proved_again(copied: Path) -> None:
    before = (copied / str(SEED) / "claim.json").stat().st_mtime_ns
    requested: list[int] = []
    result = prove(
        network(SEED), samples(SEED, 1, 4), radius=RADIUS, folder=copied, progress=lambda row, *_: requested.append(row.index)
    )
    assert requested == [4]
    assert len(result.rows) == 3
    assert (copied / str(SEED) / "claim.json").stat().st_mtime_ns == before
    assert check(copied).accepted
    assert check(copied).wanted == 5


def test_other_work_is_refused(copied: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="same model"):
        prove(network(0), samples(1), radius=RADIUS, folder=copied)
    with pytest.raises(BadInput, match="same radius"):
        prove(network(SEED), samples(1), radius=2, folder=copied)
    with pytest.raises(BadInput, match="another sample 1"):
        prove(network(SEED), Samples(center(2)[None], None, (1,), "x"), radius=RADIUS, folder=copied)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    with pytest.raises(BadInput, match="got other files"):
        prove(network(SEED), samples(1), radius=RADIUS, folder=tmp_path / "full")
    with pytest.raises(BadQuery, match="jobs"):
        prove(network(SEED), samples(1), radius=RADIUS, folder=tmp_path / "x", jobs=0)


def test_no_time_is_unknown_and_leaves_no_proof(tmp_path: Path) -> None:
    result = prove(network(SEED), samples(SEED), radius=RADIUS, folder=tmp_path / "p", budget=Budget(1e-9))
    assert [row.verdict for row in result.rows] == [Verdict.UNKNOWN]
    assert not (tmp_path / "p" / str(SEED)).exists()
    assert not check(tmp_path / "p").accepted
    assert "nothing to check" in reason(tmp_path / "p")
    assert prove(network(SEED), samples(SEED), radius=RADIUS, folder=tmp_path / "p").decided


@pytest.mark.parametrize("lines", [0, 1, 2])
def test_a_truncated_trace_is_rejected(lines: int, copied: Path) -> None:
    path = copied / str(SEED) / "trace.drup"
    text = path.read_text().splitlines(keepends=True)
    path.write_text("".join(text[:lines]))
    assert "expected the file" in reason(copied)
    relisted(copied)
    assert "expected the empty clause at its end, got none" in reason(copied)


def test_lemmas_left_out_are_missed(copied: Path) -> None:
    (copied / str(SEED) / "trace.drup").write_text("0\n")
    relisted(copied)
    assert "lemma 1 does not follow by unit propagation" in reason(copied)


CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"radius": 4}, "expected sum, bound and move|ones 4|does not follow"),
    ({"radius": 2}, "expected the radius of proof.json|does not follow|move"),
    ({"radius": 99}, "radius between"),
    ({"radius": True}, "whole number for radius"),
    ({"radius": "3"}, "whole number for radius"),
    ({"bits": "0" * 24}, "expected"),
    ({"bits": "0" * 23}, "24 characters"),
    ({"bits": None}, "24 characters"),
    ({"predicted": 9}, "which the model gives"),
    ({"model_sha256": "0" * 64}, "expected the model_sha256 of model.npz"),
    ({"version": 2}, "version 1, got 'bnnverify proof' version 2"),
    ({"version": True}, "version 1, got 'bnnverify proof' version True"),
    ({"version": 1.0}, "version 1, got 'bnnverify proof' version 1.0"),
    ({"label": "seven"}, "whole number for label"),
    ({"label": True}, "whole number for label"),
    ({"author": "me"}, "expected no field author"),
    ({"format": "other"}, "expected the format"),
    ({"verdict": "VULNERABLE"}, "expected the verdict ROBUST"),
    ({"by": "margins"}, "margins that leave class"),
    ({"by": "faith"}, "one of margins"),
    ({"by": "witness"}, "one of margins"),
    ({"classes": [0]}, "classes that are left"),
    ({"free": [0, 1, 2]}, "expected"),
    ({"free": [99]}, "free positions ascending"),
    ({"free": "all"}, "a list for free"),
    ({"folded": []}, "folded neurons for 2 blocks"),
    ({"folded": [[[1, 2]], []]}, "rows of 5"),
    ({"folded": [[[0, 1, 10**18, 0, 0]], []]}, "expected sum, bound and move"),
    ({"folded": [[[-1, 1, 0, 0, 0]], []]}, "each folded neuron of the block once"),
    ({"dropped": [[0, 0, 0, 0, 0]]}, "another class as its rival"),
    ({"pixels": {"thresholds": []}}, "expected the pixels of model.npz"),
    ({"witness": "0" * 24}, "witness: expected another class|more than 3 flips"),
]


@pytest.mark.parametrize(("fields", "words"), CLAIMS, ids=[f"{fields}"[:40] for fields, _ in CLAIMS])
def test_a_changed_claim_is_rejected(fields: dict[str, Any], words: str, tmp_path: Path) -> None:
    proven(tmp_path, SEED)
    assert checked(tmp_path, SEED).lemmas > 1
    changed(tmp_path, **fields)
    with pytest.raises(Rejected, match=words):
        checked(tmp_path, SEED)


@pytest.mark.parametrize("field", ["pixels", "witness", "label", "free", "by"])
def test_a_missing_field_is_rejected(field: str, tmp_path: Path) -> None:
    proven(tmp_path, SEED)
    path = tmp_path / "0" / "claim.json"
    path.write_text(json.dumps({name: value for name, value in json.loads(path.read_text()).items() if name != field}))
    with pytest.raises(Rejected, match=f"expected a field {field}, got none"):
        checked(tmp_path, SEED)


def test_more_variables_than_memory_holds_are_rejected(tmp_path: Path) -> None:
    """The formula may name 10^8 variables in 20 bytes; only what the meanings define is kept."""
    proven(tmp_path, SEED)
    (tmp_path / "0" / "formula.cnf").write_text("p cnf 100000000 0\n")
    tracemalloc.start()
    try:
        with pytest.raises(Rejected, match="expected a definition of each variable"):
            checked(tmp_path, SEED)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_patterns_do_not_replace_a_proof_that_does_not_hold(tmp_path: Path) -> None:
    """The claim may say that all points were looked at: the checker looks itself."""
    proven(tmp_path, SEED)
    changed(tmp_path, by="patterns")
    assert checked(tmp_path, SEED).patterns > 1
    (tmp_path / "no").mkdir()
    assert proven(tmp_path / "no", 1).verdict is Verdict.VULNERABLE
    changed(tmp_path / "no", by="patterns", witness=None, verdict="ROBUST", folded=[[], []], dropped=[], classes=[0, 1, 2, 3])
    with pytest.raises(Rejected, match="patterns: expected class"):
        checked(tmp_path / "no", 1)


def test_a_changed_witness_is_rejected(tmp_path: Path) -> None:
    proven(tmp_path, 1)
    claim = json.loads((tmp_path / "0" / "claim.json").read_text())
    changed(tmp_path, witness=claim["bits"])
    with pytest.raises(Rejected, match="another class than"):
        checked(tmp_path, 1)
    changed(tmp_path, witness="".join("10"[int(bit)] for bit in claim["bits"]))
    with pytest.raises(Rejected, match="at most 3 flips"):
        checked(tmp_path, 1)


CHANGES = [
    ("flip 2 0", "flip 2 1", "flip of each free position|one literal"),
    ("flip 2 0", "", "definition of each variable"),
    ("ones 1 ", "ones 7 ", "ones 1: expected a literal|one literal"),
    ("neuron 0 ", "neuron 5 ", "expected a margin or a literal|defined by the row"),
    ("beats ", "beats 1", "beats"),
    ("var 1 0", "var 1 1", "does not follow"),
    ("var 1 0", "var 1 0 1 1", "smaller variables"),
    ("var 1 0", "var 1", "expected lines"),
    ("var 1 0", "what 1 0", "expected lines"),
    ("var 1 0", "var 999999 0", "one definition of each|a definition of each"),
]


@pytest.mark.parametrize(("old", "new", "words"), CHANGES)
def test_other_definitions_are_rejected(old: str, new: str, words: str, tmp_path: Path) -> None:
    proven(tmp_path, SEED)
    path = tmp_path / "0" / "meanings.txt"
    text = path.read_text()
    path.write_text("".join(line + "\n" for line in text.replace(old, new, 1).splitlines() if line))
    with pytest.raises(Rejected, match=words):
        checked(tmp_path, SEED)


def test_forged_formulas_of_a_vulnerable_sample_are_rejected(tmp_path: Path) -> None:
    """The meanings are right; the clauses say too much, or the trace does, or the constant is not variable 1 and left out."""
    net = majority(6)
    folder = tmp_path / "0"
    written_proof(tmp_path, net, 1, np.array([1, 1, 1, 1, 0, 0], dtype=np.uint8))
    assert checked_claim(folder, net).claim.verdict == "VULNERABLE"
    changed(tmp_path, by="trace", verdict="ROBUST", witness=None, folded=[[]], classes=[0, 1])
    flips = [f"flip {i + 2} {i}" for i in range(6)]
    neuron = "var 8 0 -1 2 -1 3 -1 4 -1 5 1 6 1 7"
    (folder / "meanings.txt").write_text("\n".join([*flips, "var 1 0", neuron, "neuron 0 0 8", "beats 0 8"]))
    (folder / "trace.drup").write_text("0\n")
    for clause, words in (("8 0", "clause 2 does not follow"), ("-8 0", "lemma 1 does not follow")):
        (folder / "formula.cnf").write_text(f"p cnf 8 2\n1 0\n{clause}\n")
        with pytest.raises(Rejected, match=words):
            checked_claim(folder, net)
    one = ["flip 1 0", *flips[1:], "var 8 0 -1 1 -1 3 -1 4 -1 5 1 6 1 7", "var 2 0", "neuron 0 0 8", "beats 0 8"]
    (folder / "meanings.txt").write_text("\n".join(one))
    (folder / "formula.cnf").write_text("p cnf 8 1\n0\n")
    with pytest.raises(Rejected, match="clause 1 does not follow"):
        checked_claim(folder, net)


def test_a_network_without_classes_is_rejected(tmp_path: Path) -> None:
    proven(tmp_path, SEED)
    with pytest.raises(Rejected, match="without a head"):
        checked_claim(tmp_path / "0", network(SEED).prefix(1))


def test_another_clause_is_rejected(tmp_path: Path) -> None:
    proven(tmp_path, SEED)
    path = tmp_path / "0" / "formula.cnf"
    head, *rest = path.read_text().splitlines()
    _, _, variables, count = head.split()
    path.write_text("\n".join([f"p cnf {variables} {int(count) + 1}", *rest, "-2 -3 0"]))
    with pytest.raises(Rejected, match=rf"clause {int(count) + 1} does not follow"):
        checked(tmp_path, SEED)


def test_another_model_is_refused(copied: Path) -> None:
    with pytest.raises(BadInput, match="expected proofs about model "):
        check(copied, network=network(0))
    save(network(0), copied / "model.npz")
    with pytest.raises(BadInput, match=r"expected proofs about model\.npz"):
        check(copied)
