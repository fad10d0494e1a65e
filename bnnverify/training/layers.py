"""Layers of a binarized network: whole-number weights and sign activations forwards, straight-through gradients backwards.

Courbariaux et al., "Binarized Neural Networks" (2016), sections 1.1 and 1.4: the real weights are kept for training only, and the
gradient passes through a sign unchanged where its input is in [-1, 1]. Here ±1 is at home; sign(0) is +1, as in `fold`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bnnverify.errors import BadQuery
from bnnverify.fold import is_plus
from bnnverify.network import Whole


class _StraightThrough(torch.autograd.Function):
    """Whole numbers in place of real values; the gradient does not notice."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, whole: Tensor) -> Tensor:
        ctx.save_for_backward(values)
        return whole

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (values,) = ctx.saved_tensors
        return gradients[0] * (values.abs() <= 1), None


_straight_through: Callable[[Tensor, Tensor], Tensor] = _StraightThrough.apply


def sign(values: Tensor) -> Tensor:
    """Return -1 and +1, with sign(0) = +1 and a straight-through gradient."""
    return _straight_through(values, torch.where(values >= 0, 1.0, -1.0))


def ternary(values: Tensor) -> Tensor:
    """Return -1, 0 and +1, for a third of [-1, 1] each, with a straight-through gradient."""
    return _straight_through(values, torch.where(values.abs() <= 1 / 3, 0.0, torch.sign(values)))


KINDS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType({"sign": sign, "ternary": ternary})


class BinarizedLinear(nn.Linear):
    """A linear layer that acts with the signs ("sign") or the rounded values ("ternary") of its real weights."""

    def __init__(self, inputs: int, outputs: int, *, weights: str = "sign", bias: bool = False) -> None:
        super().__init__(inputs, outputs, bias=bias)
        if weights not in KINDS:
            raise BadQuery(f"weights: expected one of {', '.join(KINDS)}, got {weights}")
        self.kind = weights
        nn.init.uniform_(self.weight, -1, 1)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def acting(self) -> Tensor:
        """Return the whole-number weights that act: (outputs, inputs)."""
        return KINDS[self.kind](self.weight)

    def whole(self) -> Whole:
        """Return the acting weights as whole numbers."""
        return np.asarray(self.acting().detach().numpy().astype(np.int64))

    def forward(self, inputs: Tensor) -> Tensor:
        return nn.functional.linear(inputs, self.acting(), self.bias)


class BinarizedBlock(nn.Module):
    """Linear, batch norm, sign: from ±1 (N, inputs) to ±1 (N, outputs)."""

    def __init__(self, inputs: int, outputs: int, *, weights: str = "sign") -> None:
        super().__init__()
        self.linear = BinarizedLinear(inputs, outputs, weights=weights)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        return sign(self.norm(self.linear(inputs)))

    @torch.no_grad()
    def fires(self, sums: Whole) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which sums (k, outputs) of the linear layer the trained layer answers with +1."""
        return is_plus(self.norm(torch.from_numpy(sums).float()).numpy())


class BinarizedNet(nn.Module):
    """Blocks, then scores: from ±1 (N, inputs) to real scores (N, classes)."""

    def __init__(self, inputs: int, hidden: Sequence[int], classes: int, *, weights: str = "sign") -> None:
        super().__init__()
        widths = [inputs, *hidden]
        self.blocks = nn.ModuleList(BinarizedBlock(n, m, weights=weights) for n, m in pairwise(widths))
        self.head = BinarizedLinear(widths[-1], classes, weights=weights, bias=True)

    def forward(self, inputs: Tensor) -> Tensor:
        for block in self.blocks:
            inputs = block(inputs)
        scores: Tensor = self.head(inputs)
        return scores
