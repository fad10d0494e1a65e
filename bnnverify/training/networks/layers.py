"""Layers of a binarized network: integer weights and sign activations forwards, straight-through gradients backwards.

Courbariaux et al., "Binarized Neural Networks" (2016), sections 1.1 and 1.4: the real weights are kept for training only, and the
gradient passes through a sign unchanged where its input is in [-1, 1]. Here ±1 is at home; sign(0) is +1, as in `fold`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bnnverify.model.arrays import Integers
from bnnverify.model.fold import is_plus
from bnnverify.training.networks.weights import kind_named, sign


class BinarizedLinear(nn.Linear):
    """A linear layer that computes with integers made of its real weights; `weights` names how (see `weights`)."""

    def __init__(self, inputs: int, outputs: int, *, weights: str = "sign", bias: bool = False) -> None:
        super().__init__(inputs, outputs, bias=bias)
        self.kind = kind_named(weights)
        largest = 1.0 if self.kind.wide else inputs**-0.5
        nn.init.uniform_(self.weight, -largest, largest)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def quantized(self) -> Tensor:
        """Return the weights of the forward pass: (outputs, inputs); integers, except before binarisation after training."""
        return self.kind.quantized(self.weight, training=self.training)

    def integers(self) -> Integers:
        """Return the quantized weights of the trained layer as integers."""
        return np.asarray(self.kind.quantize(self.weight.detach()).numpy().astype(np.int64))

    def forward(self, inputs: Tensor) -> Tensor:
        return nn.functional.linear(inputs, self.quantized(), self.bias)

    @torch.no_grad()
    def confine(self) -> None:
        """Keep the real weights where they have gradients."""
        if self.kind.clamped:
            self.weight.clamp_(-1, 1)


class BinarizedBlock(nn.Module):
    """Linear, batch norm, sign: from ±1 (N, inputs) to ±1 (N, outputs)."""

    def __init__(self, inputs: int, outputs: int, *, weights: str = "sign") -> None:
        super().__init__()
        self.linear = BinarizedLinear(inputs, outputs, weights=weights)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        return sign(self.norm(self.linear(inputs)))

    @torch.no_grad()
    def renew(self, inputs: Tensor) -> None:
        """Take mean and variance of the batch norm anew, from these inputs (N, inputs)."""
        sums = self.linear(inputs)
        self.norm.running_mean, self.norm.running_var = sums.mean(dim=0), sums.var(dim=0)

    @torch.no_grad()
    def fires(self, sums: Integers) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return at which sums (k, outputs) of the linear layer the trained layer gives +1."""
        return is_plus(self.norm(torch.from_numpy(sums).float()).numpy())


class Backbone(nn.Module):
    """Blocks, one after the other: from ±1 (N, widths[0]) to ±1 (N, widths[-1])."""

    def __init__(self, widths: Sequence[int], *, weights: str = "sign") -> None:
        super().__init__()
        self.kind = kind_named(weights)
        self.blocks = nn.ModuleList(BinarizedBlock(n, m, weights=weights) for n, m in pairwise(widths))

    @property
    def layers(self) -> list[BinarizedBlock]:
        """Return the blocks in order."""
        return [block for block in self.blocks if isinstance(block, BinarizedBlock)]

    def before_head(self, inputs: Tensor) -> Tensor:
        """Return the last block's signs: (N, widths[-1])."""
        for block in self.layers:
            inputs = block(inputs)
        return inputs

    @torch.no_grad()
    def ready(self, inputs: Tensor) -> None:
        """Switch to evaluation, with batch norms renewed where training drew the weights at random."""
        self.eval()
        if self.kind.drawn:
            for block in self.layers:
                block.renew(inputs)
                inputs = block(inputs)

    def confine(self) -> None:
        """Keep all real weights where they have gradients."""
        for layer in self.modules():
            if isinstance(layer, BinarizedLinear):
                layer.confine()


class BinarizedNet(Backbone):
    """Blocks, then scores with integer weights: from ±1 (N, inputs) to real scores (N, classes)."""

    def __init__(self, inputs: int, hidden: Sequence[int], classes: int, *, weights: str = "sign") -> None:
        widths = [inputs, *hidden]
        super().__init__(widths, weights=weights)
        self.head = BinarizedLinear(widths[-1], classes, weights=weights, bias=True)

    def forward(self, inputs: Tensor) -> Tensor:
        scores: Tensor = self.head(self.before_head(inputs))
        return scores

    def loss(self, inputs: Tensor, labels: Tensor, gamma: float) -> Tensor:  # noqa: ARG002 - no real values to compress
        """Return the cross-entropy, of scores brought to size 1: sums of n signs spread like sqrt(n)."""
        size: float = self.head.in_features**0.5 * self.head.kind.largest
        return nn.functional.cross_entropy(self(inputs) / size, labels)

    def undecayed(self) -> list[nn.Parameter]:
        """Return the parameters without weight decay, those of a last linear layer with real weights: none here."""
        return []

    @torch.no_grad()
    def settle(self) -> None:
        """Make the biases multiples of 1/1024: float32 then adds them to integer sums without rounding."""
        self.head.bias.copy_(torch.round(self.head.bias * 1024) / 1024)


class LatentNet(Backbone):
    """Blocks, a linear latent with real weights, then linear scores: from ±1 (N, inputs) to real scores (N, classes)."""

    def __init__(self, inputs: int, hidden: Sequence[int], latent: int, classes: int, *, weights: str = "sign") -> None:
        widths = [inputs, *hidden]
        super().__init__(widths, weights=weights)
        self.latent = nn.Linear(widths[-1], latent)
        self.head = nn.Linear(latent, classes)

    def latents(self, inputs: Tensor) -> Tensor:
        """Return the latent z: (N, latent)."""
        z: Tensor = self.latent(self.before_head(inputs))
        return z

    def forward(self, inputs: Tensor) -> Tensor:
        scores: Tensor = self.head(self.latents(inputs))
        return scores

    def loss(self, inputs: Tensor, labels: Tensor, gamma: float) -> Tensor:
        """Return the cross-entropy + gamma * mean(z^2), the mean over batch and units."""
        z = self.latents(inputs)
        entropy = nn.functional.cross_entropy(self.head(z), labels)
        return entropy + gamma * z.square().mean() if gamma else entropy

    def undecayed(self) -> list[nn.Parameter]:
        """Return the parameters without weight decay, those of the last linear layer."""
        return list(self.head.parameters())

    def settle(self) -> None:
        """Change nothing: the deployment rounds."""
