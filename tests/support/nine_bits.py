"""A network and samples of nine bits that the tests of the verbs ask about."""

from __future__ import annotations

import numpy as np

from bnnverify import Samples
from tests.support.engines import COUNTING, FINDING, OWN
from tests.support.zoo import majority

ALWAYS = ["auto", *(name for name in OWN if ":" not in name)]  # not their variants
EVERY_ENGINE, COUNTING_ENGINES = [*ALWAYS, FINDING], [*ALWAYS, COUNTING]
NETWORK = majority(9)  # class 1 from five ones on
SAMPLES = Samples(
    bits=np.array([[1] * k + [0] * (9 - k) for k in (0, 2, 3, 4, 5, 9)], dtype=np.uint8),
    labels=np.array([0, 0, 0, 1, 1, 1]),
    indices=(10, 12, 13, 14, 15, 19),
    name="ones",
)
