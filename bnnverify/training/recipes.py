"""What is trained and how, in a few numbers with a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bnnverify.errors import BadQuery


@dataclass(frozen=True)
class Recipe:
    """A network's shape and its training.

    hidden: widths of the blocks. weights: "sign" (-1, +1) or "ternary" (-1, 0, +1). noise: chance that a training input bit
    is flipped, which widens the margins. rate: largest step of the optimiser; it falls to 0 along a cosine.
    test_share: part of the samples that training never sees.
    """

    hidden: tuple[int, ...]
    weights: str = "sign"
    epochs: int = 200
    batch: int = 64
    rate: float = 0.01
    noise: float = 0.05
    test_share: float = 0.2


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "digits": Recipe(hidden=(64,)),
        "digits-deep": Recipe(hidden=(64, 32)),
        "digits-ternary": Recipe(hidden=(64,), weights="ternary"),
    }
)


def recipe_named(name: str) -> Recipe:
    """Return the recipe of this name."""
    if name not in RECIPES:
        raise BadQuery(f"recipe: expected one of {', '.join(RECIPES)}, got {name}")
    return RECIPES[name]
