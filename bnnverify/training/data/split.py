"""One split of the samples into training, validation and test; by a seed of its own, which all training seeds share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnverify.data.samples import Samples
from bnnverify.errors import BadSample

SPLIT_SEED = 2310


@dataclass(frozen=True, eq=False)
class Parts:
    """Labelled samples for training, for choosing a state, and for testing only; coding: plain data on their bits."""

    train: Samples
    validation: Samples
    test: Samples
    coding: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for samples in (self.train, self.validation, self.test):
            if samples.labels is None:
                raise BadSample("training: expected samples with labels, got none")
        if len(self.train) < 2 or not len(self.test):
            raise BadSample(f"training: expected samples for training and test, got {len(self.train)} and {len(self.test)}")

    @property
    def inputs(self) -> int:
        return int(self.train.bits.shape[1])

    @property
    def classes(self) -> int:
        """Return how many classes there are: one more than the largest label."""
        return 1 + max(int(labels.max(initial=0)) for labels in map(labels_of, (self.train, self.validation, self.test)))


def labels_of(samples: Samples) -> NDArray[np.int64]:
    """Return the labels (N,) of labelled samples."""
    if samples.labels is None:
        raise BadSample("training: expected samples with labels, got none")
    return samples.labels


def split(samples: Samples, *, test_share: float, validation_share: float, seed: int = SPLIT_SEED) -> Parts:
    """Return samples in three parts, drawn at random by seed, each in its old order."""
    order = np.random.default_rng(seed).permutation(len(samples.bits))
    tests = round(len(order) * test_share)
    validations = round(len(order) * validation_share)
    if not 0 < tests < len(order) - validations - 1:
        raise BadSample(f"training: expected samples for both training and test, got {len(order)} in all")
    places = np.split(order, [tests, tests + validations])
    test, validation, train = (part(samples, np.sort(which)) for which in places)
    return Parts(train, validation, test)


def part(samples: Samples, chosen: NDArray[np.int64]) -> Samples:
    """Return the samples at these places; each keeps its index in its source."""
    labels = None if samples.labels is None else samples.labels[chosen]
    return replace(samples, bits=samples.bits[chosen], labels=labels, indices=tuple(samples.indices[i] for i in chosen))
