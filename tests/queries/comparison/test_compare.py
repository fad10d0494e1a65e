"""compare: every number equals plain enumeration, with any engine and any number of processes; wrong arguments are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import BadInput, BadModel, BadQuery, BadSample, HammingBall, Head, Network, Verdict
from bnnverify.data.samples import read_samples
from bnnverify.queries.comparison.compare import check_arguments, compare
from bnnverify.queries.comparison.participants import Participant, untouched
from bnnverify.results.comparison import Conclusion
from bnnverify.results.outcome import Outcome
from tests.support.participants import RADII, comparison_of, dying, field, network, samples, timeless


def check(row: Outcome, model: Network, bits: np.ndarray) -> None:
    """Compare a counted row with every point there is."""
    points = np.concatenate(list(HammingBall(bits, row.radius).points()))
    labels, apart = model(points), points != bits
    distances, away = apart.sum(axis=1), labels != row.predicted
    assert row.predicted == model(bits)
    assert row.size == len(points)
    assert row.adversarial.low == row.adversarial.high == away.sum()
    assert row.targeted is not None
    assert [count.low for count in row.targeted] == np.bincount(labels, minlength=model.classes).tolist()
    assert (row.verdict is Verdict.ROBUST) == (not away.any())
    if row.shell is not None:
        assert row.shell.low == (away & (distances == row.radius)).sum()
    if row.heat is not None:
        assert list(row.heat) == apart[away].sum(axis=0).tolist()
    if row.latent is not None:
        check_latent(row, model, points, bits)


def check_latent(row: Outcome, model: Network, points: np.ndarray, bits: np.ndarray) -> None:
    code = model.prefix(len(model.blocks))
    changed = code(points) != code(bits)
    assert row.latent is not None
    assert list(row.latent.flips) == changed.sum(axis=0).tolist()
    assert list(row.latent.spectrum) == np.bincount(changed.sum(axis=1), minlength=changed.shape[1] + 1).tolist()
    different, times = np.unique(changed, axis=0, return_counts=True)
    assert row.latent.codes == len(different)
    shares = times / times.sum()
    assert row.latent.entropy == pytest.approx(float(-(shares * np.log2(shares)).sum()), abs=1e-9)
    assert row.latent.stable == (not changed.any())
    assert row.latent.farthest == changed.sum(axis=1).max()
    if row.latent.certified:
        assert row.verdict is Verdict.ROBUST
    assert row.adversarial.low <= sum(row.latent.flips) // (row.latent.margin + 1) == row.latent.bound


def check_nearest(row: Outcome, model: Network, bits: np.ndarray) -> None:
    points = np.concatenate(list(HammingBall(bits, RADII[-1]).points()))
    apart = (points != bits).sum(axis=1)
    away = apart[model(points) != row.predicted]
    assert row.distance == (away.min() if len(away) else None)
    assert row.beyond == (away.min() - 1 if len(away) else RADII[-1])
    assert (row.witness is None) == (row.distance is None)
    if row.witness is not None:
        point = bits.copy()
        point[list(row.witness)] ^= 1
        assert len(row.witness) == row.distance
        assert model(point) == row.becomes != row.predicted
    for found in (row.greedy, row.gradient):
        assert found is None or (row.distance is not None and row.distance <= found <= RADII[-1])
    if row.code_radius is not None:
        code = model.prefix(len(model.blocks))
        moved = apart[(code(points) != code(bits)).any(axis=1)]
        assert row.code_radius == (moved.min() - 1 if len(moved) else RADII[-1])


def test_every_number_is_that_of_plain_enumeration() -> None:
    result, data = comparison_of(), samples()
    models = {(participant.arm, participant.seed): participant.network for participant in field()}
    assert len(result.rows) == result.wanted == 6 * 8 * 2
    assert result.decided
    assert {row.key for row in result.rows} == {(s, i, a, r) for a, s in models for i in data.indices for r in RADII}
    assert {row.verdict for row in result.rows} == {Verdict.ROBUST, Verdict.VULNERABLE}
    for row in result.rows:
        bits = data.bits[data.indices.index(row.sample)]
        check(row, models[row.arm, row.seed], bits)
        check_nearest(row, models[row.arm, row.seed], bits)
        assert row.label == data.labels[data.indices.index(row.sample)]  # type: ignore[index]
        assert row.attacked
        assert row.latent is not None
        assert row.heat is not None


@pytest.mark.parametrize("widths", [(10, 63, 3), (10, 3)], ids=["a latent of 63 bits", "a head alone"])
def test_networks_without_a_code_are_counted_all_the_same(widths: tuple[int, ...]) -> None:
    participant = Participant(network(3, widths), "wide", 0)
    data = samples(4, labelling=network(4, (10, 5, 3)))
    result = comparison_of([participant], data)
    for row in result.rows:
        check(row, participant.network, data.bits[data.indices.index(row.sample)])
        check_nearest(row, participant.network, data.bits[data.indices.index(row.sample)])
        assert row.latent is None
    assert result.models[0].separation is None


@pytest.mark.parametrize("engine", ["bits", "bdd", "sat"])
def test_any_engine_will_do(engine: str) -> None:
    participant, data = field()[0], samples(2)
    result = comparison_of([participant], data, engine=engine, counting=True)
    assert result.decided
    for row in result.rows:
        check(row, participant.network, data.bits[data.indices.index(row.sample)])
        check_nearest(row, participant.network, data.bits[data.indices.index(row.sample)])


def test_deciding_without_counting() -> None:
    participant, data = field()[0], samples(3)
    counted, decided = comparison_of([participant], data), comparison_of([participant], data, counting=False)
    assert [row.verdict for row in decided.rows] == [row.verdict for row in counted.rows]
    assert [row.distance for row in decided.rows] == [row.distance for row in counted.rows]
    assert all(row.latent is None and row.targeted is None for row in decided.rows)


def test_jobs_change_nothing_but_the_time() -> None:
    alone, together = comparison_of(), comparison_of(jobs=2)
    assert timeless(alone.rows) == timeless(together.rows)
    assert alone.paired_comparisons == together.paired_comparisons
    names = {"seconds"}
    assert [m for m in alone.metrics if m.name not in names] == [m for m in together.metrics if m.name not in names]


def test_jobs_none_means_one_process_per_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnnverify.queries.comparison.compare.cores", lambda: 2)
    assert timeless(comparison_of(jobs=None, limit=2).rows) == timeless(comparison_of(limit=2).rows)


def test_an_error_beside_is_raised_here() -> None:
    data = replace(samples(), bits=samples().bits[:, :9])
    with pytest.raises(BadSample, match="expected 10 bits, got 9"):
        comparison_of(data=data, jobs=2)


def test_copies_are_known_by_their_origin() -> None:
    """The record of who is about the source that the samples 20, 21, ... of a file were copied from."""
    record = {"arm": "a", "seed": 0, "data": "table.csv", "split": {"test": [3, 5, 8]}}
    participant = replace(field()[0], network=network(100, record=record))
    copies = replace(samples(4), name="rows.npz", origin=("table.csv", (8, 1, 5, 3)))
    fair, warning = untouched(copies, [participant])
    assert (fair.indices, fair.origin, warning) == ((20, 22, 23), ("table.csv", (8, 5, 3)), "")
    assert "no record names the samples of rows.npz" in untouched(replace(copies, origin=None), [participant])[1]


def test_a_file_names_the_source_of_its_samples(tmp_path: Path) -> None:
    path, data = tmp_path / "rows.npz", samples(3)
    for indices, origin in ((np.array([8, 1, 5]), ("table.csv", (5,))), (np.array([8, 1]), None), (np.array([0.5, 1, 2]), None)):
        np.savez(path, x=data.bits, source=np.array("table.csv"), indices=indices)
        if origin:
            assert read_samples(f"{path}:2", network(1)).origin == origin
            continue
        with pytest.raises(BadSample, match=r"one index of its origin per input, got 2 for 3|row of whole-number indices"):
            read_samples(str(path), network(1))


def test_errors_are_raised_before_training(tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    words: dict[str, Any] = {"radii": (1,), "limit": 2, "against": (), "engine": "auto", "resume": path}
    check_arguments(("a", "b"), samples(), **words)
    assert not path.exists()
    comparison_of(resume=path, radii=(1,), limit=1)
    for other, sentence in (
        ({"radii": (11,)}, "radii must be between 1 and 10, got 11"),
        ({"against": ("c",)}, "against: expected one of the arms a, b, got c"),
        ({"engine": "zz"}, "engine must be one of auto, bdd, bits"),
        ({"radii": (2,)}, "expected finished work with radii 2, got a file with radii 1"),
    ):
        with pytest.raises(BadInput, match=sentence):
            check_arguments(("a", "b"), samples(), **{**words, **other})


def test_a_process_that_dies_costs_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is asked for sample 21 is killed."""
    from bnnverify.queries.comparison import compare as module

    monkeypatch.setattr(module, "measure_in_worker", dying)
    result = comparison_of(jobs=2)
    lost = [row for row in result.rows if row.verdict is Verdict.UNKNOWN]
    assert {row.sample for row in lost} == {21}
    assert len(lost) == 12
    assert {(row.reason, row.engine) for row in lost} == {("its process ended with status -9", "")}
    assert len(result.rows) == result.wanted


def test_a_constant_network_is_flagged_and_its_arm_has_no_conclusion() -> None:
    constant = Network((), Head(np.zeros((4, 10)), [0, 0, 1, 0]), name="always 2")
    result = comparison_of([Participant(constant, "flat", 0), *field(("no_pen",), 1)], against=("no_pen",), radii=(1,))
    (pair,) = result.paired_comparisons
    assert pair.arm == "flat"
    assert pair.conclusion is Conclusion.COLLAPSED
    assert result.collapsed("flat") == ("seed 0: constant: the answer is 2 on all 8 samples that no training touched",)
    assert any("flat seed 0 collapsed" in note for note in result.notes)
    recorded = replace(field()[0], network=network(100, record={"collapsed": "the loss never fell"}))
    assert comparison_of([recorded], limit=1).models[0].collapsed == "the loss never fell"
    stable = result.metric("flat", "stable", 1)
    assert stable is not None
    assert stable.low == 1.0


def test_compare_refuses() -> None:
    with pytest.raises(BadModel, match="at least one model"):
        compare([], samples(), radii=(1,))
    with pytest.raises(BadModel, match="one model per arm and seed, got no_pen seed 0 more than once"):
        comparison_of([field()[0], field()[0]])
    with pytest.raises(BadModel, match="expected models of 10 bits and 4 classes, as no_pen seed 0, got 9 and 4 of b seed 0"):
        comparison_of([field()[0], Participant(network(1, (9, 5, 4)), "b", 0)])
    for radii in ((), (0, 1), (1, 11)):
        with pytest.raises(BadQuery, match="radii must be between 1 and 10"):
            comparison_of(radii=radii)
    with pytest.raises(BadQuery, match="jobs must be at least 1"):
        comparison_of(jobs=0)
    with pytest.raises(BadSample, match="expected samples with labels"):
        comparison_of(data=replace(samples(), labels=None))
    with pytest.raises(BadSample, match="different indices"):
        comparison_of(data=replace(samples(2), indices=(3, 3)))


def test_everything_is_plain_data() -> None:
    import json

    result = comparison_of(limit=2)
    plain = json.loads(json.dumps(result.to_json()))
    assert [Outcome.from_json(row) for row in plain["rows"]] == list(result.rows)
    assert plain["decided"] is True
    assert len(plain["models"][0]["separation"]) == 4
    assert set(plain["versions"]) == {"bnnverify", "python", "numpy", "scipy"}
