"""The training loop: a recipe and samples go in, a whole-number network and its accuracy come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bnnverify.errors import BadSample
from bnnverify.network import InputCoding, Network
from bnnverify.samples import Samples
from bnnverify.training.layers import BinarizedLinear, BinarizedNet
from bnnverify.training.recipes import Recipe
from bnnverify.training.whole import whole_network


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network, the samples it learnt from and those it never saw, and how many of each it gets right."""

    network: Network
    seen: Samples
    unseen: Samples

    @property
    def train_accuracy(self) -> Fraction:
        return accuracy(self.network, self.seen)

    @property
    def test_accuracy(self) -> Fraction:
        return accuracy(self.network, self.unseen)

    def to_json(self) -> dict[str, Any]:
        """Return both accuracies as [right, of]."""
        parts = {"train": (self.train_accuracy, len(self.seen)), "test": (self.test_accuracy, len(self.unseen))}
        return {f"{part}_accuracy": [int(share * total), total] for part, (share, total) in parts.items()}


def accuracy(network: Network, samples: Samples) -> Fraction:
    """Return the share of samples whose class is right."""
    return Fraction(int((network(samples.bits) == samples.labels).sum()), len(samples.bits))


def unheard(done: int, total: int) -> None:
    """Drop a progress report."""


def train(
    recipe: Recipe,
    samples: Samples,
    *,
    seed: int = 0,
    coding: InputCoding | None = None,
    name: str = "",
    report: Callable[[int, int], None] = unheard,
) -> Trained:
    """Return a network trained on samples by recipe; the same seed, machine and PyTorch give the same network.

    report(done, total) follows each pass over the samples. Training runs on one thread; the caller's thread count and
    random state are as before afterwards.
    """
    if samples.labels is None:
        raise BadSample("training: expected samples with labels, got none")
    seen, unseen = split(samples, test_share=recipe.test_share, seed=seed)
    with _alone(seed):
        classes = int(np.max(samples.labels)) + 1
        model = BinarizedNet(samples.bits.shape[1], recipe.hidden, classes, weights=recipe.weights)
        _fit(model, recipe, seen, report)
        network = whole_network(model, inputs=samples.bits, coding=coding, name=name, seed=seed)
    return Trained(network, seen, unseen)


def split(samples: Samples, *, test_share: float, seed: int) -> tuple[Samples, Samples]:
    """Return samples in two parts, drawn at random by seed, each in its old order: to train on, and to test on."""
    order = np.random.default_rng(seed).permutation(len(samples.bits))
    tests = round(len(order) * test_share)
    if not 0 < tests < len(order):
        raise BadSample(f"training: expected samples for both training and test, got {len(order)} in all")
    return part(samples, np.sort(order[tests:])), part(samples, np.sort(order[:tests]))


def part(samples: Samples, chosen: NDArray[np.int64]) -> Samples:
    """Return the samples at these places; each keeps its index in its source."""
    labels = None if samples.labels is None else samples.labels[chosen]
    return replace(samples, bits=samples.bits[chosen], labels=labels, indices=tuple(samples.indices[i] for i in chosen))


@contextmanager
def _alone(seed: int) -> Iterator[None]:
    """Run on one thread with random numbers from seed, and leave both as they were."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def _fit(model: BinarizedNet, recipe: Recipe, samples: Samples, report: Callable[[int, int], None]) -> None:
    signs = torch.from_numpy(samples.bits.astype(np.float32) * 2 - 1)
    labels = torch.from_numpy(np.asarray(samples.labels, dtype=np.int64))
    optimiser = torch.optim.Adam(model.parameters(), recipe.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.epochs)
    model.train()
    for done in range(1, recipe.epochs + 1):
        for batch in _batches(len(labels), recipe.batch):
            _step(model, optimiser, recipe, signs[batch], labels[batch])
        schedule.step()
        report(done, recipe.epochs)
    model.eval()
    with torch.no_grad():  # multiples of 1/1024: float32 then adds them to whole sums without rounding
        model.head.bias.copy_(torch.round(model.head.bias * 1024) / 1024)


def _batches(count: int, size: int) -> list[Tensor]:
    """Return the positions 0..count-1 in random batches; a last one of one sample is left out: it has no batch norm."""
    order = torch.randperm(count)
    batches = [order[start : start + size] for start in range(0, count, size)]
    return [batch for batch in batches if len(batch) > 1]


def _step(model: BinarizedNet, optimiser: torch.optim.Optimizer, recipe: Recipe, signs: Tensor, labels: Tensor) -> None:
    noisy = torch.where(torch.rand(signs.shape) < recipe.noise, -signs, signs)
    scores = model(noisy) / model.head.in_features**0.5  # sums of n signs spread like sqrt(n)
    loss = nn.functional.cross_entropy(scores, labels)
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, BinarizedLinear):
                layer.weight.clamp_(-1, 1)  # beyond, a weight has no gradient and could never come back
