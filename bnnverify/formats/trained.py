"""The steps that every importer of trained layers shares: fold them, compare with the source's own arithmetic, or refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.coding import InputCoding
from bnnverify.model.fold import fold_block, fold_head, is_plus, merges, sums_of
from bnnverify.model.matrix import Matrix, exact_products
from bnnverify.model.network import Network

Sums = NDArray[np.int64]
Signs = NDArray[np.int8]  # -1 and +1
Floats = NDArray[np.floating]

TRIAL_INPUTS = 10_000  # inputs that an importer compares with its source, unless all of them are fewer


@dataclass(frozen=True, eq=False)
class Layer:
    """A hidden layer: weights (m, n) over ±1 inputs, and the source's activation of sums, before its sign: (k, m) to (k, m)."""

    weights: Matrix | Integers
    activation: Callable[[Sums], Floats]

    def fires(self, sums: Sums) -> NDArray[np.bool_]:
        """Return where the neuron's sign is +1: (k, m) sums to (k, m)."""
        return is_plus(self.activation(sums))

    @property
    def zeros(self) -> int:
        """Return how many neurons are exactly 0 before their sign at some sum."""
        return int(np.any(self.activation(sums_of(self.weights)) == 0, axis=0).sum())


@dataclass(frozen=True, eq=False)
class Output:
    """The last layer: weights (classes, n), biases (classes,), the source's scores of sums (k, classes), in its own floats.

    gap: scores this close to each other may become equal in later operations of the source.
    """

    weights: Integers
    biases: NDArray[np.floating]
    scores: Callable[[Sums], Floats]
    gap: float = 0.0


@dataclass(frozen=True, eq=False)
class Trial:
    """Inputs to compare on: the bits that the folded network reads and the signs that the source's first layer reads."""

    bits: Bits
    signs: Signs
    description: str


def trial_inputs(n: int) -> Trial:
    """Return every input of up to 14 bits; above, constant ones, all with one odd bit out, and random ones of every density."""
    if n <= 14:
        numbers = np.arange(2**n)[:, None]
        bits = ((numbers >> np.arange(n)) & 1).astype(np.uint8)
        description = f"all {2**n} inputs"
    else:
        random = np.random.default_rng(0)
        odd = np.eye(n, dtype=np.uint8)
        noise = random.random((TRIAL_INPUTS, n)) < random.random((TRIAL_INPUTS, 1))
        bits = np.vstack([odd, 1 - odd, np.zeros((1, n)), np.ones((1, n)), noise]).astype(np.uint8)
        description = f"{len(bits)} inputs, regular and random"
    return Trial(bits, (2 * bits.astype(np.int8) - 1).astype(np.int8), description)


def network_of(
    layers: list[Layer], output: Output, *, name: str, coding: InputCoding | None = None, trial: Trial | None = None
) -> Network:
    """Return the folded network, proven equal to its source on the trial inputs; raise BadModel where they differ."""
    _check_widths(layers, output)
    try:
        with np.errstate(all="ignore"):  # overflow is left to the source; NaN is refused where it decides an answer
            blocks = tuple(fold_block(layer.weights, layer.fires) for layer in layers)
            head = fold_head(output.weights, output.biases)
            merging = merges(output.weights, output.biases, output.scores, gap=output.gap)
            network = Network(blocks, head, coding, name=name)
            trial = trial or trial_inputs(network.inputs)
            _compare(network, layers, output, trial, merging=merging)
            zeros = sum(layer.zeros for layer in layers)
    except MemoryError as error:
        raise BadModel("expected layers that fit into memory, got larger ones") from error
    return replace(network, notes=_notes(trial.description, zeros, merging=merging))


def _check_widths(layers: list[Layer], output: Output) -> None:
    parts = [*(layer.weights for layer in layers), output.weights]
    for i, (before, after) in enumerate(pairwise(parts)):
        if after.shape[1] != len(before):
            raise BadModel(f"layer {i + 1}: expected {len(before)} inputs, one per neuron before it, got {after.shape[1]}")


def _compare(network: Network, layers: list[Layer], output: Output, trial: Trial, *, merging: bool) -> None:
    """Raise BadModel unless every block's bits and the classes equal what the source computes on ±1 inputs."""
    signs = trial.signs
    for i, layer in enumerate(layers):
        answers = layer.fires(exact_products(signs, layer.weights))
        _refuse_if(network.prefix(i + 1)(trial.bits) != answers, f"block {i}")
        signs = np.where(answers, np.int8(1), np.int8(-1))
    scores = output.scores(exact_products(signs, output.weights))
    ours = network(trial.bits)
    differ = ours != np.argmax(scores, axis=1)
    if merging:  # a class may differ only where the source's floats do not separate it from their own winner
        rows = np.arange(len(ours))
        differ &= ~(scores[rows, ours] >= scores.max(axis=1) - output.gap)
    _refuse_if(differ, "class")


def _refuse_if(differ: NDArray[np.bool_], name: str) -> None:
    wrong = int(np.any(differ.reshape(len(differ), -1), axis=1).sum())
    if wrong:
        raise BadModel(f"{name}: expected the folded network to equal its source, got {wrong} different answers in {len(differ)}")


def _notes(trial: str, zeros: int, *, merging: bool) -> tuple[str, ...]:
    reached = f"{zeros} hidden neurons can reach it" if zeros else "no hidden neuron can reach it"
    agree, where = "order all reachable sums of all classes as exact arithmetic does", "the class"
    if merging:
        agree = "may see two classes as equal that differ; here exact arithmetic decides"
        where = "the class, wherever the source can tell its best classes apart"
    return (
        f"Equal to the source's own arithmetic on {trial}: every block's bits and {where}.",
        f"An activation of exactly 0 counts as +1 ({reached}); among equal scores the lowest class wins.",
        f"The source's floating-point scores {agree}.",
    )
