"""The native format: a .npz of whole numbers, with a version and a checksum, and no pickle.

`about` is JSON text: {"format": "bnnverify", "version": 1, "sha256": ..., "name": ..., "notes": [...],
"record": {...} or none}. The other arrays are those of `network.arrays_of`, as 64-bit integers, and the
parts of sparse rows; sha256 is the network's own fingerprint.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bnnverify.errors import BadModel
from bnnverify.formats.arrays import Arrays, arrays_in
from bnnverify.formats.signature import Format, Signature
from bnnverify.model.arrays import Integers, as_integers
from bnnverify.model.coding import InputCoding
from bnnverify.model.matrix import Matrix, Sparse, as_rows
from bnnverify.model.network import Block, Head, Network, arrays_of

VERSION = 1


def save(network: Network, path: str | Path) -> None:
    """Write the network to path in one step: a reader sees the old file or the complete new one. Raises BadModel."""
    path = Path(path)
    about = {"format": "bnnverify", "version": VERSION, "sha256": network.sha256}
    about |= {"name": network.name, "notes": network.notes, "record": dict(network.record)}
    arrays: dict[str, Any] = {"about": np.array(json.dumps(about))}
    for key, array in arrays_of(network).items():
        arrays |= {key: array} if isinstance(array, np.ndarray) else array.parts(key)
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez_compressed(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).chmod(0o644)
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BadModel(f"{path}: expected a place to write the model to, got: {error.strerror or error}") from error


def matches(signature: Signature) -> bool:
    """Return whether this is an archive with an array `about`."""
    return "about.npy" in signature.names


def read(path: Path) -> Network:
    """Return the network of a file that `save` wrote. Raises BadModel on any other version, shape or checksum."""
    arrays = arrays_in(path, BadModel)
    about = _about(arrays.pop("about"))
    attributes = {"name": about["name"], "notes": tuple(about["notes"]), "record": about.get("record", {})}
    network = Network(tuple(_blocks(arrays)), _head(arrays), _coding(arrays), **attributes)
    if arrays:
        raise BadModel(f"expected block0.weights, block0.bounds, ..., head and coding, got also {sorted(arrays)[0]!r}")
    if network.sha256 != about["sha256"]:
        raise BadModel(f"expected checksum {about['sha256'][:16]}, got {network.sha256[:16]}: the file was changed later")
    return network


def _about(array: Any) -> dict[str, Any]:
    try:
        about = json.loads(str(array))
    except ValueError as error:
        raise BadModel("about: expected a description in JSON, got other text") from error
    if not isinstance(about, dict) or about.get("format") != "bnnverify":
        raise BadModel("about: expected the format 'bnnverify', got another description")
    if about.get("version") != VERSION:
        raise BadModel(f"about: expected version {VERSION}, got {str(about.get('version'))[:20]}; a newer bnnverify may read it")
    texts = [about.get("name"), about.get("sha256"), *(notes if isinstance(notes := about.get("notes"), list) else [None])]
    if not all(isinstance(text, str) for text in texts):
        raise BadModel("about: expected name and sha256 as text and notes as a list of texts")
    if not isinstance(about.get("record", {}), dict):
        raise BadModel("about: expected the training record as a JSON object")
    return about


def _take(arrays: Arrays, name: str, ndim: int) -> Integers:
    if name not in arrays:
        raise BadModel(f"expected the array {name}, which is missing")
    return as_integers(arrays.pop(name), name, ndim)


def _blocks(arrays: Arrays) -> list[Block]:
    blocks: list[Block] = []
    while {f"block{len(blocks)}.weights", f"block{len(blocks)}.weights.starts"} & set(arrays):
        name = f"block{len(blocks)}"
        blocks.append(Block(_rows(arrays, f"{name}.weights"), _take(arrays, f"{name}.bounds", 1)))
    return blocks


def _rows(arrays: Arrays, name: str) -> Matrix:
    if name in arrays:
        return as_rows(_take(arrays, name, 2), name)
    starts, positions, values = (_take(arrays, f"{name}.{part}", 1) for part in ("starts", "positions", "values"))
    width = _take(arrays, f"{name}.width", 1).tolist()
    if len(width) != 1:
        raise BadModel(f"{name}.width: expected one number, got {len(width)}")
    return Sparse(starts, positions, values, width[0])


def _head(arrays: Arrays) -> Head | None:
    if "head.weights" not in arrays:
        return None
    return Head(_take(arrays, "head.weights", 2), _take(arrays, "head.offsets", 1), _take(arrays, "head.ranks", 1))


def _coding(arrays: Arrays) -> InputCoding | None:
    if "coding.thresholds" not in arrays:
        return None
    thresholds = _take(arrays, "coding.thresholds", 1)
    *shape, maximum = _take(arrays, "coding.shape", 1).tolist() or [0]
    if len(shape) not in (0, 2):
        raise BadModel(f"coding.shape: expected rows, columns and the largest value, or it alone, got {len(shape) + 1} numbers")
    return InputCoding(thresholds, shape=(shape[0], shape[1]) if shape else None, maximum=maximum)


FORMAT = Format("native .npz", matches, read)
