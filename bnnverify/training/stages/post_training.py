"""Post-training binarisation: a model trained with real weights gets the weights -1 and +1, layer by layer, without training.

    after-sign   the sign of each weight
    after-gpfq   greedy path-following quantization: Lybrand and Saab, "A Greedy Algorithm for Quantizing Neural Networks",
                 JMLR 22 (2021), section 4: weights one after the other, each the sign that best makes up for the errors so far

The scale that goes with the signs (the mean size of a neuron's weights) is absorbed by the batch norm after it, whose mean and
variance are computed anew.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bnnverify.training.networks.layers import BinarizedLinear, BinarizedNet
from bnnverify.training.networks.weights import kind_named, sign
from bnnverify.training.stages.fitting import Model

ENOUGH = 2000  # inputs on which errors are measured


@torch.no_grad()
def binarise(model: Model, signs: Tensor, *, by: str) -> None:
    """Give every layer of model -1 and +1 for its real weights; signs: (N, n) training inputs."""
    trained = binarised = signs[:ENOUGH]  # the inputs of a layer in the model as trained, and as binarised so far
    for block in model.layers:
        outputs, weights = block(trained), block.linear.weight
        _set(block.linear, _signs_of(weights, weights.abs().mean(dim=1), trained, binarised, by=by))
        block.renew(binarised)
        trained, binarised = outputs, block(binarised)
    if isinstance(model, BinarizedNet):
        size = model.head.weight.abs().mean()  # one for all classes: scores stay comparable
        _set(model.head, _signs_of(model.head.weight, size.expand(len(model.head.weight)), trained, binarised, by=by))
        model.head.bias.div_(size)
        model.settle()


def _signs_of(weights: Tensor, sizes: Tensor, trained: Tensor, binarised: Tensor, *, by: str) -> Tensor:
    """Return signs (m, n) that stand for weights (m, n), as sizes (m,) times themselves."""
    return greedy_signs(weights / sizes[:, None], trained, binarised) if by == "after-gpfq" else sign(weights)


def greedy_signs(weights: Tensor, trained: Tensor, binarised: Tensor) -> Tensor:
    """Return signs q (m, n) whose sums over inputs binarised (N, n) follow those of weights (m, n) over inputs trained (N, n).

    With error u = sum over s < t of w_s X_s - q_s Y_s, q_t is the sign of <Y_t, u + w_t X_t>.
    """
    error = torch.zeros(len(weights), len(trained))
    columns = []
    for t in range(weights.shape[1]):
        error += weights[:, t : t + 1] * trained[:, t]
        columns.append(sign(error @ binarised[:, t]))
        error -= columns[-1][:, None] * binarised[:, t]
    return torch.stack(columns, dim=1)


def _set(linear: BinarizedLinear, signs: Tensor) -> None:
    linear.weight.copy_(signs)
    linear.kind = kind_named("sign")
