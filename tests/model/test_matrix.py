"""Sparse rows equal dense ones: to the network, to presolve, to every engine, to files, fingerprints and the checker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bnnverify import (
    Ball,
    Block,
    HammingBall,
    Head,
    Leaves,
    Network,
    Query,
    Region,
    Samples,
    certify,
    distance,
    load,
    local_search,
    save,
)
from bnnverify.encoders.presolve.margins import margins
from bnnverify.encoders.presolve.presolve import Presolved, bounded, presolve
from bnnverify.errors import BadModel
from bnnverify.formats.windows import Window, convolution_rows
from bnnverify.model import matrix as room
from bnnverify.model.combine import pair
from bnnverify.model.matrix import Dense, Sparse
from bnnverify.problem.budget import Budget
from bnnverify.queries.attacks.gradients import MarginFunction
from bnnverify.queries.engines.registry import named
from bnnverify.queries.proofs.check import check
from bnnverify.queries.proofs.prove import prove
from bnnverify.report.document import about
from tests.support.enumerated import Direct

SEEDS = range(8)


def pictures(seed: int) -> tuple[Network, Network]:
    """Return a network of two convolutions on 4 x 5 pixels, its rows sparse, and the same one with dense rows."""
    random = np.random.default_rng(seed)
    first, shape = convolution_rows(random.choice([-1, 1], (2, 1, 2, 2)), Window((2, 2)), np.arange(20).reshape(1, 4, 5), 20)
    places = np.arange(len(first)).reshape(2, *shape)
    second, _ = convolution_rows(random.integers(-2, 3, (3, 2, 2, 2)), Window((2, 2), strides=(1, 2)), places, len(first))
    bounds = [random.integers(-1, 3, len(rows)) for rows in (first, second)]
    head = Head(random.choice([-1, 1], (4, len(second))), random.integers(-2, 3, 4), random.permutation(4))
    few = (Block(first, bounds[0]), Block(second, bounds[1]))
    every = (Block(first.dense(), bounds[0]), Block(second.dense(), bounds[1]))
    return Network(few, head), Network(every, head)


def region(seed: int, n: int = 20) -> Region:
    random = np.random.default_rng(seed + 100)
    free = random.random(n) < 0.7
    outer = min(int(random.integers(0, 4)), int(free.sum()))
    return Ball(random.integers(0, 2, n), free, int(random.integers(0, outer + 1)), outer)


@pytest.fixture(params=["as they fit", "sparse throughout"])
def storage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Small rows become dense after presolve; with these limits no row does."""
    if request.param == "sparse throughout":
        monkeypatch.setattr(room, "SMALL", 0)
        monkeypatch.setattr(room, "SHARE", 1)
    return str(request.param)


def contents(solved: Presolved) -> list[object]:
    parts = [(block.weights.tolist(), block.bounds.tolist()) for block in solved.network.blocks]
    return [parts, solved.classes, solved.neurons, solved.live, solved.open_neurons, solved.represented]


@pytest.mark.parametrize("seed", SEEDS)
def test_equal_answers_fingerprints_bricks_and_descriptions(seed: int) -> None:
    few, every = pictures(seed)
    bits = np.random.default_rng(seed).integers(0, 2, (50, 20))
    assert np.array_equal(few(bits), every(bits))
    assert few(bits[0]) == every(bits[0])
    assert few.sha256 == every.sha256
    assert [list(block.rows()) for block in few.blocks] == [list(block.rows()) for block in every.blocks]
    assert about(few) == about(every)


@pytest.mark.parametrize("seed", SEEDS)
def test_presolve_and_margins_are_the_same(seed: int, storage: str) -> None:
    few, every = pictures(seed)
    ball = region(seed)
    assert contents(bounded(few, ball)) == contents(bounded(every, ball))
    assert contents(bounded(few.prefix(2), ball)) == contents(bounded(every.prefix(2), ball))
    solved = presolve(few, ball)
    for flips in solved.region.points():
        assert np.array_equal(np.array(solved.classes)[solved.network(flips)], every(solved.points(flips)))
    assert margins(few, ball, bounded(few, ball)) == margins(every, ball, bounded(every, ball))
    if storage == "sparse throughout":
        assert any(isinstance(block.matrix, Sparse) for block in bounded(few, HammingBall(np.zeros(20), 20)).network.blocks)


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("engine", ["bits", "bdd", "sat"])
@pytest.mark.parametrize("seed", SEEDS[:3])
def test_engines_count_the_same(engine: str, seed: int) -> None:
    few, every = pictures(seed)
    center = np.random.default_rng(seed).integers(0, 2, 20)
    points = np.vstack(list(HammingBall(center, 2).points()))
    running = Direct(named(engine).open)  # in this process, where the limits hold
    try:
        tally = running.count(Query(few, HammingBall(center, 2), Leaves(few(center))), Budget())
    finally:
        running.close()
    assert [c.low for c in tally.counts] == np.bincount(every(points), minlength=4).tolist()
    assert all(c.exact for c in tally.counts)


def test_many_inputs_are_evaluated_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    few, _ = pictures(0)
    bits = np.random.default_rng(0).integers(0, 2, (30, 20)).astype(np.uint8)
    function = MarginFunction(few, bits[0], np.arange(20), frozenset({1}))
    together = few(bits), few.prefix(1)(bits), function.margins(bits), function.neighbours(bits[1], np.arange(20))
    monkeypatch.setattr("bnnverify.model.network.AT_ONCE", 150)
    function._at_once = 3
    parts = few(bits), few.prefix(1)(bits), function.margins(bits), function.neighbours(bits[1], np.arange(20))
    assert all(np.array_equal(one, other) for one, other in zip(together, parts, strict=True))
    assert few(bits[:0]).shape == (0,)
    assert few.prefix(1)(bits[:0]).shape == (0, few.widths[1])


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("seed", SEEDS[:4])
def test_attacks_and_distances_are_the_same(seed: int) -> None:
    few, every = pictures(seed)
    center = np.random.default_rng(seed).integers(0, 2, 20)
    for method in ("greedy", "gradient", "beam"):
        one, other = (local_search(net, center, method=method, seed=seed) for net in (few, every))
        assert one.witness == other.witness
    one, other = (distance(net, center) for net in (few, every))
    assert (one.low, one.high) == (other.low, other.high)


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("seed", SEEDS[:3])
def test_verdicts_and_their_proofs(seed: int, tmp_path: Path) -> None:
    few, every = pictures(seed)
    bits = np.random.default_rng(seed).integers(0, 2, (4, 20)).astype(np.uint8)
    samples = Samples(bits, None, (0, 1, 2, 3), "drawn")
    for radius in (1, 3):
        expected = [row.verdict for row in certify(every, samples, radius=radius).rows]
        folder = tmp_path / str(radius)
        assert [row.verdict for row in prove(few, samples, radius=radius, folder=folder).rows] == expected
        checking = check(folder)
        assert checking.accepted
        assert [row.verdict for row in certify(few, samples, radius=radius).rows] == expected


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_a_pair_of_networks_stays_sparse(seed: int, storage: str) -> None:
    few, every = pictures(seed)
    bits = np.random.default_rng(seed).integers(0, 2, (50, 20))
    joint, expected = pair(few, pictures(seed + 1)[0]), pair(every, pictures(seed + 1)[1])
    assert np.array_equal(joint(bits), expected(bits))
    assert joint.sha256 == expected.sha256
    if storage == "sparse throughout":
        assert all(isinstance(block.matrix, Sparse) for block in joint.blocks)


def test_round_trip_keeps_sparse_rows(tmp_path: Path) -> None:
    few, every = pictures(0)
    save(few, tmp_path / "few")
    save(every, tmp_path / "every")
    read = load(tmp_path / "few")
    assert all(isinstance(block.matrix, Sparse) for block in read.blocks)
    assert not isinstance(load(tmp_path / "every").blocks[0].matrix, Sparse)
    assert read.sha256 == load(tmp_path / "every").sha256 == few.sha256


DAMAGES = {
    "beyond": ("positions", [0, 1, 3], "between 0 and 2"),
    "negative": ("positions", [-1, 1, 2], "between 0 and 2"),
    "twice": ("positions", [1, 1, 2], "ascend within each row"),
    "unsorted": ("positions", [1, 0, 2], "ascend within each row"),
    "too few positions": ("positions", [0, 1], "expected to ascend from 0 to the number of positions, 2"),
    "falling starts": ("starts", [0, 3, 2, 3], "sparse starts"),
    "late start": ("starts", [1, 2, 3, 3], "sparse starts"),
    "no starts": ("starts", [], "sparse starts"),
    "other number of rows": ("starts", [0, 2, 3], "expected 2 bounds"),
    "too few values": ("values", [1, 1], "sparse values"),
    "a zero": ("values", [1, 0, 1], "none of them 0"),
    "a fraction": ("values", [1, 0.5, 1], "whole numbers"),
    "large values": ("values", [2**61, 2**61, 1], "weight sums below"),
    "no width": ("width", [], "width: expected one number"),
    "huge width": ("width", [2**40], "columns"),
    "other width": ("width", [4], "inputs"),
    "other values": ("values", [1, 1, 2], "checksum"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_sparse_rows_are_refused(damage: str, tmp_path: Path) -> None:
    part, numbers, words = DAMAGES[damage]
    rows = Sparse([0, 2, 2, 3], [0, 1, 2], [1, -1, 1], 3)  # type: ignore[arg-type]
    network = Network((Block(np.eye(3), np.ones(3)), Block(rows, [1, 1, 0])), Head(np.ones((2, 3)), [0, 0]))  # type: ignore[arg-type]
    save(network, tmp_path / "model")
    with np.load(tmp_path / "model") as old:
        arrays = dict(old)
    arrays[f"block1.weights.{part}"] = np.array(numbers)
    np.savez(tmp_path / "damaged.npz", **arrays)
    with pytest.raises(BadModel, match=words):
        load(tmp_path / "damaged.npz")


@pytest.mark.parametrize("seed", range(30))
def test_reach_of_balls_and_shells(seed: int) -> None:
    """Rows of 0 to all of the free positions, so that a shell's outer flips find zeros to fall on, or do not."""
    random = np.random.default_rng(seed)
    dense = random.integers(-3, 4, (9, 6)) * (random.random((9, 6)) < np.linspace(0, 1, 9)[:, None])
    ball = region(seed, 6)
    assert all(np.array_equal(a, b) for a, b in zip(ball.reach(Dense(dense).sparse()), ball.reach(Dense(dense)), strict=True))


def test_rows_too_large_to_write_out_are_refused_in_one_sentence() -> None:
    block = Block(Sparse.of((2**13, 2**13), [5], [7], [1]), np.zeros(2**13))
    with pytest.raises(BadModel, match="expected at most 33554432 weights where zeros are written out, got 8192 rows of 8192"):
        _ = block.weights
    lopsided = Sparse.of((2**13, 2**13), np.zeros(2**13), np.arange(2**13), np.ones(2**13))
    with pytest.raises(BadModel, match="zeros are written out"):
        lopsided.packed(0)


def test_fingerprints_of_large_rows_do_not_depend_on_how_they_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    few, every = pictures(3)
    written_out = few.sha256
    monkeypatch.setattr(room, "LARGEST_DENSE", 100)
    monkeypatch.setattr(room, "SHARE", 2)
    several = Network(tuple(Block(block.matrix, block.bounds) for block in few.blocks), few.head)
    assert several.sha256 == Network(every.blocks, every.head).sha256 != written_out
    full = Network((Block(np.ones((11, 11)), np.ones(11)),))  # large, but nothing is 0: written out as ever, piece by piece
    monkeypatch.undo()
    assert full.sha256 == Network(full.blocks).sha256
