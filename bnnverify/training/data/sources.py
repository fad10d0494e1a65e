"""Training data by name: the embedded digits, MNIST at a chosen size, or a table; split, and as bits.

digits    mnist    mnist:10x10    table.csv
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnnverify.data.pictures import bits_of, digits_coding, mnist_pictures
from bnnverify.data.samples import Samples, digits
from bnnverify.errors import BadSample
from bnnverify.formats.mnist_coding import MNIST_THRESHOLD
from bnnverify.model.coding import InputCoding
from bnnverify.training.data.split import Parts, split
from bnnverify.training.data.tables import read_table
from bnnverify.training.networks.recipes import Recipe

MNIST_SIDE = 10  # rows and columns by default


@dataclass(frozen=True, eq=False)
class Source:
    """Training samples in three parts, and their input coding where they are pictures."""

    parts: Parts
    coding: InputCoding | None = None


def read_source(
    name: str, recipe: Recipe, *, data_dir: Path | None = None, label: str | None = None, header: bool = True
) -> Source:
    """Return the samples of this name, split by the recipe's shares and the split's own seed.

    MNIST keeps its own test set, and its training set is split in two. label and header: of tables, see read_table.
    """
    if name == "mnist" or name.startswith("mnist:"):
        return _mnist(name, recipe, data_dir)
    tests, validations = recipe.test_share, recipe.validation_share
    if name == "digits":
        return Source(split(digits(), test_share=tests, validation_share=validations), digits_coding())
    return Source(read_table(Path(name), label=label, header=header).parts(test_share=tests, validation_share=validations))


def _mnist(name: str, recipe: Recipe, data_dir: Path | None) -> Source:
    size = re.fullmatch(r"mnist(?::([1-9]\d?)x([1-9]\d?))?", name)
    if size is None:
        raise BadSample(f"{name}: expected a size like mnist:10x10")
    shape = (int(size[1] or MNIST_SIDE), int(size[2] or MNIST_SIDE))
    coding = InputCoding(np.full(shape[0] * shape[1], MNIST_THRESHOLD), shape=shape)
    training, test = (_pictures(part, coding, data_dir) for part in ("train", "t10k"))
    halves = split(training, test_share=recipe.validation_share, validation_share=0.0)
    return Source(Parts(halves.train, halves.test, test, {"train": training.name, "test": test.name}), coding)


def _pictures(part: str, coding: InputCoding, data_dir: Path | None) -> Samples:
    pictures = mnist_pictures(data_dir, part=part)
    bits = bits_of(pictures.pixels, pictures.maximum, coding)
    return Samples(bits, pictures.labels.astype(np.int64), tuple(range(len(bits))), pictures.name)
