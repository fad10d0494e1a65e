"""A trained linear latent in integers: as it is (D1), and snapped to a code (D2).

The weights of the latent and of the scores are rounded to fractions with a power of two below them; from then on nothing is
rounded any more. In units of 2^-q, z = W s + b is an integer; in units of 2^-(p + q), so are the scores V z + a.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bnnverify.model.arrays import Integers
from bnnverify.model.fold import fold_head
from bnnverify.model.network import Block, Head
from bnnverify.training.networks.layers import LatentNet

Reals = NDArray[np.float64]

FINEST = 24  # binary places at most: scores then stay far below 2^62 also where a collapsed latent is nearly 0


def places(values: Reals, bits: int) -> int:
    """Return how many binary places give the largest of values at most `bits` bits, FINEST at most."""
    return int(min(FINEST, bits - np.frexp(np.abs(values).max(initial=0.0))[1]))


def rounded(values: Reals, count: int) -> Integers:
    """Return values in units of 2^-count, to the nearest integer."""
    return np.asarray(np.rint(np.ldexp(values, count)).astype(np.int64))


def two_means(values: NDArray[np.int64] | Reals) -> tuple[float, float]:
    """Return the means of the lower and the upper part of values (N,), cut where the parts vary least in themselves.

    This is 2-means clustering solved exactly: on a line, clusters are what is left and right of a cut.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    if len(ordered) < 2:
        return float(ordered.mean()), float(ordered.mean())
    below = np.cumsum(ordered)[:-1]
    counts = np.arange(1, len(ordered))
    above = ordered.sum() - below
    cut = int(np.argmax(below**2 / counts + above**2 / (len(ordered) - counts))) + 1
    return float(ordered[:cut].mean()), float(ordered[cut:].mean())


@dataclass(frozen=True, eq=False)
class IntegerLatent:
    """z = weights @ s + biases in units of 2^-q, over signs s; score c = scores[c] @ z + offsets[c] in units of 2^-(p + q).

    weights: (d, n), biases: (d,), scores: (classes, d), offsets: (classes,).
    """

    weights: Integers
    biases: Integers
    scores: Integers
    offsets: Integers

    @staticmethod
    def of(model: LatentNet, bits: int) -> IntegerLatent:
        """Return the model's last two layers, the largest weight of each with this many bits."""
        weights, biases, scores, offsets = (
            parameter.detach().numpy().astype(np.float64)
            for parameter in (model.latent.weight, model.latent.bias, model.head.weight, model.head.bias)
        )
        q, p = places(weights, bits), places(scores, bits)
        return IntegerLatent(rounded(weights, q), rounded(biases, q), rounded(scores, p), rounded(offsets, p + q))

    @property
    def units(self) -> int:
        return len(self.biases)

    def latents(self, signs: Reals) -> Reals:
        """Return z of signs (N, n): (N, d), exact: integers far below 2^53."""
        return np.asarray(signs @ self.weights.T.astype(np.float64) + self.biases)

    def scored(self, latents: Reals) -> Reals:
        """Return the scores of z (N, d): (N, classes), exact as long as they stay below 2^53."""
        return np.asarray(latents @ self.scores.T.astype(np.float64) + self.offsets)

    def float_head(self) -> Head:
        """Return D1: both layers composed to one, which sees the backbone's bits."""
        return fold_head(self.scores @ self.weights, self.scores @ self.biases + self.offsets)

    def snapped(self, signs: Reals) -> Snapped:
        """Return D2: every unit snapped to the two means of its values at these signs (N, n)."""
        means = [two_means(column) for column in self.latents(signs).T]
        low, high = (np.rint([pair[i] for pair in means]).astype(np.int64) for i in (0, 1))
        return Snapped(self, low, high)


@dataclass(frozen=True, eq=False)
class Snapped:
    """A latent whose unit j has the value low[j] or high[j]: the nearer one, high from the midpoint on."""

    latent: IntegerLatent
    low: Integers
    high: Integers

    @cached_property
    def block(self) -> Block:
        """Return the code as a block: bit j is 1 exactly when z_j >= (low_j + high_j) / 2; x over bits is s = 2x - 1."""
        weights = self.latent.weights
        twice = self.low + self.high - 2 * self.latent.biases + 2 * weights.sum(axis=1)  # of 4 W x >= low + high - 2b + 2 sum W
        return Block(weights, -(-twice // 4))

    @cached_property
    def head(self) -> Head:
        """Return the scores of the snapped values, which are linear in the code's bits."""
        scores = self.latent.scores
        return Head(scores * (self.high - self.low), scores @ self.low + self.latent.offsets)

    def values(self, latents: Reals) -> Reals:
        """Return the snapped values of z (N, d): the nearer of low and high."""
        return np.where(2 * latents >= self.low + self.high, self.high, self.low).astype(np.float64)
