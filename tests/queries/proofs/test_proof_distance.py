"""Distances with proofs: both sides are shown, and a claim that says more than its proof is rejected."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import BadQuery, Becomes, Checked, Disagreement, InputCoding, Verdict, distance, prove_distance, read_input, save
from bnnverify.cli import BAD, DECIDED, OPEN
from bnnverify.errors import BadInput
from bnnverify.formats import load
from bnnverify.problem.budget import Budget
from bnnverify.queries.proofs.check import check
from bnnverify.report.proof_table import check_sentences
from tests.support.proven import center, network, relisted
from tests.support.requirements import DATA, needs_data
from tests.support.roof import plain, run_command
from tests.support.zoo import majority

Capture = pytest.CaptureFixture[str]
SEED, FLIPS = 17, 5  # its distance, which test_the_distance_is_known holds against enumeration; 4 flips are refuted by a trace


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the proof of one distance."""
    folder = tmp_path_factory.mktemp("distance") / "made"
    found = distance(network(SEED), center(SEED))
    assert prove_distance(network(SEED), center(SEED), found, folder=folder, index=7, label=1).holds
    return folder


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def rewritten(folder: Path, *, claim: dict[str, Any] | None = None, row: dict[str, Any] | None = None, **listed: Any) -> None:
    """Write other fields into the claim, its row and the list, and all fingerprints anew, as whoever forges a proof would."""
    path = folder / "7" / "claim.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **(claim or {})}))
    manifest = json.loads((folder / "proof.json").read_text())
    manifest["rows"]["7"] = {**manifest["rows"]["7"], **(row or {})}
    (folder / "proof.json").write_text(json.dumps({**manifest, **listed}))
    relisted(folder)


def only(folder: Path) -> Checked:
    (row,) = check(folder).rows
    return row


def refused(folder: Path) -> str:
    row = only(folder)
    assert (row.accepted, row.distance) == (False, None)
    assert not any("distance of input" in sentence for sentence in check_sentences(check(folder)))
    return row.reason


def test_the_distance_is_known() -> None:
    """Every point within 5 flips is put to the network itself."""
    net, bits = network(SEED), center(SEED)
    for flips in range(FLIPS + 1):
        points = np.array([bits ^ np.isin(np.arange(24), chosen) for chosen in combinations(range(24), flips)], dtype=np.uint8)
        assert np.any(net(points) != net(bits)) == (flips == FLIPS)


def test_an_exact_distance_is_accepted(made: Path) -> None:
    result = check(made, network=network(SEED))
    assert result.accepted
    (row,) = result.rows
    assert (row.index, row.verdict, row.by, row.distance) == (7, "ROBUST", "trace", (FLIPS, FLIPS))
    (sentence,) = [line for line in check_sentences(result) if line.startswith("distance")]
    assert sentence == "distance of input 7 is exactly 5: nothing nearer changes the answer, the witness does"


def test_one_flip_more_is_rejected(copied: Path) -> None:
    rewritten(copied, row={"distance": [FLIPS + 1, FLIPS + 1]})
    assert refused(copied) == "claim.json: expected the distance of proof.json, [6, 6], got [5, 5]"
    rewritten(copied, claim={"radius": FLIPS}, radius=FLIPS)
    assert refused(copied) == f"witness: expected more than {FLIPS} flips of free positions, got {_flips(copied)}"
    bits = json.loads((copied / "7" / "claim.json").read_text())["bits"]
    further = "".join("10"[int(bit)] for bit in bits)  # all 24 bits flipped, whatever its class: the bound itself does not hold
    rewritten(copied, claim={"witness": further if _leaves(further) else None}, row={"distance": [FLIPS + 1, 24]})
    assert "witness" not in refused(copied)


def _flips(folder: Path) -> list[int]:
    claim = json.loads((folder / "7" / "claim.json").read_text())
    return [i for i, (a, b) in enumerate(zip(claim["bits"], claim["witness"], strict=True)) if a != b]


def _leaves(bits: str) -> bool:
    net = network(SEED)
    return int(net(np.array([list(bits)], dtype=np.uint8))[0]) != net(center(SEED))


@pytest.mark.parametrize("claimed", [[1, 1], [FLIPS, None], [FLIPS], "5", None, {"low": FLIPS}], ids=str)
def test_other_distances_are_rejected(claimed: object, copied: Path) -> None:
    rewritten(copied, row={"distance": claimed})
    assert "expected the distance of proof.json" in refused(copied)


def test_a_missing_witness_is_rejected(copied: Path) -> None:
    rewritten(copied, claim={"witness": None})
    assert refused(copied) == f"claim.json: expected the distance of proof.json, [{FLIPS}, {FLIPS}], got [{FLIPS}, None]"


def test_a_witness_that_changes_nothing_is_rejected(copied: Path) -> None:
    bits = json.loads((copied / "7" / "claim.json").read_text())["bits"]
    rewritten(copied, claim={"witness": bits})
    assert "expected more than 4 flips" in refused(copied)
    flipped = next(word for word in (_with(bits, range(k, k + 6)) for k in range(19)) if not _leaves(word))
    rewritten(copied, claim={"witness": flipped}, row={"distance": [FLIPS, 6]})
    assert "expected another class than" in refused(copied)


def _with(bits: str, flips: range) -> str:
    return "".join("10"[int(bit)] if i in flips else bit for i, bit in enumerate(bits))


def test_a_witness_outside_the_free_positions_is_rejected(copied: Path) -> None:
    free = [i for i in range(24) if i != _flips(copied)[0]]
    rewritten(copied, claim={"free": free}, free=free)
    assert "of free positions" in refused(copied)


def test_a_truncated_trace_is_rejected(copied: Path) -> None:
    path = copied / "7" / "trace.drup"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    rewritten(copied)
    assert "expected the empty clause at its end" in refused(copied)


def test_vulnerable_has_no_distance(copied: Path) -> None:
    """A witness alone says nothing of what lies nearer."""
    row = json.loads((copied / "proof.json").read_text())["rows"]["7"]["row"]
    rewritten(
        copied,
        claim={"verdict": "VULNERABLE", "by": "witness", "radius": FLIPS},
        row={"row": {**row, "verdict": "VULNERABLE"}},
        radius=FLIPS,
    )
    assert "expected the distance of proof.json" in refused(copied)


def test_a_stopped_distance_is_proved_as_far_as_it_goes(tmp_path: Path) -> None:
    complete = distance(network(SEED), center(SEED))
    stopped = replace(complete, low=3, reason="stopped after 1 s")
    assert prove_distance(network(SEED), center(SEED), stopped, folder=tmp_path / "a").radius == 2
    result = check(tmp_path / "a")
    assert result.accepted
    assert result.rows[0].distance == (3, FLIPS)
    assert "distance of input 0 is between 3 and 5" in check_sentences(result)
    open_ = replace(complete, low=2, high=None, witness=None, reason="stopped after 1 s")
    assert prove_distance(network(SEED), center(SEED), open_, folder=tmp_path / "b").holds
    assert "distance of input 0 is at least 2" in check_sentences(check(tmp_path / "b"))


@pytest.mark.parametrize("flips", [0, 1, 2])
def test_no_flips_and_the_nearest(flips: int, tmp_path: Path) -> None:
    """So many free positions of majority(5), all others 0: three ones are needed, two are not enough."""
    net, bits = majority(5), np.zeros(5, dtype=np.uint8)
    found = distance(net, bits, free=range(flips))
    assert (found.exact, found.high, found.low) == (True, None, flips + 1)
    assert prove_distance(net, bits, found, folder=tmp_path / "p", free=range(flips)).holds
    sentence = f"distance of input 0 is more than {flips}: no flips of the {flips} bits change the answer"
    assert sentence in check_sentences(check(tmp_path / "p"))


def test_no_time_for_a_proof_is_a_reason(tmp_path: Path) -> None:
    found = distance(network(SEED), center(SEED))
    proof = prove_distance(network(SEED), center(SEED), found, folder=tmp_path / "p", budget=Budget(1e-9))
    assert (proof.verdict, proof.holds) == (Verdict.UNKNOWN, False)
    assert proof.reason.startswith("stopped after")
    assert not check(tmp_path / "p").accepted


def test_a_wrong_distance_is_refused(tmp_path: Path) -> None:
    net, bits = network(SEED), center(SEED)
    found = distance(net, bits)
    with pytest.raises(BadQuery, match="leaving class"):
        prove_distance(net, bits, distance(net, bits, event=Becomes(0)), folder=tmp_path / "p")
    with pytest.raises(BadQuery, match="in norm 1"):
        prove_distance(net, bits, replace(found, norm="1"), folder=tmp_path / "p")
    with pytest.raises(BadQuery, match="flips free positions only"):
        prove_distance(net, bits, found, free=np.setdiff1d(np.arange(24), found.witness.flips), folder=tmp_path / "p")  # type: ignore[union-attr]
    with pytest.raises(BadQuery, match="index: expected a number of at least 0"):
        prove_distance(net, bits, found, index=-1, folder=tmp_path / "p")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    with pytest.raises(BadInput, match="new or empty folder, got one with files"):
        prove_distance(net, bits, found, folder=tmp_path / "full")
    with pytest.raises(Disagreement, match="expected nothing nearer than 6"):
        prove_distance(net, bits, replace(found, low=6, high=6), folder=tmp_path / "p")


def test_the_command_line(tmp_path: Path, capsys: Capture) -> None:
    save(network(SEED), tmp_path / "model.npz")
    np.savez(tmp_path / "data.npz", x=np.stack([center(4), center(SEED)]))
    question = ("distance", str(tmp_path / "model.npz"), f"{tmp_path / 'data.npz'}:1")
    code, out, _ = run_command(capsys, *question, "--proof", str(tmp_path / "p"))
    assert code == DECIDED
    assert "proof that the answer stays" in out
    assert "within 4 flips" in out
    code, out, _ = run_command(capsys, "check", str(tmp_path / "p"), "--model", str(tmp_path / "model.npz"))
    assert code == DECIDED
    assert f"distance of input 1 is exactly {FLIPS}" in out
    assert plain(capsys, "check", str(tmp_path / "p"))["rows"][0]["distance"] == [FLIPS, FLIPS]
    found = plain(capsys, *question, "--proof", str(tmp_path / "q"))["proof"]
    assert (found["verdict"], found["radius"], found["folder"]) == ("ROBUST", 4, str(tmp_path / "q"))
    assert plain(capsys, *question)["proof"] is None
    for words, sentence in (
        (("--norm", "1"), "expected no --norm but 0"),
        (("--event", "becomes:0"), "expected the event leaves"),
        (("--tolerance", "0.1"), "expected no --tolerance"),
    ):
        code, out, err = run_command(capsys, *question, "--proof", str(tmp_path / "no"), *words)
        assert (code, out, sentence in err) == (BAD, "", True)
    for taken in (tmp_path / "p", tmp_path / "data.npz", tmp_path / "no" / "p"):
        assert run_command(capsys, *question, "--proof", str(taken))[0] == BAD
    assert not (tmp_path / "no").exists()


def test_no_time_and_ctrl_c_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    save(network(SEED), tmp_path / "model.npz")
    question = ("distance", str(tmp_path / "model.npz"), "".join(map(str, center(SEED))))

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bnnverify.queries.proofs.prove_distance.attempted", interrupted)
        code, out, _ = run_command(capsys, *question, "--proof", str(tmp_path / "p"))
        assert (code, f"distance {FLIPS} (exact)" in out) == (OPEN, True)
        assert "within 4 flips: interrupted" in out
    monkeypatch.setattr("bnnverify.queries.planning.session.Session.pose", interrupted)
    code, out, _ = run_command(capsys, *question, "--proof", str(tmp_path / "q"))
    assert (code, "no proof" in out, (tmp_path / "q").exists()) == (OPEN, True, False)


def test_norm_0_is_the_same_within_what_pixels_can_flip(tmp_path: Path, capsys: Capture) -> None:
    coding = InputCoding(np.array([100, 100, 100, 100, 0]))  # no value of the last pixel is below 0
    save(replace(majority(5), coding=coding), tmp_path / "pixels.npz")
    np.save(tmp_path / "picture.npy", np.array([95, 96, 97, 40, 7]))
    question = ("distance", str(tmp_path / "pixels.npz"), str(tmp_path / "picture.npy"), "--norm", "0")
    assert plain(capsys, *question, "--proof", str(tmp_path / "p"))["proof"]["verdict"] == "ROBUST"
    found = plain(capsys, "check", str(tmp_path / "p"))
    assert (found["accepted"], found["free"], found["rows"][0]["distance"]) == (True, 4, [2, 2])


@needs_data
@pytest.mark.slow
def test_784_pixels(tmp_path: Path) -> None:
    net = load(DATA / "msakai-bnn" / "mnist.npz")
    assert net.coding is not None
    seven, free = read_input("mnist:7", net, data_dir=DATA), net.coding.flippable
    found = distance(net, seven, free=free)
    assert prove_distance(net, seven, found, folder=tmp_path / "p", free=free, index=7).holds
    assert check_sentences(check(tmp_path / "p"))[0].startswith("distance of input 7 is exactly 4: nothing nearer")
