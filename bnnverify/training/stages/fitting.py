"""The training loop: a model, samples and a recipe's numbers; the model has learnt afterwards. One thread, no loaders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bnnverify.data.samples import Samples
from bnnverify.model.arrays import Bits
from bnnverify.training.data.split import labels_of
from bnnverify.training.networks.layers import BinarizedNet, LatentNet
from bnnverify.training.networks.recipes import Recipe

Model = BinarizedNet | LatentNet


def signs_of(bits: Bits) -> Tensor:
    """Return bits as -1 and +1: what the first layer sees."""
    return torch.from_numpy(bits.astype(np.float32) * 2 - 1)


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a model learns from, and what is used to choose among its states: signs (N, n) and labels (N,)."""

    signs: Tensor
    labels: Tensor
    chosen_by: tuple[Tensor, Tensor]

    @staticmethod
    def of(train: Samples, validation: Samples) -> Lesson:
        """Return the lesson in these samples."""
        (signs, labels), chosen_by = _tensors(train), _tensors(validation)
        return Lesson(signs, labels, chosen_by)


def _tensors(samples: Samples) -> tuple[Tensor, Tensor]:
    return signs_of(samples.bits), torch.from_numpy(labels_of(samples).astype(np.int64))


@contextmanager
def alone(seed: int) -> Iterator[None]:
    """Run on one thread with random numbers from seed, and leave both as they were."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def fit(model: Model, recipe: Recipe, lesson: Lesson, report: Callable[[int], None], *, epochs: int, choose: int) -> None:
    """Train model for so many epochs; of the last `choose`, keep the state that is best on validation data.

    report(done) follows each epoch.
    """
    optimiser = _optimiser(model, recipe)
    best, kept = -1, None
    for done in range(epochs):
        optimiser.param_groups[0]["lr"] = recipe.rate_at(done / epochs)
        _epoch(model, optimiser, recipe, lesson, gamma=recipe.gamma_at(done / epochs) if recipe.compressed else 0.0)
        if done >= epochs - choose:
            model.ready(lesson.signs)
            right = _right(model, *lesson.chosen_by)
            if right >= best:
                best, kept = right, deepcopy(model.state_dict())
        report(done + 1)
    if kept is not None:
        model.load_state_dict(kept)
    model.ready(lesson.signs)
    model.settle()


def _optimiser(model: Model, recipe: Recipe) -> torch.optim.Optimizer:
    steady = model.steady()
    held = {id(parameter) for parameter in steady}
    others = [parameter for parameter in model.parameters() if id(parameter) not in held]
    groups = [{"params": others, "weight_decay": recipe.decay}, *([{"params": steady, "weight_decay": 0.0}] if steady else [])]
    return torch.optim.AdamW(groups, recipe.rate, foreach=True)


def _epoch(model: Model, optimiser: torch.optim.Optimizer, recipe: Recipe, lesson: Lesson, *, gamma: float) -> None:
    model.train()
    order = torch.randperm(len(lesson.labels))
    signs, labels = lesson.signs[order], lesson.labels[order]
    if recipe.noise:
        signs = torch.where(torch.rand(signs.shape) < recipe.noise, -signs, signs)
    for inputs, classes in zip(torch.split(signs, recipe.batch), torch.split(labels, recipe.batch), strict=True):
        if len(classes) == 1:
            continue  # one sample alone has no batch norm
        loss = model.loss(inputs, classes, gamma)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        model.confine()


@torch.no_grad()
def _right(model: Model, signs: Tensor, labels: Tensor) -> int:
    """Return how many answers are right."""
    return int((model(signs).argmax(dim=1) == labels).sum()) if len(labels) else 0
