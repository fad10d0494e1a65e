"""Constraints as text: every form, there and back, and what is said of files that are none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnnverify import BadQuery, Constrained, Everything
from bnnverify.model.threshold import Threshold
from bnnverify.problem import constraint_file
from bnnverify.problem.constraint_file import constraints_of, line_of, lines_of, read_constraints
from bnnverify.problem.constraints import at_least, at_most, exactly, one_hot, ordered, tidy

N = 20


def read(folder: Path, text: str | bytes, n: int = N) -> tuple[Threshold, ...]:
    path = folder / "some.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_constraints(path, n)


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("onehot 0-3", one_hot(range(4))),
        ("onehot 3, 1 7-8", one_hot([3, 1, 7, 8])),
        ("ordered 4-6", ordered([4, 5, 6])),
        ("at most 2 of 5-9,12", at_most(2, [5, 6, 7, 8, 9, 12])),
        ("at  least 1 of 10,11", at_least(1, [10, 11])),
        ("exactly 0 of 19", exactly(0, [19])),
        ("2 x1 - 3 x4 + x7 >= 1", (Threshold((1, 4, 7), (2, -3, 1), 1),)),
        ("2x1-3*x4+x7>=1", (Threshold((1, 4, 7), (2, -3, 1), 1),)),
        ("-x2 <= -1", (Threshold((2,), (1,), 1),)),
        ("+x2 = +1", (Threshold((2,), (1,), 1), Threshold((2,), (-1,), -1))),
        ("x3 + x1 + x3 >= 2", (Threshold((1, 3), (1, 2), 2),)),
        ("x3 - x3 >= 0", (Threshold((), (), 0),)),
        ("4611686018427387903 x0 >= 1", (Threshold((0,), (2**62 - 1,), 1),)),
    ],
)
def test_every_form(tmp_path: Path, line: str, want: tuple[Threshold, ...]) -> None:
    assert constraints_of(line, N) == want or set(constraints_of(line, N)) == {tidy(row) for row in want}
    assert set(read(tmp_path, f"# first\n\n  {line}  # why\r\n")) == set(constraints_of(line, N))


def test_lines_are_in_order(tmp_path: Path) -> None:
    assert read(tmp_path, "onehot 0-3\nat most 1 of 4,5") == one_hot(range(4)) + at_most(1, [4, 5])


@given(st.dictionaries(st.integers(0, N - 1), st.integers(-(2**57), 2**57), min_size=1), st.integers(-(2**61), 2**61))
def test_there_and_back(weights: dict[int, int], bound: int) -> None:
    row = tidy(Threshold(tuple(weights), tuple(weights.values()), bound))
    if row.positions:
        assert constraints_of(line_of(row), N) == (row,)


def test_files_there_and_back(tmp_path: Path) -> None:
    rows = tuple(map(tidy, one_hot([5, 2]) + ordered([1, 0, 4]) + exactly(2, range(6))))
    assert read(tmp_path, lines_of(rows)) == rows


PAGE = (Path(__file__).parents[2] / "docs" / "constraints.md").read_text("utf-8")
BLOCKS = [block.partition("```")[0] for block in PAGE.split("```text\n")[1:]]


def test_the_page_documents_the_format(tmp_path: Path) -> None:
    for form in re.findall(r"^\| [^|]* \| `([^`]*)` \|", PAGE, re.MULTILINE):
        assert constraints_of(form, 21)
    assert len(read(tmp_path, BLOCKS[0], 21)) == 3 + 2 + 1 + 1


def test_the_people_of_the_census(tmp_path: Path) -> None:
    """A chain of k bits has k + 1 values, a group as many as bits, and one bit is in no group."""
    people = Constrained(Everything(115), read(tmp_path, BLOCKS[1], 115))
    assert people.size == 5 * 9 * 5 * 16 * 4 * 7 * 15 * 6 * 5 * 2 * 4 * 42
    assert f"{people.size:,} people" in PAGE


BROKEN = [
    ("", "expected at least one constraint, got none"),
    ("# nothing\n\n", "expected at least one constraint"),
    ("onehot", "positions like 0-3,7, got ''"),
    ("onehot 0-20", "positions from 0 to 19, got 20"),
    ("onehot 0-99999999999999999", "positions from 0 to 19"),
    ("onehot 3-1", "positions like 0-3,7"),
    ("onehot 1,,x", "positions like 0-3,7"),
    ("onehot -1", "positions like 0-3,7"),
    ("onehot 1,1", "each position once|got 1 more than once"),
    ("onehot 0-19,0-19", "each position once"),
    ("ordered ٣", "positions like 0-3,7"),
    ("onehots 1,2", "expected onehot LIST"),
    ("at most of 1,2", "expected at most K of LIST"),
    ("at most two of 1,2", "expected at most K of LIST"),
    ("at most -1 of 1,2", "expected at most K of LIST"),
    ("at most 3 of 1,2", "expected at most 0 to 2 of 2 positions, got 3"),
    ("at least 3 of 1,2", "at least 0 to 2"),
    ("exactly 9999999999999999999999 of 1,2", "expected exactly K of LIST"),
    ("exactly 1 of", "expected exactly K of LIST"),
    ("some 1 of 2", "expected onehot LIST"),
    ("x1 + x2", "expected onehot LIST"),
    ("x1 > 2", "expected onehot LIST"),
    ("x1 == 2", "expected onehot LIST"),
    ("x1 >= 1 >= 0", "expected onehot LIST"),
    (">= 1", "expected a sum like"),
    ("x1 x2 >= 1", "expected a sum like 2 x1 - x4, got 'x1 x2'"),
    ("x1 + + x2 >= 1", "expected a sum like"),
    ("x1 + 3 >= 1", "expected a sum like"),
    ("y1 >= 1", "expected a sum like"),
    ("1.5 x1 >= 1", "expected a sum like"),
    ("x1 >= x2", "whole number behind >=, got 'x2'"),
    ("x1 >= 1.5", "whole number behind >="),
    ("x1 >=", "whole number behind >=, got ''"),
    ("x20 >= 1", "positions from 0 to 19, got x20"),
    ("4611686018427387904 x1 >= 1", r"numbers below 2\^62"),
    ("x1 >= " + "9" * 5000, r"numbers below 2\^62"),
    ("x" + "9" * 5000 + " >= 1", r"numbers below 2\^62"),
    ("4611686018427387903 x1 + x2 >= 1", r"below 2\^62"),
    ("x1 - " + "z" * 5000, "expected onehot LIST"),
    (b"\xff\xfe", "readable text file"),
    (b"\x00", "expected onehot LIST"),
]


@pytest.mark.parametrize(("text", "words"), BROKEN)
def test_broken_files_are_refused_in_one_sentence(tmp_path: Path, text: str | bytes, words: str) -> None:
    good = "onehot 0-3\n" if len(text) and text != BROKEN[1][0] else ""
    with pytest.raises(BadQuery, match=words) as caught:
        read(tmp_path, good.encode() + text if isinstance(text, bytes) else good + text)
    sentence = str(caught.value)
    assert sentence.startswith(str(tmp_path / "some.txt"))
    assert len(sentence) < len(str(tmp_path)) + 350
    assert "\n" not in sentence
    if good and "readable" not in words:
        assert ", line 2: " in sentence


def test_files_that_are_none_or_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadQuery, match="expected a file of constraints, got none"):
        read_constraints(tmp_path / "missing", N)
    with pytest.raises(BadQuery, match="expected a file of constraints, got none"):
        read_constraints(tmp_path, N)
    with pytest.raises(BadQuery, match="at most 4194304 bytes"):
        read(tmp_path, "#" * (2**22 + 1))
    monkeypatch.setattr(constraint_file, "MOST_NAMED", 30)
    with pytest.raises(BadQuery, match="line 2: expected constraints that name at most 30 positions"):
        read(tmp_path, "at most 1 of 0-19\nat most 1 of 0-19")
