"""From one trained model to its deployments, each an integer Network with its proof.

none  a network without a linear latent, as it is
D1    the float latent as published: latent and scores composed to one head with large integer weights
D2    the snapped code: latent bits z_j >= midpoint_j, then the scores of the snapped values
D3    the snapped code as a sign block with integer weights, tuned for some epochs: a pure BNN
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray

from bnnverify.errors import BadQuery
from bnnverify.model.arrays import Bits
from bnnverify.model.coding import InputCoding
from bnnverify.model.network import Network
from bnnverify.training.data.split import Parts, labels_of
from bnnverify.training.networks.layers import BinarizedNet, LatentNet
from bnnverify.training.networks.recipes import Recipe
from bnnverify.training.networks.rounding import IntegerLatent, Reals, Snapped
from bnnverify.training.stages.binarity import Binarity, binarity
from bnnverify.training.stages.conversion import classes_of, folded_blocks, integer_network, proved, trials
from bnnverify.training.stages.fitting import Model, TrainingData, fit, signs_of
from bnnverify.training.stages.tuning import started, tuning_of

ENOUGH = 2_000  # training samples that binarity is measured on


@dataclass(frozen=True, eq=False)
class Setting:
    """What all deployments of a model share: samples, input coding, name, seed of random trials, and progress(done passes)."""

    parts: Parts
    data: TrainingData
    coding: InputCoding | None
    name: str
    seed: int
    progress: Callable[[int], None]

    @property
    def inputs(self) -> Bits:
        """Return the inputs of all samples: (N, n)."""
        return np.concatenate([samples.bits for samples in (self.parts.train, self.parts.validation, self.parts.test)])


def as_it_is(model: Model, recipe: Recipe, setting: Setting) -> Network:
    """Return a network without a linear latent."""
    if not isinstance(model, BinarizedNet):
        raise BadQuery(f"deployment: expected D1, D2 or D3 with head {recipe.head}, got none")
    return integer_network(model, inputs=setting.inputs, coding=setting.coding, name=setting.name, seed=setting.seed)


def float_latent(model: Model, recipe: Recipe, setting: Setting) -> Network:
    """Return D1."""
    model = _with_latent(model)
    latent = IntegerLatent.of(model, recipe.grid)
    network = Network(folded_blocks(model), latent.float_head(), setting.coding, setting.name)

    def source(bits: Bits) -> NDArray[np.int64]:
        return np.asarray(latent.scored(latent.latents(_before(model, bits))).argmax(axis=1))

    return _noted(proved(network, source, inputs=setting.inputs, seed=setting.seed), model, recipe, setting)


def snapped_code(model: Model, recipe: Recipe, setting: Setting) -> Network:
    """Return D2, its two values per unit taken from training samples."""
    model = _with_latent(model)
    snapped = _snapped(model, recipe, setting.parts)
    network = Network((*folded_blocks(model), snapped.block), snapped.head, setting.coding, setting.name)

    def source(bits: Bits) -> NDArray[np.int64]:
        latent = snapped.latent
        return np.asarray(latent.scored(snapped.values(latent.latents(_before(model, bits)))).argmax(axis=1))

    return _noted(proved(network, source, inputs=setting.inputs, seed=setting.seed), model, recipe, setting)


def tuned(model: Model, recipe: Recipe, setting: Setting) -> Network:
    """Return D3."""
    tuning = tuning_of(recipe)
    net = started(_with_latent(model), setting.data.signs, weights=tuning.weights)
    fit(
        net, tuning, setting.data, lambda done: setting.progress(recipe.epochs + done), epochs=recipe.tuning, choose=recipe.tuning
    )
    return integer_network(net, inputs=setting.inputs, coding=setting.coding, name=setting.name, seed=setting.seed)


DEPLOY: Mapping[str, Callable[[Model, Recipe, Setting], Network]] = MappingProxyType(
    {"none": as_it_is, "D1": float_latent, "D2": snapped_code, "D3": tuned}
)


def binarity_of(model: LatentNet, recipe: Recipe, parts: Parts) -> dict[str, Binarity | None]:
    """Return how binary the real-valued latent is: on test samples, and on training samples (the first 2,000)."""
    snapped = _snapped(model, recipe, parts)
    found = {}
    for name, samples, most in (("binarity", parts.test, None), ("binarity_train", parts.train, ENOUGH)):
        latents = snapped.latent.latents(_before(model, samples.bits[:most]))
        codes = (snapped.values(latents) == snapped.high).astype(np.uint8)
        found[name] = binarity(latents, codes, labels_of(samples)[:most])
    return found


def _with_latent(model: Model) -> LatentNet:
    if not isinstance(model, LatentNet):
        raise BadQuery("deployment: expected none for a head without a linear latent, got another")
    return model


def _snapped(model: LatentNet, recipe: Recipe, parts: Parts) -> Snapped:
    return IntegerLatent.of(model, recipe.grid).snapped(_before(model, parts.train.bits))


@torch.no_grad()
def _before(model: LatentNet, bits: Bits) -> Reals:
    """Return the signs before the latent: (N, n)."""
    return np.asarray(model.before_head(signs_of(bits)).numpy().astype(np.float64))


def _noted(network: Network, model: LatentNet, recipe: Recipe, setting: Setting) -> Network:
    """Return the network with a note on how many inputs it differs from the float model that it was made from."""
    count = len(setting.inputs)
    differ = network(bits := trials(setting.inputs, seed=setting.seed)) != classes_of(model, bits)
    note = (
        f"Weights of latent and scores are whole numbers of {recipe.grid} bits; PyTorch's unrounded float32 gives another "
        f"class on {differ[:count].sum()} of {count} samples and {differ[count:].sum()} of {len(bits) - count} random inputs."
    )
    return replace(network, notes=(*network.notes, note))
