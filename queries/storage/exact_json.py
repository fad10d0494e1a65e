"""Plain data as JSON text and back, to the last digit: integers of any size, whatever limit Python has for decimal text."""

from __future__ import annotations

import json
from typing import Any

DIGITS = 4000  # Python converts longer decimal text slowly, and refuses to beyond 4300 digits
BASE_16 = "integer, base 16"  # the only name of an object that stands for a longer integer


def to_text(value: object) -> str:
    """Return value as JSON in ASCII: the same text for the same value, in whatever order its names are."""
    return json.dumps(_shortened(value), sort_keys=True)


def from_text(text: str) -> Any:
    """Return the value that to_text wrote; ValueError for other text."""
    try:
        return json.loads(text, parse_int=_integer, object_hook=_restored)
    except (RecursionError, TypeError):
        raise ValueError("expected plain data, got something else") from None


def _shortened(value: object) -> object:
    """Return value with integers of many digits in base 16, which has no limit and takes linear time."""
    if isinstance(value, int) and value.bit_length() > 3 * DIGITS:
        return {BASE_16: f"{value:x}"}
    if isinstance(value, dict):
        return {name: _shortened(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(part) for part in value]
    return value


def _restored(data: dict[str, Any]) -> Any:
    return int(data[BASE_16], 16) if data.keys() == {BASE_16} else data


def _integer(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"expected at most {DIGITS} digits, got {len(digits)}")
    return int(digits)
