"""The first layer read off a table equals the first layer."""

from __future__ import annotations

import numpy as np
import pytest

from bnnverify import Block, HammingBall
from bnnverify.encoders.enumeration import first_layer as module
from bnnverify.encoders.enumeration.first_layer import FirstLayer
from bnnverify.encoders.netlist.backends.words import unpacked


@pytest.mark.parametrize("dense", [2**16, 0], ids=["looked up", "searched"])
@pytest.mark.parametrize("largest", [2**28, 2**8, 0])
@pytest.mark.parametrize("scale", [1, 3, 2**40])
def test_chosen_rows_are_the_neurons(scale: int, largest: int, dense: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", largest)
    monkeypatch.setattr(module, "DENSE", dense)
    random = np.random.default_rng(scale)
    for freedom, inner, outer in ((0, 0, 0), (1, 0, 1), (6, 0, 6), (7, 2, 4), (9, 0, 3), (9, 9, 9), (5, 0, 0)):
        block = Block(scale * random.integers(-3, 4, (8, freedom)), scale * random.integers(-4, 5, 8) + random.integers(-1, 2, 8))
        points_counted = 0
        layer = FirstLayer(block, inner, outer, mixed=scale == 3)
        for runs in layer.layout.runs(4):
            choice = layer.choice(runs.prefixes)
            assert choice.shape == (8, len(runs))
            for i in range(len(runs)):
                ends = range(int(runs.starts[i]), int(runs.stops[i]))
                points = np.array([layer.flips(runs.prefixes[i], end) for end in ends]).reshape(len(ends), freedom)
                fires = unpacked(layer.rows[choice[:, i]], runs.stops[i])[:, runs.starts[i] :]
                assert np.array_equal(fires.T, block(points))
                points_counted += len(ends)
        assert points_counted == HammingBall(np.zeros(freedom), outer).shell(inner, outer).size
