"""D3: the snapped latent as a sign block with integer weights, tuned by further training: a pure BNN."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from bnnverify.training.networks.layers import BinarizedBlock, BinarizedNet, LatentNet
from bnnverify.training.networks.recipes import AFTERWARDS, Recipe
from bnnverify.training.networks.rounding import two_means


def tuning_of(recipe: Recipe) -> Recipe:
    """Return the recipe of the tuning: the same loop, cross-entropy alone, steps along a cosine from tuning_rate."""
    weights = "sign" if recipe.weights in AFTERWARDS else recipe.weights
    return replace(recipe, head="no_pen", rate=recipe.tuning_rate, rate_held=0.0, weights=weights)


@torch.no_grad()
def started(model: LatentNet, signs: Tensor, *, weights: str) -> BinarizedNet:
    """Return a pure BNN that starts at the snapped latent: backbone, code and scores as close to it as its weights allow.

    signs: (N, n) training inputs, on which the code's batch norm is set by least squares to z about its midpoint.
    """
    hidden = [block.linear.out_features for block in model.layers]
    units, classes = model.latent.out_features, model.head.out_features
    net = BinarizedNet(signs.shape[1], (*hidden, units), classes, weights=weights)
    net.eval()
    net.blocks[:-1].load_state_dict(model.blocks.state_dict())
    before = model.before_head(signs)
    z = model.latent(before)
    low, high = (torch.tensor(means) for means in zip(*(two_means(unit) for unit in z.numpy().T.astype(np.float64)), strict=True))
    width = (high - low).clamp_min(1e-12) / 2
    _start_code(net.layers[-1], model.latent.weight, before, (z - (low + high) / 2) / width)
    _start_scores(net, model.head.weight * width, model.head.bias + model.head.weight @ ((low + high) / 2))
    return net


def _start_code(block: BinarizedBlock, weights: Tensor, before: Tensor, target: Tensor) -> None:
    """Give the block the signs of weights (d, n), and the batch norm closest to target (N, d), which is ±1 on a vertex."""
    block.linear.weight.copy_(_scaled(weights, block.linear.kind.peak))
    sums = block.linear(before)
    mean, spread = sums.mean(dim=0), (sums.var(dim=0, correction=0) + block.norm.eps).sqrt()
    gain = ((sums - mean) * (target - target.mean(dim=0))).mean(dim=0) / spread
    block.norm.running_mean, block.norm.running_var = mean, spread.square() - block.norm.eps
    block.norm.weight.copy_(gain)
    block.norm.bias.copy_(target.mean(dim=0))


def _start_scores(net: BinarizedNet, weights: Tensor, offsets: Tensor) -> None:
    """Give the head the signs of weights (classes, d), and offsets (classes,) in the same proportion to them."""
    net.head.weight.copy_(_scaled(weights, net.head.kind.peak))
    unit = (weights.abs().mean() / net.head.quantized().abs().mean().clamp_min(1e-12)).clamp_min(1e-12)
    net.head.bias.copy_((offsets - offsets.mean()) / unit)


def _scaled(weights: Tensor, peak: float) -> Tensor:
    """Return weights, each row scaled to a largest absolute value of peak."""
    return peak * weights / weights.abs().amax(dim=1, keepdim=True).clamp_min(1e-12)
