"""Dense and sparse rows keep one protocol: each method gives what numpy gives for the numbers written out."""

from __future__ import annotations

import numpy as np
import pytest

from bnnverify import Block
from bnnverify.model import matrix as room
from bnnverify.model.matrix import Dense, Matrix, Sparse, exact_products, fitting, identity, reach, reach_between, stacked
from tests.support.enumerated import every_input


@pytest.mark.parametrize("leaf", ["dense", "sparse"])
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1), (4, 7)])
def test_both_leaves_speak_as_numpy_does(shape: tuple[int, int], leaf: str) -> None:
    random = np.random.default_rng(0)
    numbers = random.integers(-3, 4, shape) * random.integers(0, 2, shape)
    rows: Matrix = Dense(numbers) if leaf == "dense" else Dense(numbers).sparse()
    m, n = shape
    vector, mask, columns = random.integers(-5, 5, n), random.random(n) < 0.5, random.permutation(n)
    assert np.array_equal(rows.dense(), numbers)
    assert np.array_equal(rows.sparse().dense(), numbers)
    assert (rows.shape, len(rows), rows.entries) == (shape, m, np.count_nonzero(numbers))
    assert (rows.size, rows.work) == ((m * n, m * n) if leaf == "dense" else (rows.entries, 4 * rows.entries))
    assert rows.largest == np.abs(numbers).max(initial=0)
    assert np.array_equal(rows @ vector, numbers @ vector)
    assert np.array_equal(rows @ np.eye(n, 2, dtype=np.int64), numbers @ np.eye(n, 2, dtype=np.int64))
    assert np.array_equal(np.arange(m) @ rows, np.arange(m) @ numbers)
    assert np.array_equal(np.ones((2, m)) @ rows, np.ones((2, m)) @ numbers)
    assert np.array_equal(rows[:, mask].dense(), numbers[:, mask])
    assert np.array_equal(rows[:, columns].dense(), numbers[:, columns])
    assert np.array_equal(rows[np.arange(m) % 2 == 0].dense(), numbers[::2])
    assert np.array_equal((rows * vector).dense(), numbers * vector)
    assert np.array_equal((rows * np.arange(m)[:, None]).dense(), numbers * np.arange(m)[:, None])
    assert np.array_equal(rows.T.dense(), numbers.T)
    assert np.array_equal(rows.sum(axis=1), numbers.sum(axis=1))
    assert np.array_equal(rows.any(axis=0), numbers.any(axis=0))
    assert np.array_equal(rows.sizes, np.abs(numbers).sum(axis=1))
    assert np.array_equal(rows.squares, (numbers**2).sum(axis=1))
    assert np.array_equal([row.copy() for row in rows.written_out()] or numbers, numbers)
    assert all(np.array_equal(rows.row(j)[0], np.flatnonzero(numbers[j])) for j in range(m))
    negative, positive = rows.by_sign()
    assert np.array_equal(negative.dense(), np.minimum(numbers, 0))
    assert np.array_equal(positive.dense(), np.maximum(numbers, 0))
    falling = np.sort(np.abs(numbers), axis=1)[:, ::-1].cumsum(axis=1)
    assert np.array_equal(rows.largest_sums(2), falling[:, :2])
    assert np.array_equal(rows.largest_sums(9), falling)
    signs = random.choice([-1, 1], (6, n)).astype(np.int8)
    assert np.array_equal(exact_products(signs, rows), signs @ numbers.T)


@pytest.mark.parametrize("seed", range(10))
def test_columns_in_order_and_regrouped(seed: int) -> None:
    random = np.random.default_rng(seed)
    numbers = random.integers(-1, 2, (int(random.integers(0, 4)), 8)) * random.integers(0, 2, 8)
    groups, signs = random.integers(0, 5, 8), random.choice([-1, 1], 8)
    expected = np.zeros((len(numbers), 5), dtype=np.int64)
    for j in range(8):
        expected[:, groups[j]] += signs[j] * numbers[:, j]
    for rows in (Dense(numbers), Dense(numbers).sparse()):
        order = rows.column_order()
        assert order.tolist() == sorted(range(8), key=lambda j: numbers[:, j].tolist())
        assert np.array_equal(rows.regrouped(groups, signs, 5).dense(), expected)


@pytest.mark.parametrize("seed", range(10))
def test_reach_is_the_smallest_and_the_largest_sum(seed: int) -> None:
    random = np.random.default_rng(seed)
    numbers = random.integers(-3, 4, (4, 5)) * random.integers(0, 2, (4, 5))
    low = random.random((6, 5)) < 0.3
    high = low | (random.random((6, 5)) < 0.5)
    sums = every_input(5) @ numbers.T
    for rows in (Dense(numbers), Dense(numbers).sparse()):
        assert np.array_equal(reach(rows), (sums.min(axis=0), sums.max(axis=0)))
        smallest, largest = reach_between(rows, low, high)
        for k in range(6):
            inside = sums[((every_input(5) >= low[k]) & (every_input(5) <= high[k])).all(axis=1)]
            assert np.array_equal((smallest[k], largest[k]), (inside.min(axis=0), inside.max(axis=0)))


def test_stacked_rows_are_sparse_where_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = np.eye(3, 4, dtype=np.int64)
    for parts in ((Dense(numbers), Dense(numbers)), (Dense(numbers), Dense(-numbers).sparse())):
        joint = stacked(parts)
        assert isinstance(joint, Dense)  # small
        assert np.array_equal(joint.dense(), np.vstack([part.dense() for part in parts]))
    monkeypatch.setattr(room, "SMALL", 0)
    monkeypatch.setattr(room, "SHARE", 1)
    assert isinstance(stacked((Dense(numbers).sparse(), Dense(numbers))), Sparse)
    assert isinstance(identity(9), Sparse)
    assert np.array_equal(identity(9).dense(), np.eye(9))


@pytest.mark.parametrize("seed", range(20))
def test_the_normal_form_of_a_block_is_that_of_each_row(seed: int) -> None:
    random = np.random.default_rng(seed)
    largest = (1, 2, 7, 10**17)[seed % 4]
    numbers = random.integers(-largest, largest, (9, 5), endpoint=True) * random.integers(0, 2, (9, 5))
    bounds = random.integers(-2 * largest, 2 * largest, 9, endpoint=True)
    for rows in (Dense(numbers), Dense(numbers).sparse()):
        block = Block(rows, bounds)
        assert list(block.normal().rows()) == [row.normal() for row in block.rows()]
        assert np.array_equal(block.normal()(every_input(5)), block(every_input(5)))


@pytest.mark.parametrize("size", [2**14, 2**20, 2**30, 2**45])
def test_products_of_large_weights_are_exact(size: int) -> None:
    rows = np.array([[size, -size, 1, 0], [0, 0, size, size]])  # at 2^14 and 2^30 one more than 16 and 32 bits hold
    bits = np.array([[1, 1, 1, 1], [1, 0, 0, 1]], dtype=np.uint8)
    assert np.array_equal(exact_products(bits, Dense(rows).sparse()), bits.astype(np.int64) @ rows.T)


def test_which_rows_stay_sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    def rows(shape: tuple[int, int], entries: int) -> Sparse:
        row, column = np.divmod(np.arange(entries), shape[1])
        return Sparse.of(shape, row, column, np.ones(entries))

    assert isinstance(fitting(rows((256, 256), 1)), Dense)  # small
    assert isinstance(fitting(rows((256, 257), 1)), Sparse)
    assert isinstance(fitting(rows((512, 512), 2**15)), Dense)  # one in eight
    assert isinstance(fitting(rows((512, 512), 2**15 - 1)), Sparse)
    monkeypatch.setattr(room, "LARGEST_DENSE", 2**17)
    assert isinstance(fitting(rows((512, 512), 2**15)), Sparse)  # one in eight, but too large for a dense matrix
