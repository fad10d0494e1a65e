"""Words that name inputs, indices and free positions: what they mean, and the sentence where they mean nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bnnverify.data.samples import digits, read_input, read_positions, read_samples
from bnnverify.errors import BadQuery, BadSample
from bnnverify.model.network import Head, Network


def network(n: int, classes: int = 10) -> Network:
    return Network((), Head(np.zeros((classes, n)), np.zeros(classes)))


NOTHING = ["", "nothing", "x" * 5000, "x" * 5000 + ":1", "nothing:3", ":", ":3", "/", "mnist17", "\0"]


@pytest.mark.parametrize("source", NOTHING)
def test_sources_that_are_nothing(source: str) -> None:
    for read in (read_samples, read_input):
        with pytest.raises(BadSample, match="expected a data set"):
            read(source, network(6))


@pytest.mark.parametrize("source", ["", ":", ":3"])
def test_a_source_without_a_name_is_quoted(source: str) -> None:
    with pytest.raises(BadSample, match=f"got {source!r}$"):
        read_samples(source, network(6))


@pytest.mark.parametrize("source", ["digits", "mnist", "mnist-test", "mnist-train"])
def test_a_data_set_is_not_one_input(source: str, tmp_path: Path) -> None:
    """Said before anything is loaded: there are no files to load."""
    with pytest.raises(BadSample, match=f"name one by its index, as in {source}:17$"):
        read_input(source, network(64), data_dir=tmp_path)


@pytest.mark.parametrize("chosen", ["3,3", "0-5,5", "1,0-2"])
def test_indices_named_twice(chosen: str) -> None:
    with pytest.raises(BadSample, match=r"digits: expected each index once, got [135] more than once in"):
        read_samples(f"digits:{chosen}", network(64))


def test_labels_beyond_the_classes(tmp_path: Path) -> None:
    with pytest.raises(BadSample, match="digits: labels must be between 0 and 4, got 5"):
        read_samples("digits:0-5", network(64, classes=5))
    assert len(read_samples("digits:0-4", network(64, classes=5))) == 5
    for label in (99, -1):
        np.savez(tmp_path / "x.npz", x=np.eye(6), y=np.array([0, 1, 2, 3, 4, label]))
        with pytest.raises(BadSample, match=f"x.npz: labels must be between 0 and 9, got {label}"):
            read_samples(str(tmp_path / "x.npz"), network(6))
        assert len(read_samples(f"{tmp_path / 'x.npz'}:0-4", network(6))) == 5


def test_an_input_needs_no_label_that_fits() -> None:
    np.testing.assert_array_equal(read_input("digits:5", network(64, classes=2)), digits().bits[5])


@pytest.mark.parametrize(
    ("words", "positions"),
    [("0,5,2", [0, 2, 5]), ("0-3", [0, 1, 2, 3]), ("0-2,5", [0, 1, 2, 5]), ("5-5, 1", [1, 5]), ("0-3,2-4", [0, 1, 2, 3, 4])],
)
def test_free_positions_are_numbers_and_ranges(words: str, positions: list[int], tmp_path: Path) -> None:
    assert np.flatnonzero(read_positions(words, 6)).tolist() == positions
    (tmp_path / "free.txt").write_text(words.replace(",", "\n"))
    assert np.flatnonzero(read_positions(str(tmp_path / "free.txt"), 6)).tolist() == positions


def test_all_positions_by_name_and_by_range() -> None:
    assert read_positions(",".join(map(str, range(784))), 784).all()
    assert read_positions("0-783", 784).all()


def test_an_empty_list_of_free_positions(tmp_path: Path) -> None:
    assert not read_positions("", 6).any()
    (tmp_path / "free.txt").touch()
    with pytest.raises(BadQuery, match="free positions: expected numbers like 9"):
        read_positions(str(tmp_path / "free.txt"), 6)


def test_free_positions_in_a_file_of_rows(tmp_path: Path) -> None:
    (tmp_path / "free.txt").write_text("4 14\n17, 0\n")
    assert np.flatnonzero(read_positions(str(tmp_path / "free.txt"), 20)).tolist() == [0, 4, 14, 17]


@pytest.mark.parametrize(
    "words", ["6", "-1", " ", ",", "a,b", "1.5", ".", "9" * 40, "0-6", "0-999999999999999", "3-1", "1-", "-", "1--2", "1-2-3"]
)
def test_free_positions_that_are_none(words: str) -> None:
    with pytest.raises(BadQuery, match="free positions"):
        read_positions(words, 6)
