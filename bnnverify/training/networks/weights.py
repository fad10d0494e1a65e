"""Kinds of weights: how real values are quantized to integers, and how gradients are passed back to the real values.

sign          -1, +1: the sign. Courbariaux et al., "BinaryConnect" (2015), section 2.2, deterministic; sign(0) is +1
stochastic    -1, +1: drawn anew at each step, +1 with chance (w + 1) / 2 (same section); the sign once trained
biper         -1, +1: the sign of sin(20 w), backwards the sine's own derivative. Vargas et al., "BiPer" (2024), section 3
ternary       -1, 0, +1: the three thirds of [-1, 1]
pruned        -1, 0, +1: the signs of the larger half of each row, 0 for the rest
int2 .. int8  integers of 2 to 8 bits, without the most negative one: -1..1, -3..3, ..., -127..127
after-sign, after-gpfq   real numbers while trained; binarised to -1, +1 after training (see `post_training`)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from bnnverify.errors import BadQuery
from bnnverify.training.networks.recipes import AFTERWARDS, WEIGHTS

Real = Callable[[Tensor], Tensor]

FREQUENCY = 20.0  # of BiPer's sine: weights in [-1, 1] cross about thirteen steps


class _Quantize(torch.autograd.Function):
    """Integers in place of real values; gradients are passed back multiplied by a derivative."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, integers: Tensor, derivative: Tensor) -> Tensor:  # noqa: ARG004
        ctx.save_for_backward(derivative)
        return integers

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (derivative,) = ctx.saved_tensors
        return gradients[0] * derivative, None, None


_quantized: Callable[[Tensor, Tensor, Tensor], Tensor] = _Quantize.apply


def _window(values: Tensor) -> Tensor:
    """Return the derivative of the straight-through gradient: 1 inside [-1, 1], 0 outside."""
    return values.abs() <= 1


def _plus_minus(values: Tensor) -> Tensor:
    return torch.where(values >= 0, 1.0, -1.0)


def _drawn(values: Tensor) -> Tensor:
    return torch.where(torch.rand_like(values) < (values + 1) / 2, 1.0, -1.0)


def _wave(values: Tensor) -> Tensor:
    return _plus_minus(torch.sin(FREQUENCY * values))


def _wave_derivative(values: Tensor) -> Tensor:
    return FREQUENCY * torch.cos(FREQUENCY * values)


def _thirds(values: Tensor) -> Tensor:
    return torch.where(values.abs() <= 1 / 3, 0.0, torch.sign(values))


def _larger_half(values: Tensor) -> Tensor:
    return torch.where(values.abs() >= values.abs().median(dim=-1, keepdim=True).values, _plus_minus(values), 0.0)


def _rounded(largest: int) -> Real:
    def rounded(values: Tensor) -> Tensor:
        return torch.round(values.clamp(-1, 1) * largest)

    return rounded


@dataclass(frozen=True)
class Kind:
    """How real values are quantized: quantize gives the integers once trained, drawn those of a training step, derivative the
    factor of the gradient.

    largest: the integer of the real value 1. clamped: whether values are kept in [-1, 1], beyond which the window
    gives no gradient and a weight could never come back. peak: the positive value that is furthest from changing sign.
    wide: whether values start anywhere in [-1, 1], since small ones become 0; others start small, and so change sign easily.
    """

    quantize: Real
    drawn: Real | None = None
    derivative: Real = _window
    largest: int = 1
    clamped: bool = True
    peak: float = 1.0
    wide: bool = False

    def quantized(self, values: Tensor, *, training: bool) -> Tensor:
        """Return the integers in place of values, with gradients to the values."""
        forwards = self.drawn if training and self.drawn else self.quantize
        return _quantized(values, forwards(values), self.derivative(values))


def _integers(largest: int) -> Kind:
    return Kind(_rounded(largest), largest=largest, wide=True)


_REAL = Kind(lambda values: values.detach().clone(), derivative=torch.ones_like, clamped=False)
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "sign": Kind(_plus_minus),
        "stochastic": Kind(_plus_minus, drawn=_drawn, wide=True),
        "biper": Kind(_wave, derivative=_wave_derivative, clamped=False, peak=pi / (2 * FREQUENCY)),
        "ternary": Kind(_thirds, wide=True),
        "pruned": Kind(_larger_half),
        **{f"int{bits}": _integers(2 ** (bits - 1) - 1) for bits in range(2, 9)},
        **dict.fromkeys(AFTERWARDS, _REAL),
    }
)


def kind_named(name: str) -> Kind:
    """Return the kind of weights of this name."""
    if name not in KINDS:
        raise BadQuery(f"weights: expected one of {', '.join(WEIGHTS)}, got {name}")
    return KINDS[name]


def sign(values: Tensor) -> Tensor:
    """Return -1 and +1, with sign(0) = +1 and a straight-through gradient."""
    return _quantized(values, _plus_minus(values), _window(values))
