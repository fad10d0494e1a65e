"""From a trained model to an integer Network, and the proof that both give the same answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.model.arrays import Bits
from bnnverify.model.coding import InputCoding
from bnnverify.model.fold import fold_block, fold_head
from bnnverify.model.network import Block, Network
from bnnverify.training.networks.layers import Backbone, BinarizedNet
from bnnverify.training.stages.fitting import Model, signs_of

TRIALS = 10_000  # random inputs on which a conversion is compared, besides the given ones
RULES = "sign(0) is +1; among equal scores the lowest class wins."


@torch.no_grad()
def classes_of(model: Model, bits: Bits) -> NDArray[np.int64]:
    """Return the answers of the float model: bits (N, n) to classes (N,), the lowest class on ties."""
    return np.asarray(model(signs_of(bits)).numpy().argmax(axis=1))


def folded_blocks(model: Backbone) -> tuple[Block, ...]:
    """Return the model's blocks in integers, each threshold read off the layer's own answers."""
    if model.training:
        raise BadModel("model: expected evaluation mode (model.eval()), got training mode, where batch norm depends on the batch")
    return tuple(fold_block(block.linear.integers(), block.fires) for block in model.layers)


def integer_network(
    model: BinarizedNet, *, inputs: Bits, coding: InputCoding | None = None, name: str = "", seed: int = 0
) -> Network:
    """Return the Network that gives the same answers as the trained model, proved on inputs (N, n) and random ones."""
    head = fold_head(model.head.integers(), model.head.bias.detach().numpy())
    network = Network(folded_blocks(model), head, coding, name)
    return proved(network, lambda bits: classes_of(model, bits), inputs=inputs, seed=seed)


def trials(inputs: Bits, *, seed: int) -> Bits:
    """Return inputs (N, n), then 10,000 random ones."""
    random = np.random.default_rng(seed).integers(0, 2, (TRIALS, inputs.shape[1]), dtype=np.uint8)
    return np.concatenate([inputs, random])


def proved(network: Network, source: Callable[[Bits], NDArray[np.int64]], *, inputs: Bits, seed: int) -> Network:
    """Return the network with a note of the proof: source gives the same classes on all of inputs (N, n) and on
    10,000 random ones. A single difference raises BadModel.
    """
    bits = trials(inputs, seed=seed)
    differ = int((source(bits) != network(bits)).sum())
    if differ:
        raise BadModel(f"model: expected the same answers in whole numbers, got {differ} others on {len(bits)} inputs")
    return replace(network, notes=(f"Equal to the trained model's own classes on {len(bits)} inputs.", RULES))
