"""CSV folders of the BDD4BNN and BNNQuanalyst networks (Zhang et al., CAV 2021): blk1, blk2, ... and out_blk.

Weights are stored as -1, 0 or +1, one row per neuron. A hidden neuron is +1 exactly when
(sum + bias - mean) / sqrt(var) * weight + bias of its batch norm is at least 0: no eps is added. The largest sum + bias wins.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.formats.arrays import reason
from bnnverify.formats.mnist_coding import mnist_coding
from bnnverify.formats.signature import Format, Signature
from bnnverify.formats.trained import Floats, Layer, Output, Sums, network_of
from bnnverify.model.arrays import Integers, as_integers
from bnnverify.model.network import Network

Numbers = NDArray[np.float64]


def matches(signature: Signature) -> bool:
    """Return whether this is a folder that holds blocks."""
    return signature.folder and ("out_blk" in signature.names or "blk1" in signature.names)


def read(path: Path) -> Network:
    """Return the network of a folder. Raises BadModel."""
    layers = [_layer(folder) for folder in _blocks(path)]
    output = _output(path / "out_blk")
    first = layers[0].weights if layers else output.weights
    return network_of(layers, output, name=path.name, coding=mnist_coding(first.shape[1]))


def _blocks(path: Path) -> list[Path]:
    found = {int(entry.name[3:]) for entry in path.iterdir() if re.fullmatch(r"blk[1-9]\d{0,5}", entry.name)}
    missing = set(range(1, max(found, default=0) + 1)) - found
    if missing:
        raise BadModel(f"expected the folder blk{min(missing)}, which is missing")
    return [path / f"blk{i}" for i in sorted(found)]


def _table(path: Path) -> Numbers:
    """Return the numbers of one file, row by row."""
    where = f"{path.parent.name}/{path.name}"
    try:
        rows = [[float(cell) for cell in line.split(",")] for line in path.read_text("utf-8").splitlines() if line.strip()]
    except FileNotFoundError as error:
        raise BadModel(f"expected the file {where}, which is missing") from error
    except (OSError, ValueError) as error:
        raise BadModel(f"{where}: expected comma separated numbers, got: {reason(error)}") from error
    if not rows or len({len(row) for row in rows}) > 1:
        raise BadModel(f"{where}: expected rows of equal length, got {sorted({len(row) for row in rows}) or 'no rows'}")
    table = np.array(rows, dtype=np.float64)
    if not np.all(np.isfinite(table)):
        raise BadModel(f"{where}: expected finite numbers, got NaN or infinity")
    return table


def _weights(folder: Path) -> Integers:
    table = _table(folder / "lin_weight.csv")
    if not np.all(np.isin(table, (-1, 0, 1))):
        raise BadModel(f"{folder.name}/lin_weight.csv: expected weights -1, 0 and 1, got {table[~np.isin(table, (-1, 0, 1))][0]}")
    return as_integers(table, "layer weights", 2)


def _row(folder: Path, name: str, length: int) -> Numbers:
    table = _table(folder / name)
    if table.shape != (1, length):
        raise BadModel(f"{folder.name}/{name}: expected one row of {length} numbers, got shape {table.shape}")
    return np.asarray(table[0])


def _layer(folder: Path) -> Layer:
    weights = _weights(folder)
    bias, scale, shift, mean, variance = (
        _row(folder, f"{name}.csv", len(weights)) for name in ("lin_bias", "bn_weight", "bn_bias", "bn_mean", "bn_var")
    )
    if np.any(variance <= 0):
        raise BadModel(f"{folder.name}/bn_var.csv: expected variances above 0, got {variance.min()}")

    def activation(sums: Sums) -> Floats:
        return np.asarray((sums + bias - mean) / np.sqrt(variance) * scale + shift)

    return Layer(weights, activation)


def _output(folder: Path) -> Output:
    weights = _weights(folder)
    biases = _row(folder, "lin_bias.csv", len(weights))

    def scores(sums: Sums) -> Floats:
        return np.asarray(sums + biases)

    return Output(weights, biases, scores)


FORMAT = Format("CSV folder (blk1, ..., out_blk)", matches, read)
