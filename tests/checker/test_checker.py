"""The checker's arithmetic against plain enumeration, on statements and clauses that nobody encoded."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from random import Random

import numpy as np
import pytest

from bnnverify.checker import patterns
from bnnverify.checker.claim import Claim
from bnnverify.checker.clauses import follows
from bnnverify.checker.files import clause, formula, numbers, record
from bnnverify.checker.linear import Linear, most
from bnnverify.checker.margins import ReducedNetwork, ReducedRow
from bnnverify.checker.trace import lemmas
from bnnverify.errors import Rejected
from tests.support.zoo import majority

VARIABLES = (2, 3, 4, 5)
NOWHERE = Linear.of([(1, 2)], 5)


def settings() -> list[dict[int, int]]:
    return [dict(zip(VARIABLES, bits, strict=True)) for bits in product((0, 1), repeat=len(VARIABLES))]


def holds(statement: Linear, setting: dict[int, int]) -> bool:
    return sum(w * setting[v] for v, w in statement.weights.items()) >= statement.bound


def some(random: Random, largest: int) -> Linear:
    terms = [(random.randint(-largest, largest), random.choice([1, -1]) * v) for v in VARIABLES if random.random() < 0.8]
    return Linear.of(terms, random.randint(-largest, 2 * largest))


@pytest.mark.parametrize("largest", [1, 2, 6])
def test_forms_hold_at_the_same_points(largest: int) -> None:
    random = Random(largest)
    like = 0
    for _ in range(300):
        one, other = some(random, largest), some(random, largest)
        canonical = Linear(dict(one.canonical[0]), one.canonical[1])
        for setting in settings():
            assert holds(one, setting) == holds(one.sharpened, setting) == holds(canonical, setting)
            assert holds(one, setting) != holds(one.opposite, setting)
        assert one.sharpened.bound >= one.bound
        if one.is_like(other):
            like += 1
            assert all(holds(one, setting) == holds(other, setting) for setting in settings())
    assert like


def test_sharpening_finds_the_next_sum() -> None:
    assert Linear.of([(2, 2), (2, 3)], 3).sharpened.bound == 4
    assert Linear.of([(2, 2), (-3, 3)], 1).sharpened.bound == 2
    assert Linear.of([(2, 2), (4, 3)], 9).sharpened.bound == 9  # never


def test_bounds_between_two_sums_have_one_form() -> None:
    assert Linear.of([(2, 2), (3, 3)], 4).is_like(Linear.of([(2, 2), (3, 3)], 5))
    assert Linear.of([(5, 2), (3, 3), (2, 4)], 4).is_like(Linear.of([(4, 2), (3, 3), (2, 4)], 4))
    assert not Linear.of([(2, 2), (3, 3)], 3).is_like(Linear.of([(2, 2), (3, 3)], 4))


def test_literals_and_repeated_variables() -> None:
    assert dict(Linear.of([(2, -3), (1, 3), (1, 2), (-1, 2)], 2).weights) == {3: -1}
    assert Linear.of([(2, -3)], 2).bound == 0
    assert most([Linear.of([(1, 2), (1, 3)], 2)], {2: 0}) == -1


def test_a_clause_that_follows_is_true_everywhere() -> None:
    """Whatever is accepted is right, whether or not everything right is accepted."""
    random = Random(5)
    accepted = 0
    for _ in range(4000):
        definitions = {v: some(random, 2) for v in (6, 7, 8)}
        literals = random.sample([s * v for v in (*VARIABLES, 6, 7, 8) for s in (1, -1)], random.randint(1, 4))
        region = some(random, 1)
        if follows(literals, definitions, region):
            accepted += 1
            for setting in settings():
                values = {**setting, **{v: int(holds(definition, setting)) for v, definition in definitions.items()}}
                satisfied = any(values[abs(x)] == (x > 0) for x in literals)
                assert satisfied or not holds(region, setting)
    assert accepted > 100


def test_gates_and_sums_follow() -> None:
    definitions = {6: Linear.of([(1, 2), (1, 3)], 2), 7: Linear.of([(1, 4), (1, 5)], 1)}
    definitions |= {8: Linear.of([(1, v) for v in VARIABLES], 3), 9: Linear.of([(1, v) for v in VARIABLES], 4)}
    assert follows([-2, -3, 6], definitions, NOWHERE)
    assert follows([2, -6], definitions, NOWHERE)
    assert follows([-6, -7, 8], definitions, NOWHERE)
    assert follows([2, -2], definitions, NOWHERE)
    few = Linear.of([(-1, v) for v in VARIABLES], -3)
    assert follows([-9], definitions, few)
    assert not follows([-6, -7, 9], definitions, few.opposite)
    assert not follows([-8], definitions, few)
    assert not follows([2, 6], definitions, few)
    assert not follows([], definitions, few)


SQUARE = [[1, 2], [1, -2], [-1, 2], [-1, -2]]


def test_traces() -> None:
    assert lemmas(SQUARE, 2, ["1 0", "d 1 2 0", "0"]) == 2
    assert lemmas([[1], [-1]], 1, ["0"]) == 1
    assert lemmas([[]], 1, ["0"]) == 1


@pytest.mark.parametrize(
    ("trace", "words"),
    [
        (["0"], "lemma 1 does not follow"),
        (["1 0"], "expected the empty clause at its end"),
        ([], "expected the empty clause at its end"),
        (["3 0", "0"], "expected literals of variables 1 to 2"),
        (["1", "0"], "expected literals of variables 1 to 2"),
        (["x 0"], "expected whole numbers"),
        (["", "0"], "expected whole numbers"),
    ],
)
def test_bad_traces(trace: list[str], words: str) -> None:
    with pytest.raises(Rejected, match=words):
        lemmas(SQUARE, 2, trace)


FORMULAS = [("", "p cnf"), ("p cnf 999999999 0\n", "p cnf"), ("p cnf 2 2\n1 0\n", "2 clauses, got 1")]


@pytest.mark.parametrize(("text", "words"), FORMULAS)
def test_bad_formulas(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "formula.cnf").write_text(text)
    with pytest.raises(Rejected, match=words):
        formula(tmp_path / "formula.cnf")


@pytest.mark.parametrize("text", ["[1]", "{", '{"a": NaN}', '{"a": ' + "9" * 30 + "}", "[" * 100_000, "\udcff"])
def test_bad_records(text: str, tmp_path: Path) -> None:
    (tmp_path / "claim.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Rejected, match="expected"):
        record(tmp_path / "claim.json")


def test_numbers_are_plain() -> None:
    assert numbers("1 -2 0", "x") == [1, -2, 0]
    assert clause("1 -2 0", 2, "x") == [1, -2]
    for words in ("1_0 0", "٣ 0", "9" * 20 + " 0", "1  0", "+1 0", "1 0 "):
        with pytest.raises(Rejected):
            clause(words, 2, "x")


@pytest.mark.parametrize("radius", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("rows", [0, 1, 5, 23])
def test_patterns_are_those_of_plain_enumeration(rows: int, radius: int) -> None:
    random = np.random.default_rng(rows)
    weights = random.integers(-2, 3, (rows, 7))
    bounds = random.integers(-3, 4, rows)
    flips = [3 * i for i in range(7)]
    reduced = [
        ReducedRow({3 * i: int(w) for i, w in enumerate(row) if w}, int(b)) for row, b in zip(weights, bounds, strict=True)
    ]
    points = np.array([p for p in product((0, 1), repeat=7) if sum(p) <= radius])
    expected = {tuple(row) for row in (points @ weights.T >= bounds).astype(int).tolist()}
    fields = patterns.Fields(reduced, flips, radius)
    keys = patterns._patterns(fields, len(flips), radius)
    found = [tuple(row) for row in fields.bits(keys).tolist()] if rows else [()]
    assert len(found) == len(set(found)) == len(keys)
    assert set(found) == expected


@pytest.mark.parametrize("few", [0, patterns.FEW])
def test_every_point_or_every_pattern_must_stay(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """majority(6) around five ones: one flip leaves at least four, class 1; two flips make a tie, class 0."""
    monkeypatch.setattr(patterns, "FEW", few)
    bits = np.array([1, 1, 1, 1, 1, 0], dtype=np.uint8)
    for radius, fine in ((0, True), (1, True), (2, False), (6, False)):
        claim = Claim(0, "patterns", bits, 1, None, radius, tuple(range(6)), None, (0, 1), ((),), ())
        if fine:
            assert patterns.check_patterns(ReducedNetwork(majority(6), claim), claim) <= 7
        else:
            with pytest.raises(Rejected, match="expected class 1 for each, got class 0"):
                patterns.check_patterns(ReducedNetwork(majority(6), claim), claim)


def test_too_many_open_neurons_are_refused() -> None:
    rows = [ReducedRow({0: 1000, 1: -1000}, 1) for _ in range(64)]
    with pytest.raises(Rejected, match="open neurons"):
        patterns.Fields(rows, [0, 1], 2)
