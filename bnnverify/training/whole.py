"""From a trained float model to a whole-number Network, and the proof that they are one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.fold import fold_block, fold_head
from bnnverify.network import Bits, InputCoding, Network
from bnnverify.training.layers import BinarizedBlock, BinarizedNet

TRIALS = 10_000  # random inputs that a conversion is compared on, besides the given ones


@torch.no_grad()
def classes_of(model: BinarizedNet, bits: Bits) -> NDArray[np.int64]:
    """Return the float model's own answers: bits (N, n) to classes (N,), the lowest class on ties."""
    signs = torch.from_numpy(bits.astype(np.float32) * 2 - 1)
    return np.asarray(model(signs).numpy().argmax(axis=1))


def whole_network(
    model: BinarizedNet, *, inputs: Bits, coding: InputCoding | None = None, name: str = "", seed: int = 0
) -> Network:
    """Return the Network that gives the same answers as the trained model, each layer asked for its own thresholds.

    It is compared with the model on all of inputs (N, n) and on 10,000 random ones; a single difference raises BadModel.
    """
    if model.training:
        raise BadModel("model: expected evaluation mode (model.eval()), got training mode, where batch norm depends on the batch")
    blocks = []
    for block in model.blocks:
        if not isinstance(block, BinarizedBlock):
            raise BadModel(f"model: expected blocks of linear, batch norm and sign, got {type(block).__name__}")
        blocks.append(fold_block(block.linear.whole(), block.fires))
    head = fold_head(model.head.whole(), model.head.bias.detach().numpy())
    network = Network(tuple(blocks), head, coding, name)
    random = np.random.default_rng(seed).integers(0, 2, (TRIALS, network.inputs), dtype=np.uint8)
    return replace(network, notes=_proof(model, network, np.concatenate([inputs, random])))


def _proof(model: BinarizedNet, network: Network, bits: Bits) -> tuple[str, str]:
    """Return in words what holds and how it was compared, or raise."""
    differ = int((classes_of(model, bits) != network(bits)).sum())
    if differ:
        raise BadModel(f"model: expected the same answers in whole numbers, got {differ} others on {len(bits)} inputs")
    rules = "sign(0) is +1; among equal scores the lowest class wins."
    return f"Equal to the trained model's own classes on {len(bits)} inputs.", rules
