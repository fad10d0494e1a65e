"""The diagram of one threshold: it decides as the sum does, and is as small as it can be."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from bnnverify.encoders.diagrams.threshold import FALSE, TRUE, ThresholdDiagram, threshold_diagram


def value(diagram: ThresholdDiagram, bits: tuple[int, ...]) -> int:
    node = diagram.root
    while node > TRUE:
        bit, low, high = diagram.steps[node - 2]
        node = high if bits[bit] else low
    return node


@settings(max_examples=200, deadline=None)
@given(weights=st.lists(st.integers(-9, 9), max_size=7), bound=st.integers(-30, 30))
def test_a_plan_decides_as_the_sum_does_and_is_reduced(weights: list[int], bound: int) -> None:
    diagram = threshold_diagram(weights, bound, 10**6)
    assert diagram is not None
    for bits in product((0, 1), repeat=len(weights)):
        assert value(diagram, bits) == (sum(w * b for w, b in zip(weights, bits, strict=True)) >= bound)
    assert len(set(diagram.steps)) == len(diagram.steps)
    assert all(low != high for _, low, high in diagram.steps)


def test_plans_of_nothing_and_of_constants() -> None:
    assert threshold_diagram([], 0, 0) == ThresholdDiagram((), TRUE)
    assert threshold_diagram([], 1, 0) == ThresholdDiagram((), FALSE)
    assert threshold_diagram([3, -2], -2, 9) == ThresholdDiagram((), TRUE)
    assert threshold_diagram([3, -2], 4, 9) == ThresholdDiagram((), FALSE)


def test_a_diagram_is_as_small_as_a_majority_can_be_and_has_a_limit() -> None:
    # Majority of 99: bit i distinguishes i + 1 counts while undecided, 50 at most: 1 + 2 + ... + 50 + 49 + ... + 1 nodes.
    majority = threshold_diagram([1] * 99, 50, 10**6)
    assert majority is not None
    assert len(majority.steps) == 50 * 50
    assert threshold_diagram([1] * 99, 50, 100) is None
