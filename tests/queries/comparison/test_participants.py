"""Participants: arm and seed of a model, samples that no training used, and the pairs of arms."""

from __future__ import annotations

import numpy as np
import pytest

from bnnverify import BadModel, BadQuery, BadSample
from bnnverify.queries.comparison.compare import compare
from bnnverify.queries.comparison.participants import Participant, pairs_of, participant, untouched
from tests.support.participants import field, network, samples


def test_samples_that_training_touched_are_left_out() -> None:
    def trained(seed: int, unseen: list[int], data: str = "random") -> Participant:
        record = {"arm": "a", "seed": seed, "data": data, "split": {"test": unseen}}
        return participant(network(seed, record=record), "?")

    data = samples()
    both = [trained(0, [20, 21, 25, 99]), trained(1, [21, 25, 26])]
    part, warning = untouched(data, both)
    assert part.indices == (21, 25)
    assert warning == ""
    assert np.array_equal(part.bits, data.bits[[1, 5]])
    assert [s.index for s in compare(both, data, radii=(1,)).samples] == [21, 25]
    with pytest.raises(BadSample, match="expected samples that no model was trained on, got none among 8"):
        untouched(data, [trained(0, [20]), trained(1, [21])])
    part, warning = untouched(data, [trained(0, [20]), field()[1]])
    assert part.indices == (20,)
    assert "nonlin_pen seed 0" in warning
    part, warning = untouched(data, [trained(0, [20], data="elsewhere")])
    assert len(part) == 8
    assert "a seed 0" in warning


def test_a_model_without_a_record_goes_by_its_name() -> None:
    one = participant(network(1), "model-a")
    assert (one.arm, one.seed, str(one)) == ("model-a", 0, "model-a seed 0")
    with pytest.raises(BadModel, match="whole-number seed, got 'a' and '1'"):
        participant(network(1, record={"arm": "a", "seed": "1"}), "model-a")


def test_pairs() -> None:
    arms = ["no_pen", "nonlin_pen", "bin_enc-D3", "lin_pen-D3"]
    assert pairs_of(arms, ()) == [
        ("nonlin_pen", "no_pen"),
        ("bin_enc-D3", "no_pen"),
        ("lin_pen-D3", "no_pen"),
        ("bin_enc-D3", "nonlin_pen"),
        ("lin_pen-D3", "nonlin_pen"),
        ("bin_enc-D3", "lin_pen-D3"),
    ]
    assert pairs_of(["a", "b", "c"], ()) == [("b", "a"), ("c", "a")]
    assert pairs_of(["a", "b"], ("b",)) == [("a", "b")]
    assert pairs_of(["a"], ()) == []
    assert pairs_of(["lin_pen-D1", "bin_enc-D1"], ()) == [("bin_enc-D1", "lin_pen-D1")]
    with pytest.raises(BadQuery, match="against: expected one of the arms a, b, got z"):
        pairs_of(["a", "b"], ("z",))
