"""Trained layers become whole-number Blocks and Heads, by evaluating the layer at every sum it can take.

A neuron with integer weights over ±1 inputs can take finitely many sums. The deployed layer (bias, batch norm, sign, in its own
floating point) is evaluated at each of them, and its step is read off; the folded neuron then equals it bit for bit. This module
alone defines sign(0). Folded networks have no ±1: an input s in {-1, +1} is the bit (s + 1) / 2.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.errors import BadModel
from bnnverify.model.arrays import LARGEST_SUM, Integers, as_integers
from bnnverify.model.matrix import Matrix, as_rows
from bnnverify.model.network import Block, Head

Answers = NDArray[np.bool_]

MOST_ANSWERS = 2**25  # of one layer; more would not fit a small machine's memory


def is_plus(values: ArrayLike, *, zero_is_plus: bool = True) -> Answers:
    """Return where sign(values) is +1. sign(0) is +1, unless a format's own rule says otherwise."""
    values = np.asarray(values)
    if np.any(np.isnan(values)):
        raise BadModel("activation: expected numbers, got NaN")
    return np.asarray(values >= 0 if zero_is_plus else values > 0)


def sums_of(weights: ArrayLike | Matrix) -> Integers:
    """Return every sum that each row can take over ±1 inputs, ascending: (m, n) weights to (k, m).

    They step by 2 from -sum|w| to +sum|w|; rows with fewer sums repeat their largest. Of weights other than -1, 0, +1 some
    of these sums are never taken; the layer is evaluated there too, and must be a step there as well.
    """
    largest = as_rows(weights, "layer weights").sizes
    steps = int(largest.max(initial=0)) + 1
    if steps * max(len(largest), 1) > MOST_ANSWERS:
        raise BadModel(f"layer: expected at most {MOST_ANSWERS} sums to evaluate, got {steps} for each of {len(largest)} neurons")
    return np.asarray(np.minimum(2 * np.arange(steps)[:, None] - largest, largest))


def steps_of(answers: ArrayLike, shape: tuple[int, ...], name: str) -> tuple[Answers, NDArray[np.intp]]:
    """Return, per column, whether it falls (True first, False later) and where its second part begins.

    answers: (k, m), in ascending order of the sums. A constant column does not fall: all True begins at 0,
    all False at k. A column with more than one change is not a step, and refused.
    """
    array = np.asarray(answers)
    if array.shape != shape or array.dtype != np.bool_:
        raise BadModel(f"{name}: expected yes/no answers of shape {shape}, got {array.dtype} of shape {array.shape}")
    changes = (array[1:] != array[:-1]).sum(axis=0)
    if np.any(changes > 1):
        worst = int(np.argmax(changes))
        raise BadModel(f"{name} {worst}: expected one step (a monotone activation), got {changes[worst]} changes of the answer")
    falls = array[0] & ~array[-1]
    trues = array.sum(axis=0)
    return falls, np.where(falls, trues, len(array) - trues)


def fold_block(weights: ArrayLike | Matrix, fires: Callable[[Integers], ArrayLike]) -> Block:
    """Return the block whose bit j is 1 exactly when the trained neuron j fires.

    weights: (m, n) whole numbers over ±1 inputs, dense or sparse. fires: from sums (k, m), column j holding values of
    weights[j] @ s, to yes/no (k, m). Rows that fire downwards are negated, constant rows get zero weights. Raises BadModel
    where one is no step.
    """
    weights = as_rows(weights, "layer weights")
    sums = sums_of(weights)
    falls, place = steps_of(fires(sums.copy()), sums.shape, "neuron")
    always, never = place == 0, place == len(sums)
    column = np.arange(len(weights))
    signed = weights * np.where(always | never, 0, np.where(falls, -1, 1))[:, None]
    first = sums[np.minimum(place, len(sums) - 1), column]
    last = sums[place - 1, column]
    least = np.where(falls, -last, first)  # the smallest signed sum that fires; it has the parity of the row's weights
    bounds = np.where(always | never, never, (least + signed.sum(axis=1)) // 2)
    return Block(signed, bounds)


def exact(numbers: ArrayLike, name: str) -> list[Fraction]:
    """Return numbers as the exact fractions that their floating-point bits stand for."""
    array = np.asarray(numbers)
    if array.ndim != 1 or array.dtype.kind not in "fiu" or not np.all(np.isfinite(array)):
        raise BadModel(f"{name}: expected a row of finite numbers, got {array.dtype} of shape {array.shape}, or NaN or infinity")
    return [Fraction(number) for number in array.tolist()]


def fold_head(weights: ArrayLike, biases: ArrayLike) -> Head:
    """Return the head of the largest score weights[c] @ s + biases[c] over ±1 inputs s; the lowest class wins ties.

    weights: (classes, n) whole numbers. biases: (classes,) floats, taken exactly. Half of a score is weights[c] @ x plus
    (biases[c] - sum of weights[c]) / 2 over bits x: its whole part goes to the offsets, its fraction to the ranks.
    """
    weights = as_integers(weights, "output weights", 2)
    shifts = exact(biases, "output biases")
    if len(shifts) != len(weights):
        raise BadModel(f"output biases: expected {len(weights)}, one per class, got {len(shifts)}")
    halves = [(shift - int(total)) / 2 for shift, total in zip(shifts, weights.sum(axis=1), strict=True)]
    offsets = [half.__floor__() for half in halves]
    if any(abs(offset) >= LARGEST_SUM for offset in offsets):
        raise BadModel("output biases: expected numbers below 2^62, got a larger one")
    by_fraction = sorted(range(len(halves)), key=lambda c: (offsets[c] - halves[c], c))
    ranks = np.empty(len(halves), dtype=np.int64)
    ranks[by_fraction] = np.arange(len(halves))
    return Head(weights, np.array(offsets, dtype=np.int64), ranks)


def merges(weights: ArrayLike, biases: ArrayLike, scores: Callable[[Integers], ArrayLike], *, gap: float = 0.0) -> bool:
    """Return whether floating point may order scores of two classes differently from exact arithmetic, at some pair of sums.

    scores: from sums (k, classes) to the source's own floating-point scores (k, classes). gap: scores this close may become
    equal in later operations (a log-softmax). Exact scores of all classes and sums are put in order; floating-point scores in
    that order must be equal where the exact ones are, and grow by more than gap where they differ.
    """
    weights = as_integers(weights, "output weights", 2)
    sums = sums_of(weights)
    shifts = exact(biases, "output biases")
    values = [int(s) + shift for row in sums for s, shift in zip(row, shifts, strict=True)]
    floats = np.asarray(scores(sums), dtype=np.float64).ravel()
    order = sorted(range(len(values)), key=values.__getitem__)
    with np.errstate(invalid="ignore"):  # infinities: their difference is NaN, which counts as merged below
        growth = np.diff(floats[order])
    differ = np.array([values[i] != values[j] for i, j in pairwise(order)], dtype=np.bool_)
    return bool(np.any(np.where(differ, ~(growth > gap), growth != 0)))
