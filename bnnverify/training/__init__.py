"""Training small binarized networks with PyTorch, and making them whole-number Networks; needs the extra `train`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bnnverify.extras import needed
from bnnverify.training.data.sources import Source, read_source
from bnnverify.training.data.split import Parts, part, split
from bnnverify.training.networks.recipes import RECIPES, Recipe, recipe_named

if TYPE_CHECKING:
    from bnnverify.training.loop import Trained, deployments, train
    from bnnverify.training.stages.conversion import whole_network

__all__ = [
    "RECIPES",
    "Parts",
    "Recipe",
    "Source",
    "Trained",
    "deployments",
    "part",
    "read_source",
    "ready",
    "recipe_named",
    "split",
    "train",
    "whole_network",
]

_HOMES = {"Trained": "loop", "deployments": "loop", "train": "loop", "whole_network": "whole"}


def ready() -> None:
    """Raise MissingExtra unless PyTorch can be imported."""
    with needed("training", "PyTorch", extra="train"):
        import torch  # noqa: F401


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    ready()
    return getattr(import_module(f"bnnverify.training.{_HOMES[name]}"), name)
