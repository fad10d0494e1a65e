"""What tests of training share: few samples, recipes of a few passes, and models nobody trained."""

from __future__ import annotations

from dataclasses import replace

from bnnverify.data.samples import Samples, digits
from bnnverify.training import Recipe, recipe_named
from tests.support.enumerated import every_input

EVERY = every_input(9)


def few(count: int = 200) -> Samples:
    """Return the first digits."""
    every = digits()
    assert every.labels is not None
    return Samples(every.bits[:count], every.labels[:count], every.indices[:count], every.name)


def quick(head: str, **numbers: object) -> Recipe:
    """Return a recipe of a few passes with this head."""
    short: dict[str, object] = {"hidden": (12, 8), "latent": 4, "epochs": 6, "tuning": 3, "batch": 32}
    return replace(recipe_named(head), **{**short, **numbers})  # type: ignore[arg-type]
