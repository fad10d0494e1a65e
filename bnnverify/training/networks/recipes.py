"""Recipes: the shape of a network and its training, as a few numbers with a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import cos, pi
from types import MappingProxyType

from bnnverify.errors import BadQuery

FLOAT_HEADS = ("bin_enc", "lin_pen")  # a linear latent: deployed in three ways
HEADS = (*FLOAT_HEADS, "nonlin_pen", "no_pen")
DEPLOYMENTS = ("D1", "D2", "D3")
AFTERWARDS = ("after-sign", "after-gpfq")
WEIGHTS = ("sign", "stochastic", "biper", "ternary", "pruned", *(f"int{bits}" for bits in range(2, 9)), *AFTERWARDS)
MANY = 10_000  # samples, from which on a recipe takes fewer passes of larger batches


@dataclass(frozen=True)
class Recipe:
    """A network's shape and its training.

    hidden: widths of the sign blocks. head: what follows them, in the words of the LBE code (Sbailò and Ghiringhelli,
    arXiv 2310.08224): bin_enc a linear latent of `latent` units, compressed; lin_pen the same, not compressed; nonlin_pen a
    sign latent; no_pen none. weights: their kind, see `weights`; noise: chance that a training input bit is flipped.

    The loss is cross-entropy, and for bin_enc + gamma * mean(z^2), the mean over batch and units (LBE code, trainer.py:
    mse_loss with reduction mean). gamma grows geometrically from gamma_start to gamma_max at the share gamma_reached of
    the epochs, and is then held. The optimiser's steps are `rate` up to the share rate_held of the epochs, then fall along a
    cosine to rate * rate_end; the last linear layer with real weights keeps `rate`, and has no weight decay.

    epochs: passes over the samples; tuning: further ones. D3 is snapped and tuned in them; a network without a linear
    latent is trained for epochs + tuning in one go, so that both have equally many; D1 and D2 have had `epochs`. Of the
    last `tuning` passes, the state that is best on validation data is used (the later of equals).
    grid: bits of a real weight's integer in deployments D1 and D2.
    """

    hidden: tuple[int, ...]
    head: str = "no_pen"
    latent: int = 8
    weights: str = "sign"
    epochs: int = 200
    tuning: int = 0
    batch: int = 64
    rate: float = 0.01
    rate_held: float = 0.0
    rate_end: float = 0.0
    tuning_rate: float = 0.003
    decay: float = 0.0
    gamma_start: float = 0.01
    gamma_max: float = 100.0
    gamma_reached: float = 0.7
    noise: float = 0.0
    test_share: float = 0.2
    validation_share: float = 0.1
    grid: int = 16

    def __post_init__(self) -> None:
        _one_of("head", self.head, HEADS)
        _one_of("weights", self.weights, WEIGHTS)
        if min((*self.hidden, self.latent, self.epochs, self.batch)) < 1:
            raise BadQuery("recipe: expected widths, latent, epochs and batch of at least 1, got a smaller one")
        if not 0 < self.gamma_start <= self.gamma_max:
            raise BadQuery(f"gamma: expected 0 < start <= maximum, got {self.gamma_start:g} and {self.gamma_max:g}")
        if not 2 <= self.grid <= 20:
            raise BadQuery(f"grid: expected 2 to 20 bits, got {self.grid}")
        object.__setattr__(self, "hidden", tuple(self.hidden))

    @property
    def deployments(self) -> tuple[str, ...]:
        """Return the deployments of the trained model: D1, D2 and D3 of a linear latent, one otherwise."""
        return DEPLOYMENTS if self.head in FLOAT_HEADS else ("none",)

    @property
    def compressed(self) -> bool:
        """Return whether the loss compresses the latent."""
        return self.head == "bin_enc"

    def rate_at(self, done: float) -> float:
        """Return the optimiser's step where this share of the epochs is done."""
        if done < self.rate_held:
            return self.rate
        fallen = (done - self.rate_held) / (1 - self.rate_held) if self.rate_held < 1 else 0.0
        return self.rate * (self.rate_end + (1 - self.rate_end) * (1 + cos(pi * fallen)) / 2)

    def gamma_at(self, done: float) -> float:
        """Return the weight of the compression where this share of the epochs is done."""
        grown = min(1.0, done / self.gamma_reached) if self.gamma_reached > 0 else 1.0
        return float(self.gamma_start * (self.gamma_max / self.gamma_start) ** grown)

    def for_epochs(self, epochs: int) -> Recipe:
        """Return the recipe with this number of passes over the samples; tuning keeps its proportion."""
        return replace(self, epochs=epochs, tuning=round(self.tuning * epochs / self.epochs))

    def for_many(self, samples: int) -> Recipe:
        """Return the recipe for this number of samples: from 10,000 on, a tenth of the passes, of batches twice as large."""
        if samples < MANY:
            return self
        return replace(self, epochs=max(1, self.epochs // 10), tuning=self.tuning // 10, batch=2 * self.batch)


def _one_of(what: str, word: str, words: tuple[str, ...]) -> None:
    if word not in words:
        raise BadQuery(f"{what}: expected one of {', '.join(words)}, got {word}")


_LATENT = Recipe(hidden=(64, 32), epochs=300, tuning=60, batch=128, rate=0.003, rate_held=0.3, rate_end=0.01, decay=5e-4)
_DIGITS = Recipe(hidden=(64,), noise=0.05)

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "digits": _DIGITS,
        "digits-deep": replace(_DIGITS, hidden=(64, 32)),
        "digits-ternary": replace(_DIGITS, weights="ternary"),
        **{head: replace(_LATENT, head=head) for head in HEADS},
    }
)


def recipe_named(name: str) -> Recipe:
    """Return the recipe of this name."""
    if name not in RECIPES:
        raise BadQuery(f"recipe: expected one of {', '.join(RECIPES)}, got {name}")
    return RECIPES[name]
