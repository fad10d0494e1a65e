"""Experiments: models of arms are trained once, stored, found again, and refused where they are of another training."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra train")

from bnnverify import BadInput, BadQuery, load
from bnnverify.errors import WorkLost
from bnnverify.problem.budget import Budget
from bnnverify.queries.execution.events import Lost, Ticket, Worker
from bnnverify.training import integer_network, recipe_named
from bnnverify.training.experiment import Experiment, head_and_deployment, train_arms, train_in_worker

ARMS = ("bin_enc-D2", "bin_enc-D3")


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Return an experiment of one pass over the digits, whose models of one seed are trained."""
    experiment = Experiment("digits", None, 1, tmp_path_factory.mktemp("models"))
    calls: list[tuple[int, int]] = []
    train_arms(experiment, ARMS, 1, jobs=1, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 1)]  # both deployments are of one training
    return experiment


def test_models_are_stored_under_arm_and_seed(experiment: Experiment) -> None:
    assert sorted(path.name for path in experiment.folder.iterdir()) == ["bin_enc-D2-seed0.npz", "bin_enc-D3-seed0.npz"]
    record = load(experiment.path("bin_enc-D3", 0)).record
    assert (record["arm"], record["seed"], record["data"]) == ("bin_enc-D3", 0, "digits")
    assert record["recipe"]["epochs"] == 1
    assert tuple(record["split"]["test"]) == experiment.test_samples(ARMS).indices


def test_stored_models_are_not_trained_again(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[object] = []
    monkeypatch.setattr(
        "bnnverify.training.experiment.run",
        lambda *given: questions.extend((key, training) for key, (_, training) in given[2]) or (),
    )
    models = train_arms(experiment, ARMS, 1, jobs=2)
    assert [(model.record["arm"], model.record["seed"]) for model in models] == [(arm, 0) for arm in ARMS]
    assert questions == []
    train_arms(experiment, ("no_pen", *ARMS), 2, jobs=2)
    assert questions == [
        (("no_pen", 0), ("no_pen", 0, ("none",))),
        (("no_pen", 1), ("no_pen", 1, ("none",))),
        (("bin_enc", 1), ("bin_enc", 1, ("D2", "D3"))),
    ]


def test_a_worker_trains_the_same_model(experiment: Experiment, tmp_path: Path) -> None:
    other = Experiment("digits", None, 1, tmp_path)
    train_in_worker(Worker(print, Budget(), {}), other, ("bin_enc", 0, ("D3",)))
    (path,) = tmp_path.iterdir()
    assert load(path).sha256 == load(experiment.path("bin_enc-D3", 0)).sha256


def test_a_model_of_another_training_is_refused(experiment: Experiment) -> None:
    longer = Experiment("digits", None, 2, experiment.folder)
    with pytest.raises(BadInput, match="expected bin_enc-D2, seed 0, trained on digits by the same recipe, got another model"):
        longer.stored("bin_enc-D2", 0)
    assert longer.stored("bin_enc-D2", 1) is None


def test_a_lost_training_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = [(("no_pen", 0), Lost(Ticket(0), "its process ended with status -9"))]
    monkeypatch.setattr("bnnverify.training.experiment.run", lambda *_: lost)
    with pytest.raises(WorkLost, match="training no_pen, seed 0: its process ended with status -9; nothing is compared"):
        train_arms(Experiment("digits", None, 1, tmp_path), ("no_pen",), 1, jobs=1)


def test_recipes_have_the_passes_of_the_experiment(tmp_path: Path) -> None:
    assert Experiment("digits", None, 10, tmp_path).recipe("bin_enc").epochs == 10
    assert Experiment("digits", None, None, tmp_path).recipe("bin_enc") == recipe_named("bin_enc")


def test_arms() -> None:
    assert head_and_deployment("bin_enc-D3") == ("bin_enc", "D3")
    assert head_and_deployment("no_pen") == ("no_pen", "none")
    for arm in ("bin_enc", "no_pen-D1", "bin_enc-D4", "other"):
        with pytest.raises(BadQuery, match=f"arms: expected some of bin_enc-D1, .*, no_pen, got {arm}$"):
            head_and_deployment(arm)


def test_an_old_name_of_the_conversion_still_works_with_a_warning() -> None:
    import bnnverify.training

    with pytest.warns(DeprecationWarning, match="bnnverify.training.whole_network is now bnnverify.training.integer_network"):
        assert bnnverify.training.whole_network is integer_network
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = bnnverify.training.nothing


def test_every_exported_name_of_training_exists() -> None:
    import bnnverify.training

    assert all(getattr(bnnverify.training, name) is not None for name in bnnverify.training.__all__)
