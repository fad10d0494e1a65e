"""Training from a recipe and samples to integer networks with their records."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from bnnverify.data.samples import Samples
from bnnverify.errors import BadQuery
from bnnverify.model.coding import InputCoding
from bnnverify.model.network import Network
from bnnverify.results.progress import Steps, no_steps
from bnnverify.training.data.split import Parts, labels_of, split
from bnnverify.training.networks.layers import BinarizedNet, LatentNet
from bnnverify.training.networks.recipes import AFTERWARDS, FLOAT_HEADS, Recipe
from bnnverify.training.record import collapsed, record_of, right_of
from bnnverify.training.stages.binarity import Binarity
from bnnverify.training.stages.binarity import ready as binarity_ready
from bnnverify.training.stages.deployment import DEPLOY, Setting, binarity_of
from bnnverify.training.stages.fitting import Model, TrainingData, fit, single_threaded
from bnnverify.training.stages.post_training import binarise


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network, with its record inside, and its samples: of training (seen), of validation, and of testing (unseen)."""

    network: Network
    parts: Parts

    @property
    def seen(self) -> Samples:
        return self.parts.train

    @property
    def unseen(self) -> Samples:
        return self.parts.test

    @property
    def record(self) -> dict[str, Any]:
        return dict(self.network.record)

    @property
    def train_accuracy(self) -> Fraction:
        return Fraction(*right_of(self.network, self.seen))

    @property
    def test_accuracy(self) -> Fraction:
        return Fraction(*right_of(self.network, self.unseen))

    def to_json(self) -> dict[str, Any]:
        """Return both accuracies as [right, of]."""
        return {"train_accuracy": right_of(self.network, self.seen), "test_accuracy": right_of(self.network, self.unseen)}


def train(
    recipe: Recipe,
    samples: Samples | Parts,
    *,
    seed: int = 0,
    deployment: str | None = None,
    coding: InputCoding | None = None,
    name: str = "",
    progress: Steps = no_steps,
) -> Trained:
    """Return a network trained by recipe; the same seed, machine and PyTorch give the same network.

    deployment: of a linear latent, D1, D2 or D3 (the default). Otherwise as `deployments`.
    """
    wanted = deployment or recipe.deployments[-1]
    return deployments(recipe, samples, seed=seed, wanted=(wanted,), coding=coding, name=name, progress=progress)[wanted]


def deployments(
    recipe: Recipe,
    samples: Samples | Parts,
    *,
    seed: int = 0,
    wanted: Sequence[str] | None = None,
    coding: InputCoding | None = None,
    name: str = "",
    progress: Steps = no_steps,
) -> dict[str, Trained]:
    """Return the deployments wanted, or all that recipe has, of one model, trained once.

    samples: in parts already, or to be split by a seed of the split's own: all seeds and recipes then share the test samples.
    seed decides initial weights, order and noise. progress(done, total) is called after each pass over the samples. Training
    runs on one thread; the caller's thread count and random state are restored afterwards.
    """
    wanted = tuple(wanted or recipe.deployments)
    for deployment in wanted:
        if deployment not in recipe.deployments:
            raise BadQuery(f"deployment: expected {' or '.join(recipe.deployments)} with head {recipe.head}, got {deployment}")
    if recipe.head in FLOAT_HEADS:
        binarity_ready()
    parts = samples if isinstance(samples, Parts) else _split(samples, recipe)
    total = _passes(recipe, wanted)
    data = TrainingData.of(parts.train, parts.validation)
    setting = Setting(parts, data, coding, name, seed, lambda done: progress(done, total))
    with single_threaded(seed):
        started = time.perf_counter()
        model = _fitted(recipe, setting)
        metrics = binarity_of(model, recipe, parts) if isinstance(model, LatentNet) else {"binarity": None}
        return _deployed(model, recipe, setting, wanted, metrics, time.perf_counter() - started)


def _split(samples: Samples, recipe: Recipe) -> Parts:
    labels_of(samples)
    return split(samples, test_share=recipe.test_share, validation_share=recipe.validation_share)


def _passes(recipe: Recipe, wanted: Sequence[str]) -> int:
    """Return the number of passes over the samples in all."""
    return recipe.epochs + (recipe.tuning if set(wanted) & {"D3", "none"} else 0)


def _fitted(recipe: Recipe, setting: Setting) -> Model:
    """Return the trained model; without a linear latent, the tuning's passes are part of its training."""
    parts = setting.parts
    model: Model
    if recipe.head in FLOAT_HEADS:
        model = LatentNet(parts.inputs, recipe.hidden, recipe.latent, parts.classes, weights=recipe.weights)
        fit(model, recipe, setting.data, setting.progress, epochs=recipe.epochs, choose=0)
    else:
        hidden = (*recipe.hidden, recipe.latent) if recipe.head == "nonlin_pen" else recipe.hidden
        model = BinarizedNet(parts.inputs, hidden, parts.classes, weights=recipe.weights)
        fit(model, recipe, setting.data, setting.progress, epochs=_passes(recipe, ("none",)), choose=recipe.tuning)
    if recipe.weights in AFTERWARDS:
        binarise(model, setting.data.signs, by=recipe.weights)
    return model


def _deployed(
    model: Model, recipe: Recipe, setting: Setting, wanted: Sequence[str], metrics: Mapping[str, Binarity | None], spent: float
) -> dict[str, Trained]:
    """Return each deployment wanted with its record; seconds: of the model's training and of its own making."""
    made = {}
    collapse = collapsed(DEPLOY["D1"](model, recipe, setting), setting.parts) if isinstance(model, LatentNet) else ""
    for deployment in wanted:
        started = time.perf_counter()
        network = DEPLOY[deployment](model, recipe, setting)
        seconds = spent + time.perf_counter() - started
        run = {"seed": setting.seed, "deployment": deployment, "seconds": round(seconds, 3)}
        record = {**run, **metrics, **record_of(network, setting.parts, recipe, deployment)}
        if collapse and not record["collapsed"]:  # tuning may recover accuracy, but it started from nothing
            record["collapsed"] = f"made of a latent that had collapsed, {collapse}"
        made[deployment] = Trained(replace(network, record=record), setting.parts)
    return made
