"""The training loop: it fits a model to samples by the numbers of a recipe. One thread, no loaders."""

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
    """Return bits as -1 and +1, the inputs of the first layer."""
    return torch.from_numpy(bits.astype(np.float32) * 2 - 1)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Training samples, as signs (N, n) and labels (N,), and validation samples, by which the best state is chosen."""

    signs: Tensor
    labels: Tensor
    validation: tuple[Tensor, Tensor]

    @staticmethod
    def of(train: Samples, validation: Samples) -> TrainingData:
        """Return the samples as tensors."""
        return TrainingData(*_tensors(train), _tensors(validation))


def _tensors(samples: Samples) -> tuple[Tensor, Tensor]:
    return signs_of(samples.bits), torch.from_numpy(labels_of(samples).astype(np.int64))


@contextmanager
def single_threaded(seed: int) -> Iterator[None]:
    """Run on one thread with random numbers from seed, and restore both afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def fit(model: Model, recipe: Recipe, data: TrainingData, progress: Callable[[int], None], *, epochs: int, choose: int) -> None:
    """Train model for a number of epochs, and give it the state of the last `choose` that is best on validation data.

    progress(done) is called after each epoch.
    """
    optimiser = _optimiser(model, recipe)
    best, state = -1, None
    for done in range(epochs):
        optimiser.param_groups[0]["lr"] = recipe.rate_at(done / epochs)
        _epoch(model, optimiser, recipe, data, gamma=recipe.gamma_at(done / epochs) if recipe.compressed else 0.0)
        if done >= epochs - choose:
            model.ready(data.signs)
            right = _right(model, *data.validation)
            if right >= best:
                best, state = right, deepcopy(model.state_dict())
        progress(done + 1)
    if state is not None:
        model.load_state_dict(state)
    model.ready(data.signs)
    model.settle()


def _optimiser(model: Model, recipe: Recipe) -> torch.optim.Optimizer:
    undecayed = model.undecayed()
    excluded = {id(parameter) for parameter in undecayed}
    others = [parameter for parameter in model.parameters() if id(parameter) not in excluded]
    groups = [{"params": others, "weight_decay": recipe.decay}]
    groups += [{"params": undecayed, "weight_decay": 0.0}] if undecayed else []
    return torch.optim.AdamW(groups, recipe.rate, foreach=True)


def _epoch(model: Model, optimiser: torch.optim.Optimizer, recipe: Recipe, data: TrainingData, *, gamma: float) -> None:
    model.train()
    order = torch.randperm(len(data.labels))
    signs, labels = data.signs[order], data.labels[order]
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
