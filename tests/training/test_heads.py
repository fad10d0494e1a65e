"""The four heads and their deployments: loss, schedules, one split, choice by validation data, record, collapse."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnnverify import load, save
from bnnverify.data.samples import Samples
from bnnverify.errors import BadQuery, BadSample
from bnnverify.model.network import Block, Head, Network
from bnnverify.training import Parts, Recipe, deployments, recipe_named, train
from bnnverify.training.data.split import split
from tests.support.training_data import few, quick

torch = pytest.importorskip("torch", reason="needs the extra: train")
pytest.importorskip("sklearn", reason="needs the extra: train")

from bnnverify.training.data.split import labels_of  # noqa: E402
from bnnverify.training.networks.layers import BinarizedNet, LatentNet  # noqa: E402
from bnnverify.training.record import collapsed  # noqa: E402
from bnnverify.training.stages.fitting import TrainingData, fit, single_threaded  # noqa: E402

FLOAT = ("bin_enc", "lin_pen")


def made(head: str, **numbers: object) -> dict[str, Any]:
    return deployments(quick(head, **numbers), few())


def test_the_loss_is_cross_entropy_and_the_mean_square_over_batch_and_units() -> None:
    torch.manual_seed(0)
    model = LatentNet(6, (), 2, 3)
    inputs, labels = torch.ones(4, 6), torch.tensor([0, 1, 2, 0])
    z = model.latents(inputs)
    plain = torch.nn.functional.cross_entropy(model(inputs), labels)
    assert model.loss(inputs, labels, 0.0).item() == pytest.approx(plain.item())
    assert model.loss(inputs, labels, 3.0).item() == pytest.approx((plain + 3 * (z**2).sum() / 8).item())


def test_gamma_grows_geometrically_then_is_held() -> None:
    recipe = recipe_named("bin_enc")
    assert recipe.gamma_at(0) == pytest.approx(0.01)
    assert recipe.gamma_at(0.35) == pytest.approx(1.0)  # halfway of 0.01 to 100
    assert recipe.gamma_at(0.7) == recipe.gamma_at(0.99) == pytest.approx(100)


def test_the_rate_is_held_then_falls_along_a_cosine() -> None:
    recipe = recipe_named("bin_enc")
    assert recipe.rate_at(0) == recipe.rate_at(0.29) == recipe.rate_at(0.3) == pytest.approx(0.003)
    assert recipe.rate_at(0.65) == pytest.approx(0.003 * (1 + 0.01) / 2)
    assert recipe.rate_at(1) == pytest.approx(0.00003)


def test_the_last_linear_layer_keeps_its_rate_and_has_no_decay(monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[dict[str, Any]] = []
    real = torch.optim.AdamW.step

    def step(self: Any, *_: Any, **__: Any) -> Any:
        groups[:] = [{**group, "shapes": [tuple(one.shape) for one in group["params"]]} for group in self.param_groups]
        return real(self)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    train(quick("bin_enc", tuning=0), few(), deployment="D1")
    others, last = groups
    assert (last["lr"], last["weight_decay"], last["shapes"]) == (0.003, 0.0, [(10, 4), (10,)])
    assert others["lr"] < 0.003
    assert others["weight_decay"] == 5e-4
    train(quick("no_pen"), few())
    assert len(groups) == 1


def test_only_bin_enc_compresses() -> None:
    strong: dict[str, object] = {"gamma_start": 1e3, "gamma_max": 1e3}
    same = [train(quick(head, **strong), few(), deployment="D1").network.sha256 for head in FLOAT]
    weak = train(quick("lin_pen"), few(), deployment="D1").network.sha256
    assert same[0] != same[1] == weak


@pytest.mark.parametrize("head", FLOAT)
def test_a_linear_latent_is_deployed_in_three_ways(head: str) -> None:
    found = made(head)
    assert list(found) == ["D1", "D2", "D3"]
    assert [trained.network.widths for trained in found.values()] == [(64, 12, 8, 10), (64, 12, 8, 4, 10), (64, 12, 8, 4, 10)]
    assert [trained.record["arm"] for trained in found.values()] == [f"{head}-D{i}" for i in (1, 2, 3)]
    d3 = found["D3"].network
    assert d3.head is not None
    assert all(set(np.unique(part.weights)) <= {-1, 1} for part in (*d3.blocks, d3.head))
    backbones = [found[deployment].network.blocks[:2] for deployment in ("D1", "D2")]
    assert all((a.weights == b.weights).all() for a, b in zip(*backbones, strict=True))


@pytest.mark.parametrize(("head", "widths"), [("nonlin_pen", (64, 12, 8, 4, 10)), ("no_pen", (64, 12, 8, 10))])
def test_other_heads_are_deployed_as_they_are(head: str, widths: tuple[int, ...]) -> None:
    found = made(head)
    assert list(found) == ["none"]
    assert found["none"].network.widths == widths
    assert found["none"].record["arm"] == head
    assert found["none"].record["binarity"] is None


def test_one_deployment_is_the_same_alone() -> None:
    every = made("bin_enc")
    for deployment, trained in every.items():
        assert train(quick("bin_enc"), few(), deployment=deployment).network.sha256 == trained.network.sha256
    assert train(quick("bin_enc"), few()).network.sha256 == every["D3"].network.sha256


def test_unknown_deployments_heads_and_numbers_are_refused() -> None:
    with pytest.raises(BadQuery, match="expected D1 or D2 or D3 with head bin_enc, got none"):
        train(quick("bin_enc"), few(), deployment="none")
    with pytest.raises(BadQuery, match="expected none with head no_pen, got D1"):
        train(quick("no_pen"), few(), deployment="D1")
    with pytest.raises(BadQuery, match=r"head: expected one of bin_enc, .*, got magic"):
        Recipe(hidden=(3,), head="magic")
    with pytest.raises(BadQuery, match="gamma"):
        Recipe(hidden=(3,), gamma_max=0.001)
    with pytest.raises(BadQuery, match="at least 1"):
        Recipe(hidden=(3, 0))
    with pytest.raises(BadQuery, match="2 to 20 bits, got 40"):
        Recipe(hidden=(3,), grid=40)


@pytest.mark.parametrize("head", ["bin_enc", "nonlin_pen", "no_pen"])
def test_all_heads_have_the_same_budget(head: str) -> None:
    calls: list[tuple[int, int]] = []
    train(quick(head), few(), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 9) for done in range(1, 10)]


def test_all_seeds_share_one_split_that_loses_and_doubles_nothing() -> None:
    parts = split(few(), test_share=0.2, validation_share=0.1)
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [140, 20, 40]
    assert sorted(parts.train.indices + parts.validation.indices + parts.test.indices) == list(range(200))
    for part in (parts.train, parts.validation, parts.test):
        assert (part.bits == few().bits[list(part.indices)]).all()
    records = [train(quick("no_pen", epochs=1, tuning=1), few(), seed=seed).record for seed in (1, 2)]
    assert records[0]["split"] == records[1]["split"]
    assert tuple(records[0]["split"]["test"]) == parts.test.indices


def other_labels(samples: Samples) -> Samples:
    assert samples.labels is not None
    return replace(samples, labels=(samples.labels + 1) % 10)


@pytest.mark.parametrize("head", ["bin_enc", "nonlin_pen"])
def test_test_samples_decide_nothing(head: str) -> None:
    parts = split(few(), test_share=0.2, validation_share=0.1)
    blind = replace(parts, test=replace(other_labels(parts.test), bits=1 - parts.test.bits))
    for deployment, trained in deployments(quick(head), parts).items():
        other = train(quick(head), blind, deployment=deployment)
        assert other.network.sha256 == trained.network.sha256
        assert other.record["accuracy"]["test"] != trained.record["accuracy"]["test"]


def test_the_final_state_is_the_best_on_validation_data_the_later_of_equals(monkeypatch: pytest.MonkeyPatch) -> None:
    rights = iter([3, 7, 7, 5])
    states: list[Any] = []

    def right(model: Any, signs: Any, labels: Any) -> int:
        assert labels.tolist() == labels_of(parts.validation).tolist()
        assert ((signs.numpy() + 1) / 2 == parts.validation.bits).all()
        states.append({name: value.clone() for name, value in model.state_dict().items()})
        return next(rights)

    monkeypatch.setattr("bnnverify.training.stages.fitting._right", right)
    parts = split(few(), test_share=0.2, validation_share=0.1)
    with single_threaded(0):
        model = BinarizedNet(64, (6,), 10)
        fit(model, quick("no_pen"), TrainingData.of(parts.train, parts.validation), lambda _: None, epochs=6, choose=4)
    assert torch.equal(model.layers[0].linear.weight, states[2]["blocks.0.linear.weight"])
    assert not torch.equal(states[2]["blocks.0.linear.weight"], states[3]["blocks.0.linear.weight"])


def test_the_record_is_stored_in_the_file(tmp_path: Path) -> None:
    trained = train(quick("bin_enc"), few(), seed=3, deployment="D2", name="small")
    save(trained.network, tmp_path / "m.npz")
    record = dict(load(tmp_path / "m.npz").record)
    assert record == json.loads(json.dumps(trained.record))
    assert {"arm", "head", "deployment", "seed", "data", "recipe", "split"} <= set(record)
    assert {"accuracy", "binarity", "collapsed", "versions", "seconds"} <= set(record)
    assert (record["seed"], record["data"], record["deployment"]) == (3, "digits", "D2")
    assert set(record["binarity"]) == {"gmm_score", "peaks_distance", "exact_code_share", "nc1"}
    assert record["accuracy"]["test"] == [int(trained.test_accuracy * 40), 40]
    assert record["recipe"]["hidden"] == [12, 8]


def test_the_code_share_of_a_snapped_network_is_that_of_its_metrics() -> None:
    record = made("bin_enc")["D2"].record
    assert record["exact_code_share"] == record["binarity"]["exact_code_share"]


def test_notes_name_the_changes_of_rounding() -> None:
    found = made("bin_enc", grid=2)
    note = found["D1"].network.notes[-1]
    assert "whole numbers of 2 bits" in note
    assert "class on 0 of" not in note
    assert "class on 0 of 200 samples" in made("bin_enc")["D1"].network.notes[-1]


def test_a_collapsed_training_is_called_so() -> None:
    record = made("bin_enc", gamma_start=1e6, gamma_max=1e6, epochs=20)["D1"].record
    assert record["collapsed"]
    assert record["accuracy"]["test"][0] < 20


def constant(classes: int = 10) -> Network:
    return Network((), Head(np.zeros((classes, 64), dtype=np.int64), np.arange(classes)))


def test_constant_networks_are_collapsed_and_working_ones_are_not() -> None:
    parts = split(few(), test_share=0.2, validation_share=0.1)
    assert collapsed(constant(), parts) == "constant: the answer is 9 on all 20 validation samples"
    working = train(quick("no_pen", epochs=40), parts)
    assert working.record["collapsed"] == ""
    wrong = [replace(part, labels=np.roll(np.arange(len(part)) % 10, 3)) for part in (parts.train, parts.validation)]
    assert "no better than one class for all" in collapsed(working.network, Parts(wrong[0], wrong[1], parts.test))


def test_one_code_for_all_is_a_collapse_whatever_the_answers() -> None:
    parts = split(few(), test_share=0.2, validation_share=0.1)
    one = Block(np.zeros((3, 64), dtype=np.int64), np.array([0, 1, 0]))
    same = replace(parts, validation=replace(parts.validation, labels=np.zeros(20, dtype=np.int64)))
    network = Network((one,), Head(np.zeros((10, 3), dtype=np.int64), np.zeros(10, dtype=np.int64)))
    assert collapsed(network, same) == "constant: one latent code on all 20 validation samples"


def test_parts_without_test_samples_or_labels_are_refused() -> None:
    parts = split(few(), test_share=0.2, validation_share=0.1)
    with pytest.raises(BadSample, match="expected samples for training and test, got 140 and 0"):
        Parts(parts.train, parts.validation, few(0))
    with pytest.raises(BadSample, match="labels"):
        Parts(parts.train, parts.validation, replace(parts.test, labels=None))


def test_many_samples_take_fewer_passes() -> None:
    recipe = recipe_named("bin_enc")
    assert recipe.for_many(9_999) is recipe
    many = recipe.for_many(54_000)
    assert (many.epochs, many.tuning, many.batch) == (30, 6, 256)


@pytest.mark.slow
def test_the_recipe_reaches_its_accuracy_on_digits() -> None:
    """Means of three seeds: compressed latents are binary, others are not, and only the former can be snapped cheaply."""
    from bnnverify.data.samples import digits

    peaks: dict[str, list[float]] = {head: [] for head in FLOAT}
    costs: dict[str, list[float]] = {head: [] for head in FLOAT}
    for seed, head in product(range(3), FLOAT):
        found = deployments(recipe_named(head), digits(), seed=seed, wanted=("D1", "D2"))
        assert not found["D1"].record["collapsed"]
        assert "class on 0 of 1797 samples" in found["D1"].network.notes[-1]
        peaks[head].append(found["D1"].record["binarity"]["peaks_distance"])
        costs[head].append(float(found["D1"].test_accuracy - found["D2"].test_accuracy))
    assert np.mean(peaks["bin_enc"]) >= 1.3 * np.mean(peaks["lin_pen"])
    assert np.mean(peaks["bin_enc"]) >= 4.0
    assert np.mean(costs["bin_enc"]) <= 0.03 < np.mean(costs["lin_pen"])


def test_deployments_of_a_collapsed_latent_are_collapsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = split(few(), test_share=0.2, validation_share=0.1)
    monkeypatch.setattr("bnnverify.training.loop.collapsed", lambda *_: "constant: ...")
    monkeypatch.setattr("bnnverify.training.record.collapsed", lambda *_: "")
    assert train(quick("bin_enc"), parts).record["collapsed"] == "made of a latent that had collapsed, constant: ..."


@pytest.mark.slow
@pytest.mark.parametrize("gamma", [1e4, 1e6])
def test_too_much_compression_is_known_to_collapse(gamma: float) -> None:
    from bnnverify.data.samples import digits

    for trained in deployments(replace(recipe_named("bin_enc"), gamma_max=gamma), digits()).values():
        assert trained.record["collapsed"]
