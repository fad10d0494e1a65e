"""The record of a training, as plain JSON data: recipe, data, split, accuracies, and whether the network collapsed."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np

from bnnverify._version import __version__
from bnnverify.data.samples import Samples
from bnnverify.model.network import Network
from bnnverify.training.data.split import Parts, labels_of
from bnnverify.training.networks.recipes import Recipe
from bnnverify.training.stages.binarity import code_share


def right_of(network: Network, samples: Samples) -> list[int]:
    """Return the number of right answers and the number of samples."""
    return [int((network(samples.bits) == labels_of(samples)).sum()), len(samples)] if len(samples) else [0, 0]


def record_of(network: Network, parts: Parts, recipe: Recipe, deployment: str) -> dict[str, Any]:
    """Return the record of a network trained by recipe on parts; split: places of samples in their source."""
    return {
        "arm": recipe.head if deployment == "none" else f"{recipe.head}-{deployment}",
        "head": recipe.head,
        "data": parts.test.name,
        "coding": dict(parts.coding),
        "recipe": asdict(recipe),
        "split": {"validation": list(parts.validation.indices), "test": list(parts.test.indices)},
        "accuracy": {
            "train": right_of(network, parts.train),
            "validation": right_of(network, parts.validation),
            "test": right_of(network, parts.test),
        },
        "exact_code_share": exact_code_share(network, parts.test),
        "collapsed": collapsed(network, parts),
        "versions": {
            "python": platform.python_version(),
            "torch": version("torch"),
            "numpy": version("numpy"),
            "bnnverify": __version__,
        },
    }


def exact_code_share(network: Network, samples: Samples) -> float | None:
    """Return the share of samples whose code is the most frequent one of their class; None without blocks."""
    if not network.blocks:
        return None
    return code_share(network.prefix(len(network.blocks))(samples.bits), labels_of(samples))


def collapsed(network: Network, parts: Parts) -> str:
    """Return a sentence why the network counts as collapsed, or "".

    `queries.comparison` calls the same a collapse: constant on validation data, in its answers or its latent code; or at chance
    level there and on training data too (a small validation part alone would call overfitting a collapse). Chance level: at most
    two standard errors of the sample above the share of the most frequent class.
    """
    samples = parts.validation if len(parts.validation) > 1 else parts.train
    answers = network(samples.bits)
    if len(np.unique(answers)) == 1 and len(np.unique(labels_of(samples))) > 1:
        return f"constant: the answer is {answers[0]} on all {len(samples)} validation samples"
    if network.blocks and len(np.unique(network.prefix(len(network.blocks))(samples.bits), axis=0)) == 1:
        return f"constant: one latent code on all {len(samples)} validation samples"
    if _at_chance(network, samples) and _at_chance(network, parts.train):
        right, of = right_of(network, samples)
        return f"chance level: {right} of {of} right on validation samples, no better than one class for all"
    return ""


def _at_chance(network: Network, samples: Samples) -> bool:
    right, of = right_of(network, samples)
    chance = int(np.bincount(labels_of(samples)).max()) / of
    return bool(right / of <= chance + 2 * (chance * (1 - chance) / of) ** 0.5)
