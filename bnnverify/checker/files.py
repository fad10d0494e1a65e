"""Reading the files of a proof, which may be damaged or hostile: every size has a limit, and every rejection is one sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from bnnverify.errors import Rejected

LARGEST_JSON = 2**26  # bytes
LONGEST_LINE = 2**24  # characters
MOST_VARIABLES = 10**8
DIGITS = 19  # of one number
COUNTED = 10**5  # digits of a number of points
NUMBERS = re.compile(rf"(?:-?[0-9]{{1,{DIGITS}}} )*-?[0-9]{{1,{DIGITS}}}")


def plain(path: Path) -> Path:
    """Return path, an ordinary file."""
    if path.is_symlink() or not path.is_file():
        raise Rejected(f"{path.name}: expected an ordinary file, got {'a link' if path.is_symlink() else 'none'}")
    return path


def record(path: Path, digits: int = DIGITS) -> dict[str, Any]:
    """Return the one JSON object in this file, whose integers have at most so many digits."""
    if plain(path).stat().st_size > LARGEST_JSON:
        raise Rejected(f"{path.name}: expected at most {LARGEST_JSON} bytes, got {path.stat().st_size}")
    try:
        found = json.loads(path.read_bytes().decode("utf-8"), parse_int=partial(_integer, digits), parse_constant=_refused)
    except (ValueError, RecursionError):
        raise Rejected(f"{path.name}: expected one JSON object with plain numbers, got something else") from None
    if not isinstance(found, dict):
        raise Rejected(f"{path.name}: expected a JSON object, got a {type(found).__name__}")
    return found


def _integer(most: int, text: str) -> int:
    return _refused(text) if len(text.removeprefix("-")) > most else int(text)


def _refused(text: str) -> int:
    raise ValueError(text)


def lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text, without their ends."""
    with plain(path).open("rb") as file:
        while line := file.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE or not line.isascii():
                raise Rejected(f"{path.name}: expected lines of at most {LONGEST_LINE} plain characters, got another one")
            yield line.decode("ascii").rstrip("\r\n")


def numbers(words: str, name: str) -> list[int]:
    """Return the integers of this line."""
    if not NUMBERS.fullmatch(words):
        raise Rejected(f"{name}: expected whole numbers, got {words[:40]!r}")
    return [int(word) for word in words.split(" ")]


def clause(words: str, variables: int, name: str) -> list[int]:
    """Return the literals of a clause, which ends with 0."""
    *literals, end = numbers(words, name)
    if end != 0 or any(not 0 < abs(literal) <= variables for literal in literals):
        raise Rejected(f"{name}: expected literals of variables 1 to {variables}, then 0, got {words[:40]!r}")
    return literals


def formula(path: Path) -> tuple[int, list[list[int]]]:
    """Return the number of variables, and the clauses, of a DIMACS file."""
    text = lines(path)
    head = next(text, "")
    found = re.fullmatch(r"p cnf ([0-9]{1,9}) ([0-9]{1,12})", head)
    if not found or int(found[1]) > MOST_VARIABLES:
        raise Rejected(f"{path.name}: expected 'p cnf VARIABLES CLAUSES', got {head[:40]!r}")
    clauses = [clause(line, int(found[1]), path.name) for line in text]
    if len(clauses) != int(found[2]):
        raise Rejected(f"{path.name}: expected {found[2]} clauses, got {len(clauses)}")
    return int(found[1]), clauses
