"""exact_json: numbers keep their last digit, and text that would exhaust Python is refused."""

from __future__ import annotations

import json
import sys

import pytest

from bnnverify.queries.storage.exact_json import from_text, to_text

HUGE = 2**80


VALUES = [0, -1, HUGE, -HUGE, 2**12000 - 1, 2**12000, -(2**12000), 10**30_000, True, None, 0.1, 1e300, "ä\ud800\n"]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_values_are_restored(value: object) -> None:
    text = to_text({"a": [value, {"b": value}]})
    assert text.isascii()
    found = from_text(text)
    assert found == {"a": [value, {"b": value}]}
    assert type(found["a"][0]) is type(value)


def test_the_text_does_not_depend_on_order() -> None:
    assert to_text({"a": (1, 2), "b": 3}) == to_text({"b": 3, "a": [1, 2]})
    assert json.loads(to_text({"a": HUGE})) == {"a": HUGE}  # others read it too


BROKEN = {
    "deep": "[" * 100_000,
    "deep and closed": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "many digits": "1" * 5000,
    "no number": '{"integer, base 16": "xyz"}',
    "no text": '{"integer, base 16": 1}',
    "cut off": '{"a": 1',
    "nothing": "",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_text_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_text(BROKEN[name])


def test_the_limit_of_python_stays_as_it_is() -> None:
    limit = sys.get_int_max_str_digits()
    assert from_text(to_text(10**30_000)) == 10**30_000
    assert sys.get_int_max_str_digits() == limit
