"""Constraints in a text file, one a line (docs/constraints.md).

onehot 0-3               # exactly one of these bits is 1
ordered 4-7              # each of these bits is 1 only if the one before is
at most 2 of 5-9,12
at least 1 of 10,11
exactly 3 of 0-20
2 x1 - 3 x4 + x7 >= 1    # or <=, or =
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from bnnverify.errors import BadQuery
from bnnverify.model.arrays import LARGEST_SUM
from bnnverify.model.threshold import Threshold
from bnnverify.problem.constraints import Thresholds, at_least, at_most, exactly, one_hot, ordered, weighted
from bnnverify.problem.positions import range_of

MOST_BYTES = 2**22
MOST_NAMED = 2**22  # positions, in all lines together

LISTS = {"onehot": one_hot, "ordered": ordered}
CARDINALITIES = {"at most": at_most, "at least": at_least, "exactly": exactly}
CARDINALITY = re.compile(r"(at\s+most|at\s+least|exactly)\b(.*)")
TERM = re.compile(r"\s*([+-]?)\s*(?:(\d+)\s*\*?\s*)?x(\d+)\s*", re.ASCII)
SUM = re.compile(r"([^<>=]*)(>=|<=|=)([^<>=]*)")
FORMS = "onehot LIST, ordered LIST, at most K of LIST, at least K of LIST, exactly K of LIST, or a sum like 2 x1 - x4 >= 1"


def read_constraints(path: str | Path, n: int) -> Thresholds:
    """Return the constraints over n bits that a file holds. BadQuery names the file, the line, and what was expected there."""
    path = Path(path)
    try:
        if not path.is_file():
            raise BadQuery(f"{path}: expected a file of constraints, got none")
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        text = raw.decode("utf-8")
    except (OSError, ValueError) as error:
        if isinstance(error, BadQuery):
            raise
        raise BadQuery(f"{path}: expected a readable text file of constraints, got: {error}") from error
    if len(raw) > MOST_BYTES:
        raise BadQuery(f"{path}: expected a file of constraints of at most {MOST_BYTES} bytes, got a larger one")
    return tuple(_constraints(path, text, n))


def _constraints(path: Path, text: str, n: int) -> Iterator[Threshold]:
    named = lines = 0
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].strip()
        if not words:
            continue
        try:
            found = constraints_of(words, n)
        except BadQuery as error:
            raise BadQuery(f"{path}, line {number}: {error}") from None
        lines, named = lines + 1, named + sum(len(row.positions) for row in found)
        if named > MOST_NAMED:
            raise BadQuery(f"{path}, line {number}: expected constraints that name at most {MOST_NAMED} positions, got more")
        yield from found
    if not lines:
        raise BadQuery(f"{path}: expected at least one constraint, got none")


def constraints_of(line: str, n: int) -> Thresholds:
    """Return the constraints over n bits that one line states."""
    word, _, rest = line.partition(" ")
    if word in LISTS:
        return LISTS[word](_positions(rest, n))
    if match := CARDINALITY.match(line):
        return _cardinality(" ".join(match[1].split()), match[2], n)
    if match := SUM.fullmatch(line):
        return _sum(match[1], match[2], match[3], n)
    raise BadQuery(f"expected {FORMS}, got {_shown(line)}")


def line_of(constraint: Threshold) -> str:
    """Return a line that states this one threshold; a threshold without positions is one that no file states."""
    terms = [f"{'-' if w < 0 else '+'} {abs(w)} x{i}" for i, w in zip(constraint.positions, constraint.weights, strict=True)]
    return f"{' '.join(terms).removeprefix('+ ')} >= {constraint.bound}"


def _cardinality(kind: str, rest: str, n: int) -> Thresholds:
    match = re.fullmatch(r"\s*(\d{1,18})\s+of\s(.*)", rest, re.ASCII)
    if match is None:
        raise BadQuery(f"expected {kind} K of LIST, got {_shown(kind + rest)}")
    positions, k = _positions(match[2], n), int(match[1])
    if k > len(positions):
        raise BadQuery(f"expected {kind} 0 to {len(positions)} of {len(positions)} positions, got {k}")
    return CARDINALITIES[kind](k, positions)


def _positions(text: str, n: int) -> list[int]:
    """Return the positions that a list like 0-3,7 names."""
    ranges = [range_of(word) for word in text.replace(",", " ").split()]
    if not ranges or not all(ranges):
        raise BadQuery(f"expected positions like 0-3,7, got {_shown(text)}")
    last = max(numbers[-1] for numbers in ranges)
    if last >= n:  # said before a list of a range beyond memory is made
        raise BadQuery(f"expected positions from 0 to {n - 1}, got {last}")
    if sum(map(len, ranges)) > n:
        raise BadQuery(f"expected each position once, got {_shown(text)}")
    return [position for numbers in ranges for position in numbers]


def _sum(left: str, relation: str, right: str, n: int) -> Thresholds:
    weights: dict[int, int] = {}
    for sign, factor, position in _terms(left):
        weights[position] = weights.get(position, 0) + sign * factor
        if position >= n:
            raise BadQuery(f"expected positions from 0 to {n - 1}, got x{position}")
    match = re.fullmatch(r"\s*([+-]?)\s*(\d+)\s*", right, re.ASCII)
    if match is None:
        raise BadQuery(f"expected a whole number behind {relation}, got {_shown(right)}")
    bound = (-1 if match[1] == "-" else 1) * _number(match[2])
    above = (weighted(weights, bound),) if relation != "<=" else ()
    return above + ((weighted({i: -w for i, w in weights.items()}, -bound),) if relation != ">=" else ())


def _terms(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield sign, factor and position of each term of a sum."""
    place = 0
    while place < len(text) or not place:
        match = TERM.match(text, place)
        if match is None or (place and not match[1]):
            raise BadQuery(f"expected a sum like 2 x1 - x4, got {_shown(text)}")
        yield -1 if match[1] == "-" else 1, _number(match[2] or "1"), _number(match[3])
        place = match.end()


def _number(digits: str) -> int:
    if len(digits) > 19 or int(digits) >= LARGEST_SUM:
        raise BadQuery(f"expected numbers below 2^62, got {digits[:30]}")
    return int(digits)


def _shown(text: str) -> str:
    return repr(text.strip()[:60])


def lines_of(constraints: Iterable[Threshold]) -> str:
    """Return the text of a file that states these constraints."""
    return "".join(f"{line_of(constraint)}\n" for constraint in constraints)
