"""The first layer read off a table equals the first layer."""

from __future__ import annotations

import numpy as np
import pytest

from bnnverify import Block, HammingBall
from bnnverify.encoders.enumeration import first_layer as room
from bnnverify.encoders.enumeration.first_layer import FirstLayer
from bnnverify.encoders.netlist.backends.words import unpacked


@pytest.mark.parametrize("dense", [2**16, 0], ids=["looked up", "searched"])
@pytest.mark.parametrize("largest", [2**28, 2**8, 0])
@pytest.mark.parametrize("scale", [1, 3, 2**40])
def test_chosen_rows_are_the_neurons(scale: int, largest: int, dense: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LARGEST", largest)
    monkeypatch.setattr(room, "DENSE", dense)
    random = np.random.default_rng(scale)
    for freedom, inner, outer in ((0, 0, 0), (1, 0, 1), (6, 0, 6), (7, 2, 4), (9, 0, 3), (9, 9, 9), (5, 0, 0)):
        block = Block(scale * random.integers(-3, 4, (8, freedom)), scale * random.integers(-4, 5, 8) + random.integers(-1, 2, 8))
        met = 0
        table = FirstLayer(block, inner, outer, mixed=scale == 3)
        for runs in table.layout.runs(4):
            choice = table.choice(runs.prefixes)
            assert choice.shape == (8, len(runs))
            for i in range(len(runs)):
                lanes = range(int(runs.starts[i]), int(runs.stops[i]))
                points = np.array([table.flips(runs.prefixes[i], lane) for lane in lanes]).reshape(len(lanes), freedom)
                fires = unpacked(table.rows[choice[:, i]], runs.stops[i])[:, runs.starts[i] :]
                assert np.array_equal(fires.T, block(points))
                met += len(lanes)
        assert met == HammingBall(np.zeros(freedom), outer).shell(inner, outer).size
