"""The list of a folder of proofs: what it says of samples and files is what their proofs show, or it is rejected."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import Block, Head, Network, Samples
from bnnverify.errors import BadInput
from bnnverify.queries.proofs.check import check
from bnnverify.queries.proofs.prove import prove
from bnnverify.report.proof_table import check_sentences
from tests.support.proven import RADIUS, SEED, network, reason, relisted, samples

TRACED, WITNESS = str(SEED), "3"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the proofs of four samples of one network: 3 is VULNERABLE, the others ROBUST by a trace."""
    folder = tmp_path_factory.mktemp("proofs") / "made"
    assert prove(network(SEED), samples(SEED, 1, 2, 3), radius=RADIUS, folder=folder).decided
    return folder


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def relist(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what proof.json says, in place."""
    listed = json.loads((folder / "proof.json").read_text())
    change(listed)
    (folder / "proof.json").write_text(json.dumps(listed))


ROWS: list[tuple[str, dict[str, Any]]] = [
    *((name, {name: value}) for name, value in (("label", 3), ("predicted", 9), ("predicted", True), ("predicted", None))),
    ("index of the row", {"index": 2}),
    ("adversarial", {"adversarial": {"low": 5, "high": 5, "confidence": 1.0}}),
    ("adversarial", {"adversarial": {"low": 0, "high": 0, "confidence": 0.5}}),
    ("adversarial", {"adversarial": None}),
]


@pytest.mark.parametrize(("name", "fields"), ROWS, ids=str)
@pytest.mark.parametrize("index", [TRACED, WITNESS])
def test_a_changed_row_is_rejected(index: str, name: str, fields: dict[str, Any], copied: Path) -> None:
    relist(copied, lambda listed: listed["rows"][index]["row"].update(fields))
    assert f"expected the {name} of proof.json" in reason(copied, int(index))


def test_a_changed_verdict_is_rejected(copied: Path) -> None:
    relist(copied, lambda listed: listed["rows"][TRACED]["row"].update(verdict="VULNERABLE"))
    assert "expected the verdict of proof.json" in reason(copied)


def test_another_sample_is_rejected(copied: Path) -> None:
    relist(copied, lambda listed: listed["rows"][TRACED].update(sample="0" * 64))
    assert "expected the sample of proof.json" in reason(copied)


@pytest.mark.parametrize("lost", ["formula.cnf", "meanings.txt", "trace.drup", "claim.json"])
def test_a_file_that_is_not_listed_is_not_read(lost: str, copied: Path) -> None:
    relist(copied, lambda listed: listed["rows"][TRACED]["files"].pop(lost))
    assert "expected the files claim.json, and with a trace formula.cnf, meanings.txt, trace.drup" in reason(copied)


def test_a_trace_has_all_its_files_and_nothing_else_has_them(copied: Path) -> None:
    for name in ("formula.cnf", "meanings.txt", "trace.drup"):
        shutil.copy(copied / TRACED / name, copied / WITNESS / name)
        relist(copied, lambda listed: listed["rows"][WITNESS]["files"].update({name: {}}))  # noqa: B023 - called at once
        (copied / TRACED / name).unlink()
        relist(copied, lambda listed: listed["rows"][TRACED]["files"].pop(name))  # noqa: B023
    relisted(copied)
    assert "expected the files of proof.json" in reason(copied, int(WITNESS))
    assert "formula.cnf: expected an ordinary file, got none" in reason(copied)


@pytest.mark.parametrize("size", [0, None, "9", True, 1e3])
def test_another_size_is_rejected(size: object, copied: Path) -> None:
    relist(copied, lambda listed: listed["rows"][TRACED]["files"]["trace.drup"].update(size=size))
    assert "trace.drup: expected the file that proof.json lists" in reason(copied)
    relist(copied, lambda listed: listed["files"]["model.npz"].update(size=size))
    with pytest.raises(BadInput, match=r"model\.npz: expected the file that proof\.json lists"):
        check(copied)


def test_a_damaged_model_is_refused_by_name(copied: Path) -> None:
    (copied / "model.npz").write_bytes((copied / "model.npz").read_bytes()[:-40])
    with pytest.raises(BadInput, match=r"model\.npz: expected"):
        check(copied)


def test_no_samples_are_no_proof(copied: Path) -> None:
    relist(copied, lambda listed: listed.update(wanted=[], rows={}))
    with pytest.raises(BadInput, match="expected at least one wanted sample"):
        check(copied)


def test_words_of_a_file_stay_on_one_line(copied: Path) -> None:
    """A verdict that looks like the next row of the table."""
    path = copied / TRACED / "claim.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "verdict": "x\n17 ROBUST\x1b[2K\u202e"}))
    relisted(copied)
    assert reason(copied) == "claim.json: expected the verdict ROBUST, got x 17 ROBUST [2K"
    assert all(len(sentence.splitlines()) == 1 for sentence in check_sentences(check(copied)))


def test_a_link_to_a_sample_is_rejected(copied: Path) -> None:
    (copied / TRACED).rename(copied / "x")
    (copied / TRACED).symlink_to("x")
    assert reason(copied) == f"{TRACED}: expected an ordinary folder, got a link"


def test_more_points_than_64_bits_count(tmp_path: Path) -> None:
    """200 bits and 40 flips: the row of a VULNERABLE sample has a number of 43 digits, here and when the run is continued."""
    net = Network((Block(np.ones((1, 200), dtype=int), [100]),), Head([[1], [0]], [0, 1]))
    requested = Samples(np.array([[0, 1] * 100], dtype=np.uint8), None, (0,), "made")
    for _ in range(2):
        prove(net, requested, radius=40, folder=tmp_path / "p")
        assert check(tmp_path / "p").accepted


def test_missing_files_and_links_are_rejected(copied: Path) -> None:
    (copied / "1" / "claim.json").unlink()
    assert "expected an ordinary file, got none" in reason(copied, 1)
    (copied / "1" / "claim.json").symlink_to(copied / "2" / "claim.json")
    assert "got a link" in reason(copied, 1)
    shutil.rmtree(copied / "2")
    assert "expected an ordinary folder, got none" in reason(copied, 2)
    assert [row.accepted for row in check(copied).rows] == [False, False, True, True]


def test_swapped_samples_are_rejected(copied: Path) -> None:
    (copied / "1").rename(copied / "x")
    (copied / "2").rename(copied / "1")
    (copied / "x").rename(copied / "2")
    relisted(copied)
    assert "expected the index of proof.json" in reason(copied, 1)


LISTS: list[dict[str, Any]] = [{"version": 99}, {"format": 1}, {"model_sha256": 5}, {"wanted": "all"}, {"wanted": [1, 1]}]


@pytest.mark.parametrize("change", [*LISTS, {"rows": []}, {"rows": {"../x": {}}}], ids=str)
def test_a_foreign_list_is_refused(change: dict[str, Any], copied: Path) -> None:
    listed = json.loads((copied / "proof.json").read_text())
    (copied / "proof.json").write_text(json.dumps({**listed, **change}))
    with pytest.raises(BadInput, match="expected"):
        check(copied)


@pytest.mark.parametrize("entry", [None, {}, {"row": {}}, {"row": {"verdict": "ROBUST"}, "files": {"../../x": {}}}], ids=str)
def test_a_foreign_row_is_rejected(entry: object, copied: Path) -> None:
    listed = json.loads((copied / "proof.json").read_text())
    listed["rows"]["1"] = entry
    (copied / "proof.json").write_text(json.dumps(listed))
    assert "expected" in reason(copied, 1)
