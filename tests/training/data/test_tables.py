"""Tables and data sets to train on: coded into bits by what training rows hold, split once."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bnnverify.errors import BadSample
from bnnverify.training import read_source, recipe_named, train
from bnnverify.training.data.tables import column_of, read_table
from tests.support.requirements import DATA, needs_data

RECIPE = recipe_named("no_pen")


def written(folder: Path, text: str, name: str = "table.csv") -> Path:
    (folder / name).write_text(text)
    return folder / name


def rows(count: int = 40) -> str:
    """Return rows of a number, a word, and the class, which is whether the number is large."""
    return "\n".join(f"{i}, {'red' if i % 3 else 'blue'}, {'high' if i >= count // 2 else 'low'}" for i in range(count))


def cells(*words: str) -> np.ndarray:
    return np.array(words)


def test_few_numbers_get_a_threshold_between_neighbours() -> None:
    column = column_of("n", cells("1", "3", "1", "4"))
    assert column.thresholds == (2.0, 3.5)
    assert column.bits(cells("1", "3", "4", "2", "99")).tolist() == [[0, 0], [1, 0], [1, 1], [1, 0], [1, 1]]


def test_many_numbers_get_their_fifths() -> None:
    column = column_of("n", cells(*map(str, range(101))))
    assert column.thresholds == (20, 40, 60, 80)


def test_words_are_one_hot_and_two_words_one_bit() -> None:
    three = column_of("w", cells("a", "b", "c", "a"))
    assert three.bits(cells("c", "a", "new")).tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 0]]
    assert column_of("w", cells("y", "n", "y")).bits(cells("y", "n")).tolist() == [[1], [0]]


def test_missing_numbers_are_0_everywhere_and_missing_words_are_words() -> None:
    assert column_of("n", cells("1", "?", "2")).bits(cells("?", "2", "")).tolist() == [[0], [1], [0]]
    assert column_of("w", cells("y", "?", "n")).words == ("?", "n", "y")


def test_constant_columns_have_no_bits() -> None:
    assert column_of("n", cells("5", "5")).bits(cells("5", "6")).shape == (2, 0)
    assert column_of("w", cells("x", "x")).bits(cells("x", "y")).shape == (2, 0)
    assert column_of("n", cells("?", "?")).bits(cells("?", "6")).shape == (2, 0)


def test_a_word_among_numbers_is_missing() -> None:
    assert column_of("n", cells("1", "2")).bits(cells("many", "2", "nan")).tolist() == [[0], [1], [0]]


def test_the_coding_is_learnt_on_training_rows_only(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "n,w,class\n" + rows()))
    parts = table.parts(test_share=0.25, validation_share=0.25)
    numbers = [float(table.cells[i, 0]) for i in parts.train.indices]
    column = parts.coding["columns"][0]
    assert column["thresholds"] == np.quantile(numbers, [0.2, 0.4, 0.6, 0.8]).tolist()
    assert parts.coding["classes"] == ["high", "low"]
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [20, 10, 10]
    for index, bits in zip(parts.test.indices, parts.test.bits, strict=True):
        assert bits.tolist() == [*(int(index >= t) for t in column["thresholds"]), int(index % 3 != 0)]


def test_the_class_column_is_the_last_or_the_one_named(tmp_path: Path) -> None:
    path = written(tmp_path, "class,a,b\n" + "\n".join(f"{i % 2},{i},{i % 3}" for i in range(12)))
    assert read_table(path).label == 2
    assert read_table(path, label="class").label == read_table(path, label="0").label == 0
    with pytest.raises(BadSample, match="expected a column of classes named class, a, b, got nope"):
        read_table(path, label="nope")


def test_blank_separated_and_packed_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.data.gz"
    path.write_bytes(gzip.compress(b" 1 2 x\n 3 4 y\n\n"))
    table = read_table(path, header=False)
    assert table.names == ("0", "1", "2")
    assert table.cells.tolist() == [["1", "2", "x"], ["3", "4", "y"]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n", "expected rows of a table, got none"),
        ("a,b\n1,2\n1\n", "expected 2 cells in every row, got 1 in row 1"),
        ("a,b\n" + "\n".join(f"{i},{i}" for i in range(20)), "a few classes in column 'b', got 20 different values in 20 rows"),
        ("a,b\n1,x\n1,x\n1,x\n", "expected a few classes"),
        ("a,b\n" + "1,x\n1,y\n" * 10, "expected a column that differs between training rows"),
    ],
)
def test_bad_tables_are_refused(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadSample, match=sentence):
        read_table(written(tmp_path, text)).parts(test_share=0.2, validation_share=0.1)


def test_unknown_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSample, match="expected digits, mnist, or a readable CSV file"):
        read_source(str(tmp_path / "nothing.csv"), RECIPE)
    with pytest.raises(BadSample, match="expected a size like mnist:10x10"):
        read_source("mnist:10", RECIPE)


def test_a_table_can_be_learnt(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra: train")
    source = read_source(str(written(tmp_path, "n,class,half\n" + rows(120))), RECIPE, label="class")
    trained = train(replace(RECIPE, hidden=(8,), epochs=3, tuning=1, batch=16), source.parts)
    assert trained.record["data"] == "table.csv"
    assert trained.record["coding"]["classes"] == ["blue", "red"]
    assert trained.network.inputs == 5  # four thresholds and one bit for two words


@needs_data
def test_mnist_keeps_its_own_test_set() -> None:
    source = read_source("mnist:7x7", RECIPE, data_dir=DATA)
    parts = source.parts
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [54_000, 6_000, 10_000]
    assert (parts.inputs, parts.classes, parts.test.name, parts.train.name) == (49, 10, "mnist", "mnist-train")
    assert source.coding is not None
    assert source.coding.shape == (7, 7)


@needs_data
@pytest.mark.parametrize(("name", "bits"), [("monks-1.train", 11), ("SPECT.train", 22)])
def test_uci_tables_become_bits(name: str, bits: int) -> None:
    source = read_source(str(DATA / "uci-small" / name), RECIPE, label="0", header=False)
    assert source.parts.inputs >= bits
    assert source.parts.classes == 2
