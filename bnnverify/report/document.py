"""Results as JSON objects: exact numbers, with the version and the model's fingerprint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Protocol

from bnnverify._version import __version__
from bnnverify.model.matrix import Dense, Matrix, reach
from bnnverify.model.network import Block, Network


class Answer(Protocol):
    """A result that can be turned into plain data."""

    def to_json(self) -> dict[str, Any]:
        """Return numbers, texts, lists and objects only."""


def document(answer: Answer | dict[str, Any], network: Network) -> str:
    """Return one JSON object: the answer, then version and model_sha256."""
    plain = answer if isinstance(answer, dict) else answer.to_json()
    return stamped(plain, network.sha256)


def stamped(plain: dict[str, Any], model_sha256: str) -> str:
    """Return one JSON object: these fields, then version and model_sha256."""
    return json.dumps({**plain, "version": __version__, "model_sha256": model_sha256})


def about(network: Network) -> dict[str, Any]:
    """Return the description of a network, as plain data."""
    matrices = [*(block.matrix for block in network.blocks), *([Dense(network.head.weights)] if network.head else [])]
    coding = network.coding
    return {
        "name": network.name,
        "inputs": network.inputs,
        "blocks": [block.outputs for block in network.blocks],
        "classes": network.classes if network.head else None,
        "weights": _weights(matrices),
        "constant_neurons": [_constant(block) for block in network.blocks],
        "picture": list(coding.shape) if coding and coding.shape else None,
        "unflippable_inputs": int((~coding.flippable).sum()) if coding else None,
        "notes": list(network.notes),
        "record": _essentials(network.record),
    }


def _essentials(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a training's record without its long lists of sample numbers."""
    return {key: value for key, value in record.items() if key not in ("split", "coding")}


def _weights(parts: Sequence[Matrix]) -> dict[str, int]:
    """Return how many weights there are, how many of them are 0, and the largest absolute value."""
    total = sum(prod(part.shape) for part in parts)
    zeros = total - sum(part.entries for part in parts)
    return {"total": total, "zero": zeros, "largest": max(part.largest for part in parts)}


def _constant(block: Block) -> int:
    """Return how many neurons have the same output for every input."""
    low, high = reach(block.matrix)
    return int(((low >= block.bounds) | (high < block.bounds)).sum())
