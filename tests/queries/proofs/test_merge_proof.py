"""In proofs, neurons that say the same share a literal, and the checker sees that they may: a wrong merge is rejected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify.checker.sample import checked_claim
from bnnverify.encoders.clauses import annotated, cnf
from bnnverify.encoders.presolve.merge import Equivalence, Merged
from bnnverify.errors import BnnVerifyError, Rejected
from bnnverify.model.matrix import Dense
from bnnverify.model.network import Network
from bnnverify.results.finding import Verdict
from tests.support.proven import proven
from tests.support.random_networks import planted

Patch = pytest.MonkeyPatch
WIDTHS = (24, 6, 5, 4)
SEEDS = (1, 8, 10, 48, 58, 73, 128, 140)  # ROBUST at radius 3 by a trace, with neurons of all three kinds


def literals(folder: Path) -> dict[tuple[int, int], int]:
    rows = [line.split(" ") for line in (folder / "0" / "meanings.txt").read_text().splitlines()]
    return {(int(row[1]), int(row[2])): int(row[3]) for row in rows if row[0] == "neuron"}


@pytest.mark.parametrize("seed", SEEDS)
def test_equal_neurons_share_a_literal_and_opposite_ones_its_opposite(seed: int, tmp_path: Path) -> None:
    network = planted(seed, WIDTHS)
    assert proven(tmp_path, seed, net=network).verdict is Verdict.ROBUST
    assert checked_claim(tmp_path / "0", network).lemmas >= 1
    found, shared = literals(tmp_path), 0
    for (block, neuron), literal in found.items():
        m = WIDTHS[block + 1]
        for other, sign in ((neuron + m, -1), (neuron + 2 * m, 1)):
            if neuron < m and (block, other) in found:
                assert found[block, other] == sign * literal
                shared += 1
    assert shared >= 8


def _near_bound(patch: Patch) -> None:
    """Rows whose bounds differ by one are taken for the same."""
    right = cnf.Cnf._reached

    def wrong(self: cnf.Cnf, terms: Any, bound: int) -> int:
        near = self.gates.get(("reached", terms, bound - 1)) or self.gates.get(("reached", terms, bound + 1))
        return near or right(self, terms, bound)

    patch.setattr(cnf.Cnf, "_reached", wrong)


def _sign(patch: Patch) -> None:
    """Opposite rows are taken for equal ones."""
    right = cnf.normal
    patch.setattr(cnf, "normal", lambda terms, bound: (*right(terms, bound)[:2], False))


def _neighbour(patch: Patch) -> None:
    """Two neurons get one literal that say different things."""
    right = annotated.annotated

    def wrong(question: Any, predicted: int) -> Any:
        complete = right(question, predicted)
        first, second, *_ = dict.fromkeys(abs(literal) for literal in complete.neurons.values())
        for place, literal in complete.neurons.items():
            if abs(literal) == second:
                complete.neurons[place] = first if literal > 0 else -first
        return complete

    patch.setattr("bnnverify.queries.engines.sat.annotated", wrong)


WRONG = (1, 7, 47, 56, 64, 65, 82, 96)  # some of them ROBUST by a trace for each mistake

MISTAKES = {"bound": _near_bound, "sign": _sign, "neighbour": _neighbour}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_wrong_merge_is_rejected(mistake: Callable[[Patch], None], tmp_path: Path) -> None:
    written = 0
    for seed in WRONG:
        network, folder = planted(seed, WIDTHS, off=1), tmp_path / str(seed)
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            mistake(patch)
            try:
                row = proven(folder, seed, net=network)
            except BnnVerifyError:
                continue  # the writer found it out itself
        if row.verdict is Verdict.ROBUST and (folder / "0" / "trace.drup").exists():
            written += 1
            with pytest.raises(Rejected):
                checked_claim(folder / "0", network)
    assert written >= 5


def _all_alike(network: Network) -> Merged | None:
    """Merge the last block's neurons into its first one, whatever they say."""
    last = network.blocks[-1]
    if last.outputs < 2:
        return None
    equivalences = [Equivalence(np.arange(block.outputs), np.zeros(block.outputs, dtype=bool)) for block in network.blocks[:-1]]
    equivalences.append(Equivalence(np.zeros(last.outputs, dtype=np.intp), np.zeros(last.outputs, dtype=bool)))
    assert network.head is not None
    rows, _ = equivalences[-1].read(Dense(network.head.weights))
    blocks = (*network.blocks[:-1], type(last)(last.weights[:1], last.bounds[:1]))
    return Merged(
        Network(blocks, type(network.head)(rows.dense(), network.head.offsets, network.head.ranks)), tuple(equivalences)
    )


def test_proofs_by_patterns_do_not_rest_on_merging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checker wants every neuron, so proofs go by what bounds leave; merging, even a wrong one, has no part in them."""
    monkeypatch.setattr("bnnverify.encoders.enumeration.cost_model.WIDE", -1)
    monkeypatch.setattr("bnnverify.queries.engines.first_layer_codes.MOST_CODES", 0)
    verdicts = set()
    for seed in range(12):
        network, folder = planted(seed, WIDTHS), tmp_path / str(seed)
        folder.mkdir()
        right = proven(folder, seed, net=network)
        (folder / "0").rename(folder / "right")
        with monkeypatch.context() as patch:
            patch.setattr("bnnverify.encoders.presolve.presolve.merged", _all_alike)
            row = proven(folder, seed, net=network)
        assert row.verdict is right.verdict
        assert checked_claim(folder / "0", network).claim.verdict == row.verdict
        verdicts.add(row.verdict)
    assert verdicts == {Verdict.ROBUST, Verdict.VULNERABLE}
