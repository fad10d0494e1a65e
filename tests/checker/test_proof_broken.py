"""A writer of proofs that is wrong in one place is rejected by the checker, wherever the mistake is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import Head
from bnnverify.checker.sample import checked_claim
from bnnverify.encoders.clauses import annotated, cardinality, cnf
from bnnverify.encoders.presolve import margins, presolve
from bnnverify.errors import Rejected, WitnessRejected
from bnnverify.model.threshold import Threshold
from bnnverify.results.finding import Verdict
from tests.support.proven import network, proven

Patch = pytest.MonkeyPatch
SEEDS = (0, 15, 17, 19, 27, 31, 93, 95, 105, 133)  # ROBUST at radius 3, with several lemmas


def _lax_totalizer(patch: Patch) -> None:
    """A totalizer whose bound is one too high."""
    patch.setattr(annotated, "totalizer", lambda clauses, terms, bound: cardinality.totalizer(clauses, terms, bound + 1))


def _loose_sums(patch: Patch) -> None:
    """A node of the totalizer that is true one too early."""
    define = cardinality._Sum._define
    patch.setattr(cardinality._Sum, "_define", lambda self, bound, out: define(self, bound - 1, out))


def _short_gate(patch: Patch) -> None:
    """A conjunction that forgets its last literal."""

    def every(self: cnf.Cnf, bits: Any) -> int:
        return complete(self, sorted(set(bits))[:-1])

    complete = cnf.Cnf.all
    patch.setattr(cnf.Cnf, "all", every)


def _shift(by: int) -> Callable[[Patch], None]:
    def break_it(patch: Patch) -> None:
        """A row whose bound moves when weights are put on the number of flips."""
        right = cnf.Cnf._shortened

        def wrong(self: cnf.Cnf, terms: Any, bound: int) -> Any:
            shorter, less = right(self, terms, bound)
            return shorter, less + by * (shorter != terms)

        patch.setattr(cnf.Cnf, "_shortened", wrong)

    return break_it


def _normal(patch: Patch) -> None:
    """A mirror image whose bound is one off."""
    right = cnf.normal

    def wrong(terms: Any, bound: int) -> Any:
        terms, bound, negated = right(terms, bound)
        return terms, bound + negated, negated

    patch.setattr(cnf, "normal", wrong)


def _margin(patch: Patch) -> None:
    """Neurons that the last flip moves are taken for constants."""
    right = presolve._reach

    def wrong(weights: Any, moves: Any) -> Any:
        low, high = right(weights, moves)
        return low, high - 2 * (moves is not None)

    patch.setattr(presolve, "_reach", wrong)


def _wrong_margin(patch: Patch) -> None:
    """The same, and its numbers are made to fit."""
    _margin(patch)
    right = margins._Moves.reach

    def wrong(self: Any, weights: Any, bits: Any) -> Any:
        down, up = right(self, weights, bits)
        return down, up - 2 * (self.region is not None)

    patch.setattr(margins._Moves, "reach", wrong)


def _rank(patch: Patch) -> None:
    """Ties go to the other class."""

    def beats(self: Head, c: int, k: int) -> Threshold:
        brick = right(self, c, k)
        return Threshold(brick.positions, brick.weights, brick.bound + (1 if self.ranks[c] < self.ranks[k] else -1))

    right = Head.beats
    patch.setattr(Head, "beats", beats)


def _fewer_flips(patch: Patch) -> None:
    """Clauses that allow one flip less."""
    right = cnf.Cnf.ones
    patch.setattr(cnf.Cnf, "ones", lambda self, j: right(self, max(j - 1, 0)))


def _lost_rival(patch: Patch) -> None:
    """A rival is forgotten."""
    right = annotated.annotated

    def wrong(question: Any, predicted: int) -> Any:
        complete = right(question, predicted)
        fewer = dict(list(complete.beats.items())[1:])
        clauses = [*complete.clauses[:-1], tuple(-literal for literal in fewer.values())]
        return annotated.AnnotatedFormula(
            clauses, complete.variables, complete.inputs, complete.thresholds, complete.neurons, complete.ones, fewer
        )

    patch.setattr("bnnverify.queries.engines.sat.annotated", wrong)


def _lying_solver(patch: Patch) -> None:
    """A solver that answers no without a search."""
    patch.setattr("bnnverify.queries.engines.solver.Solver.solve", lambda *_: False)
    patch.setattr("bnnverify.queries.engines.solver.Solver.trace", lambda _: ("0",))


MISTAKES = {
    "totalizer bound": _lax_totalizer,
    "totalizer node": _loose_sums,
    "conjunction": _short_gate,
    "shift up": _shift(1),
    "shift down": _shift(-1),
    "mirror": _normal,
    "presolve margin": _margin,
    "margin and its numbers": _wrong_margin,
    "rank": _rank,
    "number of flips": _fewer_flips,
    "lost rival": _lost_rival,
    "solver": _lying_solver,
}


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "0").iterdir()}


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, bytes]]:
    """Return the files of each proof as they are without a mistake."""
    folders = {seed: tmp_path_factory.mktemp(str(seed)) for seed in SEEDS}
    assert all(proven(folder, seed).verdict is Verdict.ROBUST for seed, folder in folders.items())
    return {seed: files(folder) for seed, folder in folders.items()}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_of_the_writer_is_rejected(
    mistake: Callable[[Patch], None], right: dict[int, dict[str, bytes]], tmp_path: Path
) -> None:
    """What is accepted nevertheless is the right proof, byte for byte: the mistake touches nothing there that is written."""
    refused = 0
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            mistake(patch)
            try:
                row = proven(folder, seed)
            except (WitnessRejected, ValueError):
                continue  # the writer found it out itself
        assert row.verdict is Verdict.ROBUST
        try:
            checked_claim(folder / "0", network(seed))
        except Rejected:
            refused += 1
        else:
            assert files(folder) == right[seed]
    assert refused >= 2


@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_mistake_the_same_proofs_are_accepted(seed: int, tmp_path: Path) -> None:
    assert proven(tmp_path, seed).verdict is Verdict.ROBUST
    found = checked_claim(tmp_path / "0", network(seed))
    assert found.claim.verdict == "ROBUST"
    assert found.clauses > 100
    assert found.lemmas > 1


def test_a_wrong_robust_is_never_accepted(tmp_path: Path) -> None:
    """Every broken writer on samples that are not robust: whatever it writes, ROBUST is not accepted."""
    written = 0
    for name, mistake in MISTAKES.items():
        for seed in (1, 2, 3, 4, 5, 7):
            folder = tmp_path / f"{name} {seed}"
            folder.mkdir()
            proven(folder, seed)
            assert checked_claim(folder / "0", network(seed)).claim.verdict == "VULNERABLE"
            (folder / "0").rename(folder / "right")
            with pytest.MonkeyPatch.context() as patch:
                mistake(patch)
                try:
                    row = proven(folder, seed)
                except (WitnessRejected, ValueError):
                    continue
            if row.verdict is Verdict.ROBUST:
                written += 1
                with pytest.raises(Rejected):
                    checked_claim(folder / "0", network(seed))
    assert written >= 6


def test_seeds_differ() -> None:
    assert len({network(seed).sha256 for seed in SEEDS}) == len(SEEDS)
    assert np.any(network(0).head.ranks != np.arange(4))  # type: ignore[union-attr]
