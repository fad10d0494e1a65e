"""The native format and the registry: round trips, and one clear sentence for what is no model."""

import io
import os
import re
import zipfile
from contextlib import suppress

import numpy as np
import pytest

from bnnverify.data.samples import digits, read_input
from bnnverify.errors import BadModel, BadSample
from bnnverify.formats import load, save
from bnnverify.formats.mnist_coding import mnist_coding
from bnnverify.model.coding import InputCoding
from bnnverify.model.network import Block, Head, Network
from tests.support.enumerated import every_input
from tests.support.misbehaving import Trap

RECORD = {"arm": "bin_enc", "seed": 3, "accuracy": [[1, 2], [3, 4]], "why": None}


def small():
    blocks = (Block([[1, -1, 2], [0, 3, -1]], [1, 0]), Block([[1, 1], [1, -1], [0, 0]], [1, 0, 1]))
    coding = InputCoding([1, 128, 256], shape=(1, 3))
    head = Head([[1, -1, 0], [0, 1, 5]], [0, -2], [1, 0])
    return Network(blocks, head, coding, name="small", notes=("a note", "ein Satz: ±1"), record=RECORD)


def same(one, other):
    assert one.sha256 == other.sha256
    assert (one.name, one.notes, one.record, one.widths) == (other.name, other.notes, other.record, other.widths)
    np.testing.assert_array_equal(one(every_input(one.inputs)), other(every_input(one.inputs)))


@pytest.mark.parametrize(
    "network",
    [
        small(),
        small().prefix(1),
        small().tail(2),
        Network((), Head([[1, 2]], [0]), InputCoding([3, 4], maximum=9)),
        Network((Block(np.zeros((0, 2)), np.zeros(0)),), Head(np.zeros((1, 0)), [0])),
        Network((), Head([[2**40, -(2**40)]], [2**60 - 1])),
    ],
)
def test_native_round_trip(tmp_path, network):
    file = tmp_path / "any name"
    save(network, file)
    same(load(file), network)
    assert [entry.name for entry in tmp_path.iterdir()] == ["any name"]


def test_saving_replaces_the_file_or_nothing(tmp_path, monkeypatch):
    file = tmp_path / "model.npz"
    save(small(), file)

    def full(*_args, **_arrays):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(BadModel, match="No space left on device"):
        save(small().prefix(1), file)
    same(load(file), small())
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.undo()
    save(small().prefix(1), file)
    same(load(file), small().prefix(1))


def test_saving_where_nothing_can_be_written(tmp_path):
    with pytest.raises(BadModel, match="expected a place to write"):
        save(small(), tmp_path / "no" / "such" / "folder.npz")


def test_a_truncated_file_is_refused(tmp_path):
    file = tmp_path / "model.npz"
    save(small(), file)
    data = file.read_bytes()
    for length in range(0, len(data), 37):
        file.write_bytes(data[:length])
        with pytest.raises(BadModel, match="expected"):
            load(file)


def test_a_damaged_byte_is_refused_or_harmless(tmp_path):
    file = tmp_path / "model.npz"
    save(small(), file)
    data = file.read_bytes()
    for place in range(0, len(data), 5):
        file.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        with suppress(BadModel):  # nothing else may be raised, and nothing else may be read
            assert load(file).sha256 == small().sha256


@pytest.mark.parametrize("letter", ["(", "{", "'", '"', "\\", "\n", "\0", "é"])
def test_a_damaged_header_of_an_array_is_refused(tmp_path, letter):
    """numpy reads headers with Python's own tokenizer, whose complaint is an error of its own kind."""
    array = io.BytesIO()
    np.save(array, np.zeros((2, 2)))
    raw = bytearray(array.getvalue())
    place = raw.find(b"'descr':") + 7
    raw[place : place + 1] = letter.encode("latin-1")
    (tmp_path / "x.npy").write_bytes(raw)
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("about.npy", raw)
    with pytest.raises(BadModel, match="damaged or unsafe"):
        load(tmp_path / "x.npz")
    for words in (tmp_path / "x.npy", f"{tmp_path / 'x.npz'}:0"):
        with pytest.raises(BadSample, match="damaged or unsafe"):
            read_input(str(words), small())


def changed(file, **arrays):
    with np.load(file) as old:
        others = {name: old[name] for name in old.files if name not in arrays}
    np.savez(file, **others, **{name: array for name, array in arrays.items() if array is not None})
    return file


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"block0.bounds": np.array([1, 1])}, "expected checksum"),
        ({"coding.thresholds": np.array([1, 1, 1])}, "expected checksum"),
        ({"block0.bounds": np.array([1, 1, 1])}, "expected 2 bounds"),
        ({"block0.weights": np.full((2, 3), np.nan)}, "got NaN"),
        ({"block0.weights": np.full((2, 3), 0.5)}, "expected whole numbers"),
        ({"block1.weights": np.zeros((3, 4))}, "expected 2 inputs, got 4"),
        ({"block0.bounds": None}, "expected the array block0.bounds"),
        ({"head.ranks": None}, "expected the array head.ranks"),
        ({"head.ranks": np.array([0, 0])}, "permutation"),
        ({"coding.shape": np.array([1, 2])}, "coding.shape"),
        ({"coding.shape": np.array([], dtype=int)}, "expected checksum"),
        ({"block9.weights": np.zeros((1, 1))}, "got also 'block9.weights'"),
        ({"about": np.array("{")}, "expected a description in JSON"),
        ({"about": np.array("[]")}, "expected the format 'bnnverify'"),
        ({"about": np.array(3)}, "expected the format 'bnnverify'"),
        ({"about": np.array('{"format": "bnnverify", "version": 2}')}, "expected version 1, got 2"),
        ({"about": np.array('{"format": "bnnverify", "version": 1, "sha256": 3, "name": "", "notes": []}')}, "as text"),
    ],
)
def test_a_changed_native_file_is_refused(tmp_path, arrays, sentence):
    file = tmp_path / "model.npz"
    save(small(), file)
    with pytest.raises(BadModel, match=re.escape(sentence)) as caught:
        load(changed(file, **arrays))
    assert str(caught.value).startswith(str(file))


def test_pickled_objects_in_a_native_file_are_refused(tmp_path):
    file = tmp_path / "model.npz"
    save(small(), file)
    changed(file, **{"head.offsets": np.array([Trap(tmp_path / "sprung")], dtype=object)})
    with pytest.raises(BadModel, match="damaged or unsafe"):
        load(file)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("raw", [b"", b"hello", b"PK\x03\x04 not a zip", b"\x93NUMPY", b"\x80\x02}q", b"\x80", b"\x00" * 100])
def test_files_that_are_no_models(tmp_path, raw):
    file = tmp_path / "model"
    file.write_bytes(raw)
    with pytest.raises(BadModel, match="expected") as caught:
        load(file)
    assert "\n" not in str(caught.value)


def test_paths_that_are_no_models(tmp_path):
    with pytest.raises(BadModel, match="nothing at this path"):
        load(tmp_path / "none")
    with pytest.raises(BadModel, match=r"a folder without blk1, out_blk or 0-0-weights\.bin"):
        load(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(BadModel, match="expected a"):
        load(tmp_path / "file" / "below")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadModel, match="something that is neither"):
        load(tmp_path / "pipe")


def test_an_unreadable_file(tmp_path, monkeypatch):
    file = tmp_path / "model.npz"
    save(small(), file)

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(file), "open", refuse)
    with pytest.raises(BadModel, match="Permission denied"):
        load(file)


def test_an_archive_of_another_kind(tmp_path):
    np.savez(tmp_path / "x.npz", weights=np.zeros(3))
    with pytest.raises(BadModel, match="expected a model"):
        load(tmp_path / "x.npz")


def test_mnist_coding_is_the_published_normalisation():
    grey = np.arange(256)
    bits = ((grey / 255 - 0.1307) / 0.3081) >= 0
    np.testing.assert_array_equal(bits, grey >= mnist_coding(100).thresholds[0])
    assert (mnist_coding(100).shape, mnist_coding(66)) == ((10, 10), None)


def test_a_network_on_the_embedded_digits_can_be_saved_and_read(tmp_path):
    network = Network((), Head(np.eye(10, 64), np.zeros(10)), name="eye")
    save(network, tmp_path / "eye.npz")
    np.testing.assert_array_equal(load(tmp_path / "eye.npz")(digits().bits), network(digits().bits))
