"""Proofs of whole networks: from the command line, of trained networks, and of the smallest there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import Samples, load, read_input, save
from bnnverify.checker.sample import checked_claim
from bnnverify.errors import BadInput
from bnnverify.problem.budget import Budget
from bnnverify.queries.execution.events import Worker
from bnnverify.queries.proofs import prove as prove_verb
from bnnverify.queries.proofs.check import check
from bnnverify.queries.proofs.prove import prove
from tests.support.proven import center, network, proven
from tests.support.requirements import DATA, needs_data
from tests.support.roof import plain, run_command
from tests.support.zoo import majority

SEED = 17  # ROBUST, by a trace of several lemmas


def test_nothing_is_no_proof(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(BadInput, match="expected"):
            check(path)


@pytest.mark.parametrize("radius", [0, 1, 6])
def test_a_head_alone_and_small_balls(radius: int, tmp_path: Path) -> None:
    """No flips, one flip, and all of them; a tie of the zoo's majority is class 0."""
    net = majority(6)
    row = proven(tmp_path, 3, radius, net)
    assert checked_claim(tmp_path / "0", net).claim.verdict == row.verdict.value
    (tmp_path / "tail").mkdir()
    row = proven(tmp_path / "tail", 3, min(radius, 1), net.tail(1))
    assert checked_claim(tmp_path / "tail" / "0", net.tail(1)).claim.verdict == row.verdict.value


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(network(SEED), tmp_path / "model.npz")
    np.savez(tmp_path / "data.npz", x=np.stack([center(SEED), center(4)]))
    arguments = [str(tmp_path / "model.npz"), str(tmp_path / "data.npz"), "--radius", "3", "--proof", str(tmp_path / "proofs")]
    assert plain(capsys, "certify", *arguments)["verdicts"] == {"ROBUST": 1, "VULNERABLE": 1, "UNKNOWN": 0}
    code, out, _ = run_command(capsys, "check", str(tmp_path / "proofs"), "--model", str(tmp_path / "model.npz"))
    assert code == 0
    assert "accepted: 1 ROBUST, 1 VULNERABLE; of 2 samples" in out
    assert plain(capsys, "check", str(tmp_path / "proofs"))["accepted"] is True
    (tmp_path / "proofs" / "0" / "trace.drup").write_text("0\n")
    code, out, _ = run_command(capsys, "check", str(tmp_path / "proofs"))
    assert code == 1
    assert "REJECTED" in out
    assert run_command(capsys, "check", str(tmp_path))[0] == 2
    assert run_command(capsys, "certify", *arguments, "--count")[0] == 2
    assert run_command(capsys, "certify", *arguments, "--engine", "bits")[0] == 2
    code, _, err = run_command(capsys, "certify", *arguments[:-1], str(tmp_path / "no" / "proofs"))
    assert (code, "expected a folder in a folder that exists" in err, (tmp_path / "no").exists()) == (2, True, False)


@needs_data
@pytest.mark.parametrize(("model", "radius"), [("mnist-100-bnn_2blk_25_10.pt", 2), ("mnist-400-bnn_2blk_50_20.pt", 3)])
def test_trained_networks(model: str, radius: int, tmp_path: Path) -> None:
    net = load(DATA / "npaq-models" / model)
    bits = np.stack([read_input(f"mnist:{i}", net, data_dir=DATA) for i in range(5)])
    result = prove(net, Samples(bits, None, tuple(range(5)), "mnist"), radius=radius, folder=tmp_path / "p", jobs=2)
    assert result.decided
    assert check(tmp_path / "p").accepted


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize("by", ["codes", "patterns"])
def test_784_pixels_at_radius_3(by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if by == "patterns":  # in this process, where it can be told not to look at codes
        monkeypatch.setattr("bnnverify.queries.engines.first_layer_codes.MOST_CODES", 0)

        def here(_: object, work: Any, questions: Any, limits: Budget) -> Any:
            return ((key, work(Worker(print, limits, {}), questioned[0].value, questioned[1])) for key, questioned in questions)

        monkeypatch.setattr(prove_verb, "run", here)
    net = load(DATA / "msakai-bnn" / "mnist.npz")
    assert net.coding is not None
    seven = Samples(read_input("mnist:7", net, data_dir=DATA)[None], None, (7,), "mnist")
    prove(net, seven, radius=3, free=net.coding.flippable, folder=tmp_path / "p")
    (row,) = check(tmp_path / "p").rows
    assert row.accepted
    assert (row.verdict, row.by) == ("ROBUST", by)
