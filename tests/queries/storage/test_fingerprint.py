"""fingerprint: work goes on only where nothing that it depends on differs."""

from __future__ import annotations

import pytest

from bnnverify.queries.storage.fingerprint import Fingerprint

COUNT = {"verb": "count", "model": "ab" * 32, "radius": 2, "counting": None}
MODELS = {"model": {"no_pen seed 0": "abc", "no_pen seed 1": "def"}, "sample": {"17": "123"}}


def test_the_same_work_does_not_differ() -> None:
    mine = Fingerprint(COUNT)
    found = Fingerprint.parsed(Fingerprint(dict(reversed(COUNT.items()))).text)
    assert mine.difference(found) == ""
    assert mine.joined(found).text == mine.text == found.text


DIFFERENT = [
    ({"radius": 3}, "expected finished work with radius 2, got a file with radius 3"),
    ({"radius": True}, "expected finished work with radius 2, got a file with radius true"),
    ({"verb": "certify", "radius": 9}, "expected finished work with verb count, got a file with verb certify"),
    ({"counting": False}, "expected finished work with counting null, got a file with counting false"),
    ({"model": "\x1b[2J" * 99}, f"expected finished work with model {'ab' * 20}, got a file with model \\u001b[2J"),
    ({"constraint": "x"}, "expected finished work with nothing called constraint, got a file with constraint x"),
]


@pytest.mark.parametrize(("other", "sentence"), DIFFERENT)
def test_a_difference_is_named(other: dict[str, object], sentence: str) -> None:
    difference = Fingerprint(COUNT).difference(Fingerprint.parsed(Fingerprint({**COUNT, **other}).text))
    assert difference.startswith(sentence)
    assert difference.isascii()
    assert len(difference) < 200


def test_a_name_that_the_file_lacks_is_a_difference() -> None:
    """Work of a version that did not know of it was done without it."""
    found = Fingerprint({name: value for name, value in COUNT.items() if name != "radius"})
    sentence = "expected finished work with radius 2, got a file with nothing called radius"
    assert Fingerprint(COUNT).difference(found) == sentence
    assert "nothing called model" in Fingerprint(COUNT, MODELS).difference(Fingerprint(COUNT))
    assert "nothing called model" in Fingerprint(COUNT).difference(Fingerprint(COUNT, MODELS))


def test_groups_grow_but_no_member_changes() -> None:
    found = Fingerprint(COUNT, {"model": {"bin_enc-D3 seed 0": "123", "no_pen seed 1": "def"}, "sample": {}})
    mine = Fingerprint(COUNT, MODELS)
    assert mine.difference(found) == ""
    assert mine.joined(found).growing == {"model": {"bin_enc-D3 seed 0": "123", **MODELS["model"]}, "sample": {"17": "123"}}
    changed = Fingerprint(COUNT, {"model": {"no_pen seed 1": "xyz"}, "sample": {}})
    assert (
        mine.difference(changed) == "expected finished work with model no_pen seed 1 def, got a file with model no_pen seed 1 xyz"
    )


def test_the_checksum_is_bound_to_work_key_and_value() -> None:
    mine, other = Fingerprint(COUNT), Fingerprint({**COUNT, "radius": 3})
    sums = [mine.checksum("1", "{}"), other.checksum("1", "{}"), mine.checksum("2", "{}"), mine.checksum("1", "[]")]
    sums += [mine.checksum("1{", "}"), mine.checksum(1, "{}"), mine.checksum("1", b"{}"), mine.checksum("1", None)]
    assert len(set(sums)) == len(sums)
