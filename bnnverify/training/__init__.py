"""Training small binarized networks with PyTorch, and converting them to integer Networks; needs the extra `train`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any
from warnings import warn

from bnnverify.extras import needed
from bnnverify.training.data.sources import Source, read_source
from bnnverify.training.data.split import Parts, part, split
from bnnverify.training.networks.recipes import RECIPES, Recipe, recipe_named

if TYPE_CHECKING:
    from bnnverify.training.loop import Trained, deployments, train
    from bnnverify.training.stages.conversion import integer_network

__all__ = [
    "RECIPES",
    "Parts",
    "Recipe",
    "Source",
    "Trained",
    "deployments",
    "integer_network",
    "part",
    "read_source",
    "ready",
    "recipe_named",
    "split",
    "train",
]

_LATER = {"Trained": "loop", "deployments": "loop", "integer_network": "stages.conversion", "train": "loop"}
_RENAMED = {"whole_network": "integer_network"}


def ready() -> None:
    """Raise MissingExtra unless PyTorch can be imported."""
    with needed("training", "PyTorch", extra="train"):
        import torch  # noqa: F401


def __getattr__(name: str) -> Any:
    """Import a name that needs torch when it is first used."""
    if name in _RENAMED:
        warn(f"bnnverify.training.{name} is now bnnverify.training.{_RENAMED[name]}", DeprecationWarning, stacklevel=2)
        name = _RENAMED[name]
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    ready()
    return getattr(import_module(f"bnnverify.training.{_LATER[name]}"), name)
