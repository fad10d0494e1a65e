"""What the registry says of each engine is complete, and nothing else writes down which engines there are."""

from __future__ import annotations

import inspect
import re
from functools import partial

import pytest

from bnnverify.queries.engines.registry import AUTO, choices, engines

HEADINGS = ["Needs", "Returns", "Method", "Property", "Reference"]


@pytest.mark.parametrize("name", engines())
def test_every_engine_says_the_same_five_things(name: str) -> None:
    """In this order, each in its own words: a reader compares engines at a glance."""
    make = engines()[name].make
    described = inspect.getdoc(make.func if isinstance(make, partial) else make)
    assert described is not None
    parts = re.split(r"^(\w+): ", described, flags=re.MULTILINE)
    assert parts[1:11:2] == HEADINGS
    assert all(len(text.split()) >= 3 for text in parts[2:12:2])
    assert re.match(r"[A-Z].+\.\n\n$", parts[0], re.DOTALL), "one sentence first"
    assert re.search(r"\b(in)?complete\b", parts[8])
    assert re.search(r"\b(in)?exact\b", parts[8])


def test_help_is_half_a_sentence_and_no_two_are_alike() -> None:
    helps = [each.help for each in engines().values()]
    assert len(set(helps)) == len(helps)
    assert not [text for text in helps if not 10 < len(text) < 90 or text.endswith(".")]
    assert choices() == (AUTO, *engines())
    assert [each.name for each in engines().values()] == sorted(engines())


def test_abilities_agree_with_each_other() -> None:
    for each in engines().values():
        if each.ability.counted_by:
            assert engines()[each.ability.counted_by].ability.counted_by == "", each.name
        if each.ability.counts:
            assert each.ability.counted_by == "", each.name
