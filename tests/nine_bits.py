"""A network and samples of nine bits that the tests of the verbs ask about."""

from __future__ import annotations

import numpy as np

from bnnverify import Samples
from bnnverify.queries.plan import ENGINES
from tests.zoo import majority

EVERY_ENGINE = ["auto", *(name for name in ENGINES if ":" not in name)]  # not their variants
NETWORK = majority(9)  # class 1 from five ones on
SAMPLES = Samples(
    bits=np.array([[1] * k + [0] * (9 - k) for k in (0, 2, 3, 4, 5, 9)], dtype=np.uint8),
    labels=np.array([0, 0, 0, 1, 1, 1]),
    indices=(10, 12, 13, 14, 15, 19),
    name="ones",
)
