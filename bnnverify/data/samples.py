"""Inputs by name: data sets, files and literal bits become the bits that a network reads, with labels where they are known.

    digits   digits:17   digits:0-99   mnist:6677   mnist-train:5,9   pictures.npz   inputs.txt:3   0110...

Pictures go through the model's input coding. In files, 0 and -1 are the bit 0, and 1 is the bit 1.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnnverify.data.pictures import Pictures, bits_of, digit_pictures, digits_coding, grey_of, mnist_pictures
from bnnverify.data.sample_files import FileInputs, is_file, read_file
from bnnverify.errors import BadQuery, BadSample
from bnnverify.model.arrays import Bits
from bnnverify.model.network import Network
from bnnverify.problem.positions import mask_of, range_of

KINDS = "a data set (digits, mnist), a file, or bits like 0110"
MNIST_PARTS = {"mnist": "t10k", "mnist-test": "t10k", "mnist-train": "train"}


@dataclass(frozen=True, eq=False)
class Sample:
    """One input: its index in its source, its bits (n,), and its true class if known."""

    index: int
    bits: Bits
    label: int | None


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs with their labels, where known: bits (N, n) of 0 and 1; labels (N,) or None; each one's index in its source.

    pixels: the values (N, n) that the input coding made bits of; None where the source holds bits.
    origin: of copies of samples of another source, that source's name and each one's index there.
    """

    bits: Bits
    labels: NDArray[np.int64] | None
    indices: tuple[int, ...]
    name: str
    pixels: NDArray[Any] | None = None
    origin: tuple[str, tuple[int, ...]] | None = None

    def __len__(self) -> int:
        return len(self.bits)

    def __iter__(self) -> Iterator[Sample]:
        labels = [None] * len(self) if self.labels is None else self.labels.tolist()
        for index, bits, label in zip(self.indices, self.bits, labels, strict=True):
            yield Sample(int(index), bits, label)


def as_samples(samples: Samples | ArrayLike, network: Network) -> Samples:
    """Return samples, or the inputs (N, n) or (n,) of an array or list as samples without labels, each with its own index.

    Raises BadSample where there is none, where an index comes twice, or where the bits do not fit the network.
    """
    if not isinstance(samples, Samples):
        try:
            bits = np.atleast_2d(np.asarray(samples))
        except ValueError:
            raise BadSample("expected samples as an array of bits, one row each, got rows of different lengths") from None
        if bits.ndim != 2 or bits.dtype.kind not in "biuf":
            raise BadSample(f"expected samples as an array of bits, one row each, got {bits.dtype} of shape {bits.shape}")
        samples = Samples(network.check(bits) if bits.size else bits, None, tuple(range(len(bits) if bits.size else 0)), "inputs")
    if not len(samples.indices):
        raise BadSample("expected at least one sample, got none")
    if len(set(samples.indices)) < len(samples.indices):
        raise BadSample("expected samples with different indices, got some index twice")
    network.check(samples.bits)
    return samples


def digits() -> Samples:
    """Return the 1797 embedded 8x8 digits as 64 bits each, 1 where the grey value is at least 8 of 16."""
    pictures = digit_pictures()
    bits = bits_of(pictures.pixels, pictures.maximum, digits_coding())
    return Samples(bits, pictures.labels.astype(np.int64), tuple(range(len(bits))), pictures.name)


def read_samples(source: str, network: Network, *, data_dir: str | Path | None = None, limit: int | None = None) -> Samples:
    """Return the inputs that source names (see the head of this file), at most limit of them, in their order.

    data_dir: where the MNIST files are; by default the folder named by the environment variable BNNVERIFY_DATA. Raises BadSample
    where the source is unknown, damaged or does not fit the network, and where a label is none of its classes.
    """
    return _known_labels(_read(source, network, data_dir, limit), network)


def _known_labels(samples: Samples, network: Network) -> Samples:
    labels = samples.labels
    if labels is not None and network.head is not None and len(labels):
        others = labels[(labels < 0) | (labels >= network.classes)]
        if len(others):
            raise BadSample(f"{samples.name}: labels must be between 0 and {network.classes - 1}, got {others[0]}")
    return samples


def _read(source: str, network: Network, data_dir: str | Path | None, limit: int | None) -> Samples:
    if limit is not None and limit < 1:
        raise BadSample(f"limit: expected at least 1 sample, got {limit}")
    folder = None if data_dir is None else Path(data_dir)
    name, chosen = _split(source)
    if not name:
        raise BadSample(f"expected {KINDS}, got {source!r}")
    if name == "digits":
        return _from_pictures(digit_pictures(), chosen, limit, network)
    if name in MNIST_PARTS:
        return _from_pictures(mnist_pictures(folder, part=MNIST_PARTS[name]), chosen, limit, network)
    if re.fullmatch(r"[01]+", source) and not is_file(Path(source)):
        if len(source) != network.inputs:
            raise BadSample(f"expected {network.inputs} bits, got {len(source)}")
        return Samples(np.array([list(source)], dtype=np.uint8), None, (0,), "bits")
    return _from_file(read_file(Path(name)), name, chosen, limit, network)


def read_input(source: str, network: Network, *, data_dir: str | Path | None = None) -> Bits:
    """Return the bits (n,) of the one input that source names, whatever its label. Raises BadSample where it names several.

    data_dir: as for read_samples.
    """
    return np.asarray(_one(source, network, data_dir).bits[0])


def read_pixels(source: str, network: Network, *, data_dir: str | Path | None = None) -> NDArray[Any] | None:
    """Return the pixels (n,) behind the bits of the one input that source names; None where it holds bits."""
    pixels = _one(source, network, data_dir).pixels
    return None if pixels is None else np.asarray(pixels[0])


def _one(source: str, network: Network, data_dir: str | Path | None) -> Samples:
    if source == "digits" or source in MNIST_PARTS:
        raise BadSample(f"{source}: expected one input, got a data set; name one by its index, as in {source}:17")
    samples = _read(source, network, data_dir, None)
    if len(samples) != 1:
        raise BadSample(f"{source}: expected one input, got {len(samples)}; name one by its index, as in digits:17")
    return samples


def read_positions(source: str, n: int) -> NDArray[np.bool_]:
    """Return which of n positions are free: (n,), from 0-based numbers and ranges like 0-5,9, as such or in a file.

    An empty text is an empty list: no position is free. An empty file is refused, since it is more likely a mistake.
    """
    if not source:
        return np.zeros(n, dtype=np.bool_)
    text, path = source, Path(source)
    if not re.fullmatch(r"[\d,\s-]*", source) or is_file(path):
        try:
            text = path.read_text("utf-8")
        except (OSError, ValueError) as error:
            raise BadQuery(f"free positions: expected a list like 0-5,9 or a readable file, got {source[:60]!r}") from error
    ranges = [range_of(word) for word in text.replace(",", " ").split()]
    if not ranges or not all(ranges):
        raise BadQuery(f"free positions: expected numbers like 9 or ranges like 0-5, 0 to {n - 1}, got {text.strip()[:60]!r}")
    last = max(numbers[-1] for numbers in ranges)
    if last >= n:  # checked here: a list of a range beyond memory could not be made
        raise BadQuery(f"free positions must be between 0 and {n - 1}, got {last}")
    return mask_of([number for numbers in ranges for number in numbers], n)


def _split(source: str) -> tuple[str, str | None]:
    """Return the name and the chosen indices of NAME:INDICES; a file whose own name has that form comes first."""
    name, colon, chosen = source.rpartition(":")
    return (source, None) if not colon or is_file(Path(source)) else (name, chosen)


def _indices(chosen: str | None, count: int, limit: int | None, name: str) -> list[int]:
    if chosen is None:
        return list(range(count))[:limit]
    found: list[int] = []
    for part in chosen.split(","):
        numbers = range_of(part.strip())
        if not numbers:
            raise BadSample(f"{name}: expected indices like 17 or 0-99 or 3,5 after the colon, got {chosen!r}")
        if numbers[-1] >= count:
            raise BadSample(f"{name}: expected indices from 0 to {count - 1}, got {part.strip()}")
        found += numbers
    twice = [index for index, times in Counter(found).items() if times > 1]
    if twice:
        raise BadSample(f"{name}: expected each index once, got {twice[0]} more than once in {chosen!r}")
    return found[:limit]


def _from_pictures(pictures: Pictures, chosen: str | None, limit: int | None, network: Network) -> Samples:
    indices = _indices(chosen, len(pictures.pixels), limit, pictures.name)
    coding = network.coding
    if coding is None and pictures.name == "digits" and network.inputs == 64:
        coding = digits_coding()
    if coding is None:
        raise BadSample(f"{pictures.name}: expected a model that defines how pictures become its {network.inputs} bits, got none")
    try:
        grey = grey_of(pictures.pixels[indices], pictures.maximum, coding)
    except BadSample as error:
        raise BadSample(f"{pictures.name}: {error}") from error
    return Samples(coding.bits(grey), pictures.labels[indices].astype(np.int64), tuple(indices), pictures.name, grey)


def _from_file(found: FileInputs, name: str, chosen: str | None, limit: int | None, network: Network) -> Samples:
    try:
        rows, grey = found.bits(network), found.grey(network)
    except BadSample as error:
        raise BadSample(f"{name}: {error}") from error
    for column, kind in ((found.labels, "label"), (found.origin and found.origin[1], "index of its origin")):
        if column is not None and len(column) != len(rows):
            raise BadSample(f"{name}: expected one {kind} per input, got {len(column)} for {len(rows)}")
    indices = _indices(chosen, len(rows), limit, name)
    labels = None if found.labels is None else found.labels[indices]
    origin = None if found.origin is None else (found.origin[0], tuple(found.origin[1][index] for index in indices))
    pixels = None if grey is None else grey[indices]
    return Samples(rows[indices], labels, tuple(indices), Path(name).name, pixels, origin)
