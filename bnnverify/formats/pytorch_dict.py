"""PyTorch state dicts of the NPAQ networks (Baluta et al., CCS 2019): linear, batch norm, hard tanh, ..., linear.

Two naming schemes: fc1, bn1, fc2, ..., fc5 and mod_list.0, mod_list.1, mod_list.3, ... A weight acts as its sign (0 is no
connection), the real bias is added to the sum, batch norm is torch's own in evaluation mode (eps 1e-5), and the class
is the largest log-softmax. torch itself evaluates the layers, so its rounding is ours.
"""

from __future__ import annotations

import pickle
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadModel, MissingExtra
from bnnverify.formats.arrays import DAMAGE, reason
from bnnverify.formats.mnist_coding import mnist_coding
from bnnverify.formats.signature import Format, Signature
from bnnverify.formats.trained import Floats, Layer, Output, Sums, network_of
from bnnverify.model.arrays import as_integers
from bnnverify.model.network import Network

if TYPE_CHECKING:
    from torch import Tensor

Fields = dict[str, "Tensor"]

KEY = re.compile(r"(?:module\.)?([a-z_]+\.?)(\d+)\.(weight|bias|running_mean|running_var|num_batches_tracked)")
LINEAR, NORM = ("weight", "bias"), ("weight", "bias", "running_mean", "running_var")
EPS = 1e-5
LOG_SOFTMAX_GAP = 2.0**-20  # subtracting the logarithm of a sum of exponentials moves scores close to the largest by less


def matches(signature: Signature) -> bool:
    """Return whether this may be a file of torch.save: an old pickle stream or its newer zip archive."""
    return signature.start.startswith(b"\x80") or any(name.endswith("/data.pkl") for name in signature.names)


def read(path: Path) -> Network:
    """Return the network of a state dict file; no code in the file is run. Raises BadModel, MissingExtra without torch."""
    groups = _groups(_state_dict(path))
    *hidden, last = groups
    layers = [_layer(linear, norm) for linear, norm in zip(hidden[::2], hidden[1::2], strict=True)]
    output = _output(last)
    first = layers[0].weights if layers else output.weights
    return network_of(layers, output, name=path.stem, coding=mnist_coding(first.shape[1]))


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingExtra("reading PyTorch files needs torch: pip install 'bnnverify[train]'") from error
    return torch


def _state_dict(path: Path) -> Fields:
    torch = _torch()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old files make torch advise its maintainers, not our users
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BadModel("expected tensors only, got a file that is damaged or would run other code: refused") from error
    except DAMAGE as error:
        raise BadModel(f"expected a PyTorch state dict, got a truncated or damaged file ({reason(error)})") from error
    if not isinstance(state, dict) or not state:
        raise BadModel(f"expected a PyTorch state dict, got {type(state).__name__} without entries of its own")
    for key, value in state.items():
        _check_tensor(torch, key, value)
    return state


def _check_tensor(torch: Any, key: object, value: object) -> None:
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise BadModel(f"expected keys like fc1.weight, bn1.running_mean or mod_list.0.weight, got {str(key)[:80]!r}")
    if key.endswith("num_batches_tracked"):
        return
    if not isinstance(value, torch.Tensor) or value.dtype != torch.float32 or value.layout != torch.strided:
        raise BadModel(f"{key}: expected a float32 tensor, got {getattr(value, 'dtype', type(value).__name__)}")
    if not bool(torch.isfinite(value).all()):
        raise BadModel(f"{key}: expected finite numbers, got NaN or infinity")


def _groups(state: Fields) -> list[Fields]:
    """Return the layers' tensors in the order they act: linear and batch norm in turn, a linear layer at the end."""
    found: dict[tuple[int, bool, str], Fields] = {}
    for key, tensor in state.items():
        prefix, place, field = KEY.fullmatch(key).groups()  # type: ignore[union-attr]  # every key was checked before
        norm = prefix == "bn" or f"{key.removesuffix(field)}running_mean" in state
        found.setdefault((int(place), norm, f"{prefix}{place}"), {})[field] = tensor
    layers = sorted(found)
    order = ["batch norm" if norm else "linear" for _, norm, _ in layers]
    if order != [*["linear", "batch norm"] * (len(order) // 2), "linear"]:
        raise BadModel(f"expected linear and batch norm in turn, then a linear layer, got {', '.join(order)}")
    for layer in layers:
        _check_fields(layer[2], found[layer], NORM if layer[1] else LINEAR)
    return [found[layer] for layer in layers]


def _check_fields(name: str, fields: Fields, required: tuple[str, ...]) -> None:
    missing = [field for field in required if field not in fields]
    if missing:
        raise BadModel(f"expected the key {name}.{missing[0]}, which is missing")
    for field in required:
        ndim = 2 if required is LINEAR and field == "weight" else 1
        if fields[field].ndim != ndim:
            raise BadModel(f"{name}.{field}: expected {ndim} dimensions, got shape {tuple(fields[field].shape)}")
        if len(fields[field]) != len(fields["weight"]):
            raise BadModel(f"{name}.{field}: expected {len(fields['weight'])} numbers, got {len(fields[field])}")


def _signs(weight: Tensor) -> NDArray[np.int64]:
    return as_integers(np.sign(weight.numpy()), "layer weights", 2)


def _layer(linear: Fields, norm: Fields) -> Layer:
    """Return a hidden layer that answers with torch's own addition, batch norm and hard tanh."""
    if len(norm["weight"]) != len(linear["weight"]):
        raise BadModel(f"batch norm: expected {len(linear['weight'])} neurons, as before it, got {len(norm['weight'])}")
    if bool((norm["running_var"] < 0).any()):
        raise BadModel("batch norm: expected variances of at least 0, got a negative one")
    torch = _torch()

    def activation(sums: Sums) -> Floats:
        values = torch.from_numpy(sums.astype(np.float32)) + linear["bias"]
        values = torch.nn.functional.batch_norm(
            values, norm["running_mean"], norm["running_var"], norm["weight"], norm["bias"], training=False, eps=EPS
        )
        return np.asarray(torch.nn.functional.hardtanh(values).numpy())

    return Layer(_signs(linear["weight"]), activation)


def _output(linear: Fields) -> Output:
    torch = _torch()

    def scores(sums: Sums) -> Floats:
        return np.asarray((torch.from_numpy(sums.astype(np.float32)) + linear["bias"]).numpy())

    return Output(_signs(linear["weight"]), linear["bias"].numpy(), scores, gap=LOG_SOFTMAX_GAP)


FORMAT = Format("PyTorch state dict (.pt)", matches, read)
