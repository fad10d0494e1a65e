"""Events against their definitions, point by point; and the words that name them."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnnverify import (
    BadModel,
    BadQuery,
    Becomes,
    Block,
    CodeFlips,
    Differ,
    EachClass,
    Everything,
    HammingBall,
    Head,
    Leaves,
    Network,
    Query,
    WitnessRejected,
)
from bnnverify.problem.events.words import decided_event, event_help, named_event, words
from bnnverify.results.finding import confirmed
from tests.support.drawn import networks
from tests.support.enumerated import every_input
from tests.support.zoo import majority


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Network, Network, np.ndarray]:
    """Draw two networks of equally many inputs, and a centre."""
    n = draw(st.integers(1, 7))
    seed = draw(st.integers(0, 2**32 - 1))
    return draw(networks(n)), draw(networks(n)), np.random.default_rng(seed).integers(0, 2, n).astype(np.uint8)


@given(pairs(), st.data())
def test_code_flips_are_the_bits_in_which_codes_differ(drawn: tuple[Network, Network, np.ndarray], data: st.DataObject) -> None:
    network, _, center = drawn
    cuts = [cut for cut in range(1, len(network.blocks) + 1) if network.widths[cut]]
    if not cuts:
        return
    cut = data.draw(st.sampled_from(cuts))
    at_least = data.draw(st.integers(1, network.widths[cut]))
    query = Query(network, HammingBall(center, 0), CodeFlips(cut, at_least))
    points = every_input(len(center))
    prefix = network.prefix(cut)
    apart = (prefix(points) != prefix(center)).sum(axis=1)
    assert np.array_equal(query.happens(points), apart >= at_least)
    assert query.targets == {1}
    assert query.decider.inputs == network.inputs


@given(pairs())
def test_differ_is_another_class(drawn: tuple[Network, Network, np.ndarray]) -> None:
    network, other, center = drawn
    points = every_input(len(center))
    query = Query(network, HammingBall(center, 0), Differ(other))
    assert np.array_equal(query.happens(points), network(points) != other(points))


@given(pairs(), st.data())
def test_events_of_classes(drawn: tuple[Network, Network, np.ndarray], data: st.DataObject) -> None:
    network, _, center = drawn
    points = every_input(len(center))
    label = data.draw(st.integers(0, network.classes - 1))
    targets = data.draw(st.lists(st.integers(0, network.classes - 1), min_size=1))
    region = HammingBall(center, 0)
    classes = network(points)
    assert np.array_equal(Query(network, region, Leaves(label)).happens(points), classes != label)
    assert np.array_equal(Query(network, region, Becomes(*targets)).happens(points), np.isin(classes, targets))
    assert Query(network, region, EachClass()).happens(points).all()
    assert Query(network, region, Leaves(label)).decider is network


def test_a_tie_in_the_code_distance_counts() -> None:
    copy = Network((Block(np.eye(4), np.ones(4)),), Head([[1, 1, 1, 1], [0, 0, 0, 0]], [0, 2]))
    query = Query(copy, Everything(4), CodeFlips(1, 2))
    assert [query.happens(np.array(bits)) for bits in ([0, 0, 0, 1], [0, 0, 1, 1], [1, 1, 1, 0])] == [False, True, True]


def test_happens_takes_one_point_or_many() -> None:
    query = Query(majority(3), HammingBall([0, 0, 0], 3), Leaves(0))
    assert query.happens([1, 1, 0]) is True
    assert query.happens([1, 0, 0]) is False
    assert query.happens([[1, 1, 0], [0, 0, 0]]).tolist() == [True, False]


def test_over_another_region_the_event_stays_that_of_the_first_centre() -> None:
    copy = Network((Block(np.eye(3), np.ones(3)),), Head([[1, 1, 1], [0, 0, 0]], [0, 2]))
    query = Query(copy, HammingBall([0, 0, 0], 1), CodeFlips(1, 2))
    moved = query.over(HammingBall([1, 1, 1], 1))
    assert moved.happens([1, 1, 1])
    assert not Query(copy, HammingBall([1, 1, 1], 1), CodeFlips(1, 2)).happens([1, 1, 1])
    assert moved.decider is query.decider
    with pytest.raises(BadQuery, match="expected 3 bits, got 4"):
        query.over(Everything(4))


def test_a_witness_has_the_class_of_the_network_of_the_query() -> None:
    copy = Network((Block(np.eye(3), np.ones(3)),), Head([[0, 0, 0], [1, 1, 1], [0, 0, 0]], [0, 1, 0]))
    query = Query(copy, HammingBall([0, 0, 0], 3), CodeFlips(1, 2))
    assert confirmed(query, np.array([1, 1, 0], dtype=np.uint8)).label == 1
    assert confirmed(Query(copy, HammingBall([0, 0, 0], 3), Differ(majority(3))), np.array([0, 0, 0], dtype=np.uint8)).label == 1
    with pytest.raises(WitnessRejected, match="codeflips:2@1"):
        confirmed(query, np.array([1, 0, 0], dtype=np.uint8))


NETWORK = Network((Block(np.eye(3), np.ones(3)), Block(np.eye(3)[:2], np.ones(2))), Head([[1, 0], [0, 1]], [0, 0]))
CENTER = np.array([0, 1, 0], dtype=np.uint8)


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("leaves", Leaves(1)),
        ("leaves:0", Leaves(0)),
        ("becomes:1", Becomes(1)),
        ("becomes:1, 0", Becomes(0, 1)),
        ("classes", EachClass()),
        ("codeflips:2", CodeFlips(2, 2)),
        ("codeflips:3@1", CodeFlips(1, 3)),
    ],
)
def test_words_name_events_and_events_their_words(text: str, event: object) -> None:
    found = named_event(text, NETWORK, CENTER)
    assert found == event
    assert named_event(str(found), NETWORK, CENTER) == event
    Query(NETWORK, HammingBall(CENTER, 1), found)


def test_differ_needs_another_model() -> None:
    found = named_event("differ", NETWORK, CENTER, NETWORK)
    assert str(found) == "differ"
    assert not Query(NETWORK, HammingBall(CENTER, 1), found).happens(every_input(3)).any()
    with pytest.raises(BadQuery, match="another model"):
        named_event("differ", NETWORK, CENTER)


@pytest.mark.parametrize(
    "text",
    [
        *("", "leave", "leaves:", "leaves:x", "leaves:0,1", "leaves:" + "9" * 5000, "CLASSES", "classes:1", "differ:x"),
        *("becomes", "becomes:", "becomes:1,", "becomes:1.5"),
        *("codeflips", "codeflips:", "codeflips:x", "codeflips:1@", "codeflips:1@x", "codeflips:-1"),
    ],
)
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(BadQuery, match="event: expected") as caught:
        named_event(text, NETWORK, CENTER, NETWORK)
    assert len(str(caught.value)) < 300


def test_the_message_lists_every_form() -> None:
    forms = [form for word in words().values() for form in word.forms]
    with pytest.raises(BadQuery, match=re.escape(", ".join(forms[:-1]) + " or " + forms[-1])):
        named_event("stays", NETWORK, CENTER)
    assert set(words()) >= {"leaves", "becomes", "classes", "codeflips", "differ"}
    assert all(word.help and word.forms for word in words().values())


def test_the_help_has_the_forms_that_are_taken() -> None:
    every, deciding = event_help(counting=True), event_help(counting=False)
    for word in words().values():
        form = " or ".join(word.forms)
        assert (f"{form}: {word.help}" in every) is not word.compares
        assert (f"{form}: {word.help}" in deciding) is (word.decides and not word.compares)


def test_classes_are_no_question_of_yes_or_no() -> None:
    assert decided_event("leaves", NETWORK, CENTER) == Leaves(1)
    with pytest.raises(BadQuery, match="got classes, which is for counting"):
        decided_event("classes", NETWORK, CENTER)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (CodeFlips(0, 1), "block number from 1 to 2, got 0"),
        (CodeFlips(3, 1), "block number from 1 to 2, got 3"),
        (CodeFlips(2, 3), "from 1 to 2 bits of the code after block 2, got 3"),
        (CodeFlips(2, 0), "got 0"),
        (Differ(majority(4)), "3 inputs, got one of 4"),
        (Leaves(2), "class must be between 0 and 1, got 2"),
        (Becomes(0, -1), "got -1"),
        ("leaves", "event: expected"),
    ],
)
def test_events_that_do_not_fit_the_network_are_refused(event: object, words: str) -> None:
    with pytest.raises(BadQuery, match=words):
        Query(NETWORK, HammingBall(CENTER, 1), event)  # type: ignore[arg-type]


def test_code_flips_of_fractions_are_refused() -> None:
    with pytest.raises(BadQuery, match="whole number"):
        CodeFlips(1, 1.5)  # type: ignore[arg-type]


def test_a_question_needs_classes() -> None:
    with pytest.raises(BadModel, match="got a prefix"):
        Query(NETWORK.prefix(1), HammingBall(CENTER, 1), CodeFlips(1, 1))
