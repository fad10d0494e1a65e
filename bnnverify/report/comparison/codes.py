"""The contents of the tables of latent codes: flips of each latent bit, and distances between the codes of classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from bnnverify.results.comparison import ComparedModel, Comparison


@dataclass(frozen=True)
class BitFlips:
    """For each latent bit of a model, the most stable first, how many of the inputs within the largest radius flip it."""

    seed: int
    flips: tuple[int, ...]
    size: int


def has_latents(comparison: Comparison) -> bool:
    """Return whether any row has latent codes."""
    return any(row.latent is not None for row in comparison.rows)


def bit_flips(comparison: Comparison, arm: str) -> Iterator[BitFlips]:
    """Yield the latent bits of every model of an arm whose codes are known, over all samples."""
    for seed in comparison.seeds:
        rows = [row for row in comparison.of(arm, comparison.radii[-1]) if row.seed == seed]
        known = [(row.latent.flips, row.size) for row in rows if row.latent is not None]
        if known:
            totals = [sum(column) for column in zip(*(flips for flips, _ in known), strict=True)]
            yield BitFlips(seed, tuple(sorted(totals)), sum(size for _, size in known))


def largest_share(comparison: Comparison) -> Fraction:
    """Return the largest share of inputs that flip one latent bit of any network, or 1 where nothing flips any."""
    models = (model for arm in comparison.arms for model in bit_flips(comparison, arm))
    return max((Fraction(max(model.flips, default=0), model.size) for model in models), default=Fraction(0)) or Fraction(1)


@dataclass(frozen=True)
class Separation:
    """In how many bits the class codes of an arm differ, summed over the models that have both classes.

    models: how many have both. least: bits between the nearest two classes of each model.
    """

    arm: str
    classes: int
    sums: tuple[tuple[int, ...], ...]
    models: tuple[tuple[int, ...], ...]
    least: tuple[int, ...]
    width: int

    def mean(self, a: int, b: int) -> Fraction | None:
        """Return the mean over models, None where no model has codes for both classes."""
        return Fraction(self.sums[a][b], self.models[a][b]) if self.models[a][b] else None


def separations(comparison: Comparison) -> Iterator[Separation]:
    """Yield the separation of every arm that has codes."""
    for arm in comparison.arms:
        models = [model for model in comparison.models if model.arm == arm and model.separation]
        if models:
            matrices = [model.separation or () for model in models]
            classes = range(len(matrices[0]))
            sums = tuple(tuple(sum(max(matrix[a][b], 0) for matrix in matrices) for b in classes) for a in classes)
            known = tuple(tuple(sum(matrix[a][b] >= 0 for matrix in matrices) for b in classes) for a in classes)
            least = tuple(bits for model in models for bits in _least(model))
            yield Separation(arm, len(classes), sums, known, least, models[0].widths[-2])


def _least(model: ComparedModel) -> Sequence[int]:
    """Return the smallest distance of two class codes, as a list of one, or nothing where there are no two codes."""
    distances = [bits for a, row in enumerate(model.separation or ()) for b, bits in enumerate(row) if a != b and bits >= 0]
    return [min(distances)] if distances else []
