"""The written files, read back by a reader of their own and solved by trying every setting, say what the network says."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bnnverify import Becomes, Block, Constrained, Head, Leaves, Network, Query
from bnnverify.encoders import exports
from bnnverify.encoders.exports import EXPORTS, exported
from bnnverify.errors import BadQuery
from bnnverify.problem.ball import Ball, Everything, HammingBall
from bnnverify.problem.events.base import Event
from tests.support.drawn import thresholds

Row = tuple[list[tuple[int, int]], int]  # sum of weight * (variable is 1, or 0 for a negative one) >= bound


def read(text: list[str]) -> tuple[int, list[Row]]:
    """Return the number of variables and the rows of a DIMACS or OPB file; a clause is a row."""
    if text[0].startswith("*"):
        words = text[0].split()
        rows = [_opb_row(line.split()) for line in text if not line.startswith("*")]
        assert int(words[4]) == len(rows)
        return int(words[2]), rows
    body = [line.split() for line in text if not line.startswith("c ")]
    assert body[0][:2] == ["p", "cnf"]
    assert int(body[0][3]) == len(body) - 1
    assert all(line[-1] == "0" for line in body[1:])
    return int(body[0][2]), [([(1, int(x)) for x in line[:-1]], 1) for line in body[1:]]


def _opb_row(words: list[str]) -> Row:
    *terms, sign, bound, end = words
    assert (sign, end) == (">=", ";")
    assert all(variable[0] == "x" for variable in terms[1::2])
    return [(int(w), int(x[1:])) for w, x in zip(terms[::2], terms[1::2], strict=True)], int(bound)


def flips_of(text: list[str]) -> dict[int, int]:
    """Return which input bit each flip variable stands for, as the comments say."""
    words = [line.split() for line in text if "is flipped" in line]
    return {int(word[1].strip("x:")): int(word[4]) for word in words}


def solutions(variables: int, rows: list[Row], flips: dict[int, int]) -> dict[frozenset[int], int]:
    """Return how many settings of all variables satisfy the rows, by the flipped input bits: plain splitting."""
    found: dict[frozenset[int], int] = {}
    order = [*flips, *(v for v in range(1, variables + 1) if v not in flips)]

    def holds(values: dict[int, int]) -> bool:
        for terms, bound in rows:
            most = 0
            for w, x in terms:
                known = values.get(abs(x))
                most += max(0, w) if known is None else w * (known if x > 0 else 1 - known)
            if most < bound:
                return False
        return True

    def split(values: dict[int, int]) -> None:
        if not holds(values):
            return
        if len(values) == variables:
            point = frozenset(flips[v] for v in flips if values[v])
            found[point] = found.get(point, 0) + 1
            return
        for value in (0, 1):
            split(values | {order[len(values)]: value})

    split({})
    return found


def random_query(seed: int) -> Query:
    random = np.random.default_rng(seed)
    n, values = 5, [[-1, 1], [-1, 0, 1], [-3, 1, 2]][seed % 3]
    first = Block(random.choice(values, (3, n)), random.integers(-1, 2, 3))
    head = Head(random.choice([-1, 0, 1], (3, 3)), random.integers(-1, 2, 3), random.permutation(3))
    network = Network((first, Block(random.choice([-1, 1], (3, 3)), [0, 1, 0])) if seed % 2 else (first,), head)
    region = [Ball(random.integers(0, 2, n), random.random(n) < 0.9, 0, 0), Everything(n)][seed % 5 == 0]
    if seed % 5:
        inner, outer = sorted(random.integers(0, region.freedom + 1, 2).tolist())
        region = Ball(region.center, region.free, inner, outer)
    events: list[Event] = [Leaves(int(network(region.center))), Becomes(seed % 3), Becomes(0, 1, 2)]
    return Query(network, region, events[seed % 3])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("to", EXPORTS)
def test_the_solutions_are_the_points_once_each(seed: int, to: str) -> None:
    query = random_query(seed)
    text = list(exported(query, to))
    want = {}
    for points in query.region.points():
        for point in points[np.isin(query.network(points), list(query.targets))]:
            want[frozenset(np.flatnonzero(point != query.region.center).tolist())] = 1
    assert solutions(*read(text), flips_of(text)) == want


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("to", EXPORTS)
def test_under_constraints_the_solutions_are_the_points_that_obey(seed: int, to: str) -> None:
    """Flips are those of the input that the comments name: what constraints force is flipped in it already."""
    asked = random_query(seed)
    query = Query(asked.network, Constrained(asked.region, thresholds(seed, 5)), asked.event)
    text = list(exported(query, to))
    (words,) = [line.split()[-1] for line in text if " input " in line and "bit" not in line]
    start, found = np.array(list(words), dtype=np.uint8), solutions(*read(text), flips_of(text))
    points = []
    for flips, times in found.items():
        assert times == 1
        points.append(start.copy())
        points[-1][list(flips)] ^= 1
    want = [point for some in query.region.points() for point in some[query.happens(some)]]
    assert sorted(map(tuple, points)) == sorted(map(tuple, want))


def test_comments_name_neurons_that_are_left_by_their_own_numbers() -> None:
    block = Block([[0, 0], [1, 1], [1, -1]], [0, 1, 1])  # neuron 0 is always 1
    query = Query(Network((block,), Head([[5, 2, 1], [0, 1, 3]], [0, 4])), HammingBall([0, 0], 2), Leaves(1))
    for to, sign, x in (("cnf", "c", ""), ("opb", "*", "x")):
        text = list(exported(query, to))
        assert f"{sign} input 00" in text
        assert f"{sign} {x}2: input bit 0 is flipped" in text
        neurons = [line for line in text if "neuron" in line]
        assert [line.split(": ")[1] for line in neurons] == ["neuron 1 of block 0", "neuron 2 of block 0"]


@pytest.mark.parametrize("to", EXPORTS)
def test_a_decided_question_has_no_solution(to: str) -> None:
    query = Query(Network((), Head([[0], [0]], [1, 0])), HammingBall([0], 1), Leaves(0))
    text = list(exported(query, to))
    assert solutions(*read(text), flips_of(text)) == {}


def test_eighty_bits_and_weights_beyond_64_bits_are_exact() -> None:
    network = Network((), Head([[2**55] * 80, [0] * 80], [0, 2**60], [1, 0]))
    text = list(exported(Query(network, Everything(80), Becomes(0)), "opb"))
    variables, rows = read(text)
    assert variables == 80 + 1 + any(len(terms) > 80 for terms, _ in rows)
    assert any(bound > 0 and abs(terms[0][0]) in (1, 2**55) for terms, bound in rows)


def test_other_formats_are_refused() -> None:
    with pytest.raises(BadQuery, match=f"format must be one of {', '.join(EXPORTS)}, got 'smt'"):
        list(exported(random_query(0), "smt"))


def test_a_file_in_the_folder_is_an_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
from bnnverify.encoders.exports.export import Export
EXPORT = Export("event", ".txt", "the event alone", lambda query: iter([str(query.event)]))
"""
    (tmp_path / "only_the_event.py").write_text(source)
    monkeypatch.setattr(exports, "__path__", [*exports.__path__, str(tmp_path)])
    found = {export.name: export for export in exports._found()}
    assert found.keys() == {*EXPORTS, "event"}
    assert list(found["event"].lines(random_query(1))) == [str(random_query(1).event)]
    monkeypatch.delitem(sys.modules, "bnnverify.encoders.exports.only_the_event")


def test_every_export_is_in_the_docs() -> None:
    text = (Path(__file__).parents[3] / "docs" / "cli.md").read_text("utf-8")
    assert all(f"`--to {name} FILE`" in text and export.ending.startswith(".") for name, export in EXPORTS.items())


def test_the_command_writes_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from bnnverify.cli import main
    from bnnverify.formats import save

    query = random_query(1)
    save(query.network, tmp_path / "model.npz")
    bits = "".join(map(str, query.region.center.tolist()))
    path = tmp_path / "question.opb"
    assert main(["encode", str(tmp_path / "model.npz"), bits, "--radius", "2", "--to", "opb", str(path)]) == 0
    question = Query(query.network, HammingBall(query.region.center, 2), Leaves(query.network(query.region.center)))
    assert path.read_text().splitlines() == list(exported(question, "opb"))
    assert "question.opb" in capsys.readouterr().out
