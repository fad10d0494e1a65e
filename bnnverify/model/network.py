"""Networks in whole numbers; calling a Network defines its answers for all other modules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.errors import BadModel, BadSample
from bnnverify.model.arrays import LARGEST_SUM as LARGEST_SUM
from bnnverify.model.arrays import Bits as Bits
from bnnverify.model.arrays import Integers as Integers
from bnnverify.model.arrays import as_integers as as_integers
from bnnverify.model.arrays import fewest_bytes
from bnnverify.model.coding import InputCoding
from bnnverify.model.matrix import Dense, Matrix, as_rows, printed, reach
from bnnverify.model.matrix import exact_products as exact_products
from bnnverify.model.threshold import Threshold, normal_rows, threshold, threshold_of

AT_ONCE = 2**22  # bits of one layer, of all inputs that are evaluated together


def _check_sums(weights: Integers, offsets: Integers | int, name: str) -> None:
    sums = np.abs(weights.astype(np.float64)).sum(axis=1) + np.abs(offsets)
    if sums.size and sums.max() >= LARGEST_SUM:
        raise BadModel(f"{name}: expected weight sums below 2^62, got a larger one")


@dataclass(frozen=True, eq=False, init=False)
class Block:
    """Output bit j is 1 exactly when matrix[j] @ x >= bounds[j]; x holds 0s and 1s.

    matrix: (outputs, inputs) whole numbers, dense or sparse. bounds: (outputs,) whole numbers.
    """

    matrix: Matrix
    bounds: Integers

    def __init__(self, matrix: ArrayLike | Matrix, bounds: ArrayLike) -> None:
        object.__setattr__(self, "matrix", as_rows(matrix, "block weights"))
        object.__setattr__(self, "bounds", as_integers(bounds, "block bounds", 1))
        if len(self.bounds) != len(self.matrix):
            raise BadModel(f"block: expected {len(self.matrix)} bounds, one per row of weights, got {len(self.bounds)}")
        if isinstance(self.matrix, Dense):
            _check_sums(self.matrix.numbers, 0, "block")

    def __reduce__(self) -> tuple[Any, ...]:
        return Block, (self.matrix, fewest_bytes(self.bounds))

    @cached_property
    def weights(self) -> Integers:
        """Return the matrix with its zeros written out; BadModel where sparse rows would become too large."""
        return self.matrix.dense()

    @property
    def inputs(self) -> int:
        return int(self.matrix.shape[1])

    @property
    def outputs(self) -> int:
        return len(self.matrix)

    def rows(self) -> Iterator[Threshold]:
        """Yield each neuron as a brick, which encoders read, dense or sparse."""
        for j, bound in enumerate(self.bounds.tolist()):
            yield threshold_of(*self.matrix.row(j), bound)

    def __call__(self, bits: Bits) -> Bits:
        """Return the output bits: (N, inputs) to (N, outputs)."""
        return (self.matrix.products(bits) >= self.bounds).astype(np.uint8)

    def normal(self) -> Block:
        """Return the block whose neurons are these in normal form; constants stay as they are."""
        if self.matrix.largest <= 1:
            return self
        low, high = reach(self.matrix)
        is_open = (low < self.bounds) & (self.bounds <= high)
        rows, bounds = self.matrix.sparse(), self.bounds.copy()
        entries, lengths = is_open[rows.owners], np.diff(rows.starts)[is_open]
        values = rows.values.copy()
        first = np.cumsum(lengths) - lengths
        values[entries], bounds[is_open] = normal_rows(first, rows.values[entries], bounds[is_open])
        return Block(replace(rows, values=values), bounds)


@dataclass(frozen=True, eq=False)
class Head:
    """The class with the largest whole-number score; among equal scores the one with the smallest rank.

    weights: (classes, inputs), offsets: (classes,), ranks: (classes,) a permutation of 0..classes-1.
    Score c is weights[c] @ x + offsets[c]. Fractions of real scores live in the ranks: they only decide between
    equal whole parts, and the lowest class index comes first where they are equal too (the default: ranks = 0, 1, 2, ...).
    """

    weights: Integers
    offsets: Integers
    ranks: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", as_integers(self.weights, "head weights", 2))
        object.__setattr__(self, "offsets", as_integers(self.offsets, "head offsets", 1))
        ranks = self.ranks if np.size(self.ranks) else np.arange(len(self.weights))
        object.__setattr__(self, "ranks", as_integers(ranks, "head ranks", 1))
        if not len(self.weights):
            raise BadModel("head: expected at least one class, got none")
        if not len(self.offsets) == len(self.ranks) == len(self.weights):
            raise BadModel(f"head: expected {len(self.weights)} offsets and ranks, got {len(self.offsets)} and {len(self.ranks)}")
        if sorted(self.ranks.tolist()) != list(range(self.classes)):
            raise BadModel(f"head: expected ranks to be a permutation of 0..{self.classes - 1}")
        _check_sums(self.weights, self.offsets, "head")

    def __reduce__(self) -> tuple[Any, ...]:
        return Head, tuple(map(fewest_bytes, (self.weights, self.offsets, self.ranks)))

    @property
    def inputs(self) -> int:
        return int(self.weights.shape[1])

    @property
    def classes(self) -> int:
        return len(self.weights)

    @property
    def order(self) -> Integers:
        """Return the classes by rank: among equal scores the first of them is the answer."""
        return np.argsort(self.ranks)

    def gap(self, c: Any, k: Any) -> Integers:
        """Return how far the score of c must exceed that of k for c to be preferred: 0 or 1. c, k: classes or arrays of them."""
        return np.asarray(self.ranks[c] > self.ranks[k], dtype=np.int64)

    def lead_bounds(self, c: int, k: Any = slice(None)) -> Any:
        """Return the bounds that leads(c) must reach for class c to be preferred to each class k, for itself 0: (classes,)."""
        return self.offsets[k] - self.offsets[c] + self.gap(c, k)

    def leads(self, c: int) -> Matrix:
        """Return how class c leads each class: (classes, inputs), row k is weights[c] - weights[k]."""
        return Dense(self.weights[c] - self.weights)

    def beats(self, c: int, k: int) -> Threshold:
        """Return the brick that holds exactly when class c is preferred to class k."""
        return threshold(self.weights[c] - self.weights[k], self.lead_bounds(c, k))

    def scores(self, bits: Bits) -> Integers:
        """Return the whole-number scores: (N, inputs) to (N, classes)."""
        return exact_products(bits, self.weights) + self.offsets

    def __call__(self, bits: Bits) -> Integers:
        """Return the winning classes: (N, inputs) to (N,)."""
        return np.asarray(self.order[np.argmax(self.scores(bits)[:, self.order], axis=1)])


@dataclass(frozen=True, eq=False)
class Network:
    """Blocks, then a head. Without a head the answer is the last block's bits (a latent code), not a class.

    notes: of an importer (tie rule, float rounding, comparison with the source), as plain sentences.
    record: how it was trained, as plain JSON data; it decides no answer, so the fingerprint leaves it out.
    """

    blocks: tuple[Block, ...]
    head: Head | None = None
    coding: InputCoding | None = None
    name: str = ""
    notes: tuple[str, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(self.blocks))
        parts: list[Block | Head] = [*self.blocks, *([self.head] if self.head else [])]
        if not parts:
            raise BadModel("network: expected at least one block or a head, got neither")
        width = parts[0].inputs
        for i, part in enumerate(parts):
            name = "head" if part is self.head else f"block {i}"
            if part.inputs != width:
                raise BadModel(f"{name}: expected {width} inputs, got {part.inputs}")
            width = part.outputs if isinstance(part, Block) else 0
        if self.coding is not None and len(self.coding.thresholds) != self.inputs:
            raise BadModel(f"input coding: expected {self.inputs} thresholds, got {len(self.coding.thresholds)}")

    @property
    def inputs(self) -> int:
        return self.blocks[0].inputs if self.blocks else self._head.inputs

    @property
    def classes(self) -> int:
        return self._head.classes

    @property
    def _head(self) -> Head:
        if self.head is None:
            raise BadModel("network: expected a head, got a prefix without one")
        return self.head

    @property
    def widths(self) -> tuple[int, ...]:
        """Return inputs, then the width of every block, then the number of classes."""
        last = (self.head.classes,) if self.head else ()
        return (self.inputs, *(block.outputs for block in self.blocks), *last)

    def prefix(self, i: int) -> Network:
        """Return the first i blocks alone: from inputs to the latent code after block i."""
        self._check_cut(i, lowest=1)
        return replace(self, blocks=self.blocks[:i], head=None, notes=(), record={})

    def tail(self, i: int) -> Network:
        """Return the network behind the first i blocks: from that latent code to the class."""
        self._check_cut(i, lowest=0)
        return replace(self, blocks=self.blocks[i:], coding=self.coding if i == 0 else None, notes=(), record={})

    def _check_cut(self, i: int, *, lowest: int) -> None:
        if not lowest <= i <= len(self.blocks):
            raise BadModel(f"cut: expected a block number from {lowest} to {len(self.blocks)}, got {i}")

    def check(self, bits: ArrayLike) -> Bits:
        """Return bits as 0s and 1s of this network's width, or raise BadSample."""
        array = np.asarray(bits)
        if array.ndim == 0 or array.shape[-1] != self.inputs:
            raise BadSample(f"expected {self.inputs} bits, got {array.shape[-1] if array.ndim else 'one number'}")
        if not np.all((array == 0) | (array == 1)):
            raise BadSample("expected bits 0 and 1, got other values")
        return array.astype(np.uint8)

    def __call__(self, bits: ArrayLike) -> Any:
        """Return the class of one input (n,) as an int, or of many (N, n) as an array (N,).

        Without a head: the latent code, (m,) or (N, m).
        """
        x = self.check(bits)
        many, at_once = np.atleast_2d(x), 1 + AT_ONCE // max(1, *self.widths)
        parts = [self._answers(many[k : k + at_once]) for k in range(0, max(1, len(many)), at_once)]
        if x.ndim > 1:
            return np.concatenate(parts)
        return parts[0][0] if self.head is None else int(parts[0][0])

    def _answers(self, many: Bits) -> NDArray[Any]:
        for block in self.blocks:
            many = block(many)
        return many if self.head is None else self.head(many)

    @cached_property
    def sha256(self) -> str:
        """Return a fingerprint of everything that decides answers: weights, bounds, head and input coding."""
        digest = hashlib.sha256()
        for name, array in arrays_of(self).items():
            for part in printed(name, array):
                digest.update(part)
        return digest.hexdigest()


def arrays_of(network: Network) -> dict[str, Matrix | Integers]:
    """Return the network as named whole-number arrays: those that the native format stores and the fingerprint hashes."""
    arrays: dict[str, Matrix | Integers] = {}
    for i, block in enumerate(network.blocks):
        arrays[f"block{i}.weights"], arrays[f"block{i}.bounds"] = block.matrix, block.bounds
    if network.head is not None:
        head = network.head
        arrays |= {"head.weights": head.weights, "head.offsets": head.offsets, "head.ranks": head.ranks}
    if network.coding is not None:
        coding = network.coding
        arrays["coding.thresholds"] = coding.thresholds
        arrays["coding.shape"] = np.array([*(coding.shape or ()), coding.maximum], dtype=np.int64)
    return arrays
