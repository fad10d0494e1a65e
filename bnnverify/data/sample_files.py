"""Files of inputs: text, .npy and .npz, before it is known whether their numbers are bits or grey values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnverify.data.pictures import grey_of
from bnnverify.errors import BadSample
from bnnverify.formats.arrays import Arrays, arrays_in
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network

LABELS = ("y", "labels")
ORIGIN = ("source", "indices")  # of copies of samples of another source: its name, and the index of each there


@dataclass(frozen=True, eq=False)
class FileInputs:
    """The numbers of a file, one axis or more, labels (N,), and the source and N indices of copies."""

    numbers: NDArray[Any]
    labels: NDArray[np.int64] | None = None
    origin: tuple[str, tuple[int, ...]] | None = None

    def bits(self, network: Network) -> Bits:
        """Return bits (N, n): the numbers if all are -1, 0 and 1, else their bits as grey values in the input coding."""
        if not self.numbers.size:
            raise BadSample("expected inputs, got an empty list")
        grey = self.grey(network)
        if grey is None or network.coding is None:
            return np.asarray(self._rows(network.inputs) > 0, dtype=np.uint8)
        return network.coding.bits(grey)

    def _rows(self, n: int) -> NDArray[Any]:
        if self.numbers.ndim <= 2 and self.numbers.shape[-1] == n:
            return self.numbers.reshape(-1, n)
        if self.numbers.ndim > 1 and int(np.prod(self.numbers.shape[1:])) == n:
            return self.numbers.reshape(-1, n)
        if self.numbers.size == n:
            return self.numbers.reshape(1, n)
        raise BadSample(f"expected {n} bits per input, got numbers of shape {self.numbers.shape}")

    def grey(self, network: Network) -> NDArray[Any] | None:
        """Return grey values (N, n) for the input coding, or None where all numbers are -1, 0 and 1, which are bits."""
        coding, numbers = network.coding, self.numbers
        if np.all(np.isin(numbers, (-1, 0, 1))):
            return None
        if coding is None:
            raise BadSample(f"expected bits 0 and 1 (or -1 and 1), got {_stray(numbers)}, and the model has no input coding")
        values = numbers.astype(np.int64) if numbers.dtype.kind in "iuf" and np.all(np.isfinite(numbers)) else None
        if (
            values is None
            or np.any(values != numbers)
            or values.min() < 0
            or values.max() > coding.maximum
            or coding.maximum > 255
        ):
            raise BadSample(f"expected bits, or whole grey values 0..{coding.maximum}, got {_stray(numbers)}")
        if values.ndim <= 2 and values.shape[-1] == network.inputs:
            return np.atleast_2d(values)
        if values.ndim not in (2, 3):
            raise BadSample(f"expected pictures (N, rows, columns), or {network.inputs} grey values, got shape {values.shape}")
        return grey_of(values.reshape(-1, *values.shape[-2:]).astype(np.uint8), coding.maximum, coding)


def _stray(numbers: NDArray[Any]) -> str:
    stray = numbers[~np.isin(numbers, (-1, 0, 1))]
    return str(stray.flat[0])[:20] if stray.size else "none"


def is_file(path: Path) -> bool:
    """Return whether path is a file; a long row of bits or a text that no path may hold is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def read_file(path: Path) -> FileInputs:
    """Return the contents of a file of inputs. Raises BadSample where it is missing or damaged."""
    if not is_file(path):
        raise BadSample(f"expected a data set (digits, mnist), a file, or bits like 0110, got {str(path)[:80]!r}")
    try:
        with path.open("rb") as file:
            start = file.read(6)
        if start.startswith((b"PK", b"\x93NUMPY")):
            return _inputs_and_labels(arrays_in(path, BadSample))
        return FileInputs(_numbers(path.read_text("utf-8")))
    except OSError as error:
        raise BadSample(f"{path}: expected a readable file, got: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadSample(f"{path}: expected text, .npy or .npz, got other bytes") from error
    except BadSample as error:
        raise BadSample(f"{path}: {error}") from error


def _inputs_and_labels(arrays: Arrays) -> FileInputs:
    """Return the inputs and the labels of a .npz: the one array that is not called y or labels, and the one that is.

    A file of test samples that `train` wrote also names their source.
    """
    origin = _origin(*(arrays[name] for name in ORIGIN)) if set(ORIGIN) <= set(arrays) else None
    inputs = [name for name in arrays if name not in LABELS and (origin is None or name not in ORIGIN)]
    label_names = [name for name in arrays if name in LABELS]
    if len(inputs) != 1 or len(label_names) > 1:
        raise BadSample(f"expected one array of inputs, and one of labels called y or not at all, got {sorted(arrays)}")
    numbers = arrays[inputs[0]]
    if numbers.dtype.kind not in "iubf" or numbers.ndim == 0:
        raise BadSample(f"expected an array of numbers, got {numbers.dtype} of shape {numbers.shape}")
    if not label_names:
        return FileInputs(numbers, origin=origin)
    labels = arrays[label_names[0]]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise BadSample(f"labels: expected a row of whole numbers, got {labels.dtype} of shape {labels.shape}")
    return FileInputs(numbers, labels.astype(np.int64), origin)


def _origin(source: NDArray[Any], indices: NDArray[Any]) -> tuple[str, tuple[int, ...]]:
    if source.dtype.kind != "U" or source.ndim or indices.dtype.kind not in "iu" or indices.ndim != 1:
        raise BadSample(f"expected a source in words and a row of whole-number indices, got {source.dtype} and {indices.dtype}")
    return str(source), tuple(indices.tolist())


def _numbers(text: str) -> NDArray[Any]:
    """Return the numbers of a text: one row per line if the lines are equally long, one row of everything if not."""
    lines = [_line(line) for line in text.splitlines() if line.strip()]
    if len({len(line) for line in lines}) > 1:
        lines = [[number for line in lines for number in line]]
    return np.array(lines, dtype=np.float64)


def _line(line: str) -> list[float]:
    words = line.replace(",", " ").split()
    if len(words) == 1 and len(words[0]) > 1 and set(words[0]) <= {"0", "1"}:
        words = list(words[0])  # 0110 without blanks
    try:
        return [float(word) for word in words]
    except ValueError as error:
        raise BadSample(f"expected numbers, got {line.strip()[:40]!r}") from error
