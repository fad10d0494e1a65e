"""Inputs by name: data sets, files and literal bits."""

import gzip
import struct

import numpy as np
import pytest

from bnnverify.data.pictures import digits_coding, resized
from bnnverify.data.samples import digits, read_input, read_pixels, read_samples
from bnnverify.errors import BadSample
from bnnverify.model.coding import InputCoding
from bnnverify.model.network import Head, Network
from tests.support.requirements import DATA, needs_data


def network(n, coding=None):
    return Network((), Head(np.zeros((10, n)), np.zeros(10)), coding)


def coded(side, threshold=34):
    return network(side * side, InputCoding(np.full(side * side, threshold), shape=(side, side)))


SIX = network(6)


def write_idx(folder, part, pictures, labels, packed=False):
    images = struct.pack(">4i", 2051, *pictures.shape) + pictures.tobytes()
    marks = struct.pack(">2i", 2049, len(labels)) + bytes(labels)
    for name, raw in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", marks)):
        (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(raw) if packed else raw)


def test_embedded_digits():
    samples = digits()
    assert samples.bits.shape == (1797, 64)
    assert set(np.unique(samples.bits)) == {0, 1}
    # class sizes as the data set's own description lists them
    assert np.bincount(samples.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert samples.indices[17] == 17


def test_digits_equal_scikit_learn():
    source = pytest.importorskip("sklearn.datasets", reason="needs the optional package scikit-learn").load_digits()
    np.testing.assert_array_equal(digits().bits, source.data >= 8)
    np.testing.assert_array_equal(digits().labels, source.target)


@pytest.mark.parametrize("model", [network(64), network(64, digits_coding())])
def test_digits_by_index_range_and_limit(model):
    np.testing.assert_array_equal(read_input("digits:17", model), digits().bits[17])
    part = read_samples("digits:0-99", model)
    assert (len(part), part.indices[-1], part.labels[99]) == (100, 99, digits().labels[99])
    assert read_samples("digits:5,3,1700-1702", model).indices == (5, 3, 1700, 1701, 1702)
    assert read_samples("digits", model, limit=7).indices == tuple(range(7))
    assert len(read_samples("digits", model)) == 1797


@pytest.mark.parametrize("chosen", ["1797", "-1", "x", "", "3-2", "1,,2", "0-1797", "9" * 30])
def test_indices_that_do_not_exist(chosen):
    with pytest.raises(BadSample, match=r"^digits: expected ind"):
        read_samples(f"digits:{chosen}", network(64))


def test_digits_for_another_model():
    with pytest.raises(BadSample, match=r"digits: expected a model that defines how pictures become its 6 bits"):
        read_samples("digits", SIX)
    with pytest.raises(BadSample, match=r"digits: expected grey values 0..255.*got 0..16"):
        read_samples("digits", coded(8))
    small = network(16, InputCoding(np.full(16, 8), shape=(4, 4), maximum=16))
    assert read_input("digits:0", small).shape == (16,)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("folder", [".", "mnist"])
def test_mnist_files(tmp_path, packed, folder):
    pictures = np.arange(3 * 28 * 28, dtype=np.int64).reshape(3, 28, 28).astype(np.uint8)
    (tmp_path / folder).mkdir(exist_ok=True)
    write_idx(tmp_path / folder, "t10k", pictures, [7, 8, 9], packed)
    write_idx(tmp_path / folder, "train", pictures[:2], [1, 2], packed)
    samples = read_samples("mnist", coded(28), data_dir=tmp_path)
    np.testing.assert_array_equal(samples.bits, pictures.reshape(3, -1) >= 34)
    assert samples.labels.tolist() == [7, 8, 9]
    assert read_samples("mnist-train:1", coded(28), data_dir=str(tmp_path)).labels.tolist() == [2]


def test_mnist_files_in_the_folder_of_the_environment(tmp_path, monkeypatch):
    """As the error says, and as the command line does; a folder that is given comes first."""
    pictures = np.zeros((2, 28, 28), dtype=np.uint8)
    pictures[1] = 255
    (tmp_path / "named").mkdir()
    (tmp_path / "given").mkdir()
    write_idx(tmp_path / "named", "t10k", pictures, [7, 8])
    write_idx(tmp_path / "given", "t10k", pictures[::-1], [1, 2])
    monkeypatch.setenv("BNNVERIFY_DATA", str(tmp_path / "named"))
    assert read_input("mnist:1", coded(28)).all()
    assert read_pixels("mnist:1", coded(28)).tolist() == [255] * 784
    assert read_samples("mnist", coded(28)).labels.tolist() == [7, 8]
    assert not read_input("mnist:1", coded(28), data_dir=tmp_path / "given").any()
    monkeypatch.setenv("BNNVERIFY_DATA", "")  # set to nothing: as if it was not set
    with pytest.raises(BadSample, match="expected a data folder"):
        read_input("mnist:1", coded(28))


def test_mnist_without_its_files(tmp_path, monkeypatch):
    monkeypatch.delenv("BNNVERIFY_DATA", raising=False)
    with pytest.raises(BadSample, match="expected a data folder"):
        read_samples("mnist", coded(28))
    with pytest.raises(BadSample, match="expected t10k-images-idx3-ubyte"):
        read_samples("mnist", coded(28), data_dir=tmp_path)
    write_idx(tmp_path, "t10k", np.zeros((1, 28, 28), dtype=np.uint8), [1])
    with pytest.raises(BadSample, match="expected a model that defines how pictures become its 784 bits"):
        read_samples("mnist", network(784), data_dir=tmp_path)


def test_damaged_mnist_files(tmp_path):
    images, labels = tmp_path / "t10k-images-idx3-ubyte.gz", tmp_path / "t10k-labels-idx1-ubyte"
    write_idx(tmp_path, "t10k", np.zeros((2, 28, 28), dtype=np.uint8), [1, 2], packed=True)
    data = images.read_bytes()
    raw = gzip.decompress(data)
    for broken, sentence in [
        (data[:-9], "expected a complete readable idx file"),
        (b"no gzip at all", "expected a complete readable idx file"),
        (gzip.compress(raw[:7]), "expected a header of 16 bytes, got 7"),
        (gzip.compress(b"\0\0\x08\x01" + raw[4:]), "expected magic number 2051, got 2049"),
        (gzip.compress(raw[:-1]), "expected 1568 bytes of data for shape"),
        (gzip.compress(raw + b"x"), "expected 1568 bytes"),
        (gzip.compress(raw[:4] + b"\xff" * 12), "expected 79228162458924105385300197375 bytes"),
    ]:
        images.write_bytes(broken)
        with pytest.raises(BadSample, match=sentence):
            read_samples("mnist", coded(28), data_dir=tmp_path)
    images.write_bytes(data)
    labels.write_bytes(struct.pack(">2i", 2049, 1) + b"\1")
    with pytest.raises(BadSample, match="expected as many labels as pictures, got 1 for 2"):
        read_samples("mnist", coded(28), data_dir=tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        *("0 1 1 0 1 0", "0,1,1,0,1,0\n", "-1 1 +1 -1 1 -1", "0.0, 1.0, 1,0,1,0", "011010\n"),
        *("0 1 1\n0 1 0\n", "0\n1\n1\n0\n1\n0\n", "011\n010"),
    ],
)
def test_one_input_as_text(tmp_path, text):
    file = tmp_path / "input.txt"
    file.write_text(text)
    assert read_input(str(file), SIX).tolist() == [0, 1, 1, 0, 1, 0]


def test_many_inputs_as_text(tmp_path):
    file = tmp_path / "inputs.txt"
    file.write_text("1 0 0 0 0 0\n\n-1 -1 -1 1 1 1\n000000\n")
    samples = read_samples(str(file), SIX)
    assert samples.bits.tolist() == [[1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0] * 6]
    assert (samples.labels, samples.name) == (None, "inputs.txt")
    assert read_input(f"{file}:1", SIX).tolist() == [0, 0, 0, 1, 1, 1]
    with pytest.raises(BadSample, match="expected one input, got 3"):
        read_input(str(file), SIX)


def test_literal_bits():
    assert read_input("011010", SIX).tolist() == [0, 1, 1, 0, 1, 0]
    assert read_input("1" * 80, network(80)).sum() == 80
    assert read_input("01" * 392, network(784)).sum() == 392  # longer than any file's name may be
    with pytest.raises(BadSample, match="expected 6 bits, got 5"):
        read_input("01101", SIX)


@pytest.mark.parametrize("end", ["npy", "npz"])
def test_numpy_files(tmp_path, end):
    file = tmp_path / f"x.{end}"
    rows = np.array([[0, 1, 1, 0, 1, 0], [1, 1, 1, 1, 1, 1]])
    for values in (rows, rows == 1, (2 * rows - 1).astype(np.float32), rows.reshape(2, 2, 3)):
        np.save(file, values) if end == "npy" else np.savez(file, x=values)
        np.testing.assert_array_equal(read_samples(str(file), SIX).bits, rows)
    np.save(file, rows[0]) if end == "npy" else np.savez(file, x=rows[0])
    np.testing.assert_array_equal(read_input(str(file), SIX), rows[0])


def test_labels_beside_the_inputs(tmp_path):
    file = tmp_path / "x.npz"
    np.savez(file, bits=np.eye(6), y=np.arange(6))
    assert read_samples(f"{file}:2-3", SIX).labels.tolist() == [2, 3]
    x, y = np.eye(6), np.arange(5)
    for arrays in ({"x": x, "y": y}, {"x": x, "y": x}, {"x": x, "z": 1}, {"y": y}):
        np.savez(file, **arrays)
        with pytest.raises(BadSample, match="expected"):
            read_samples(str(file), SIX)


def test_grey_values_go_through_the_coding(tmp_path):
    file = tmp_path / "x.npy"
    pictures = np.random.default_rng(1).integers(0, 256, (4, 3, 3))
    for values in (pictures, pictures.reshape(4, 9), pictures.astype(np.float64)):
        np.save(file, values)
        np.testing.assert_array_equal(read_samples(str(file), coded(3)).bits, pictures.reshape(4, 9) >= 34)
    np.save(file, pictures[0])
    np.testing.assert_array_equal(read_input(str(file), coded(3)), pictures[0].ravel() >= 34)
    with pytest.raises(BadSample, match="the model has no input coding"):
        read_input(str(file), network(9))


@pytest.mark.parametrize("value", [256, -2, 0.5, np.nan, np.inf])
def test_values_that_are_neither_bits_nor_grey(tmp_path, value):
    file = tmp_path / "x.npy"
    np.save(file, np.full((2, 9), value))
    with pytest.raises(BadSample, match="expected bits"):
        read_samples(str(file), coded(3))


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"hello", b"\xff\xfe\xfa"),
        *(b"0 1 2 0 1 0", b"0 1", b"0 1 1 0 1 nan", b"0 1 0\n1 1", b"0110 1"),
    ],
)
def test_files_that_are_no_inputs(tmp_path, raw):
    file = tmp_path / "x"
    file.write_bytes(raw)
    with pytest.raises(BadSample, match="expected"):
        read_samples(str(file), SIX)


def test_pickled_arrays_are_not_opened(tmp_path):
    file = tmp_path / "x.npy"
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(BadSample, match="without pickled objects"):
        read_samples(str(file), SIX)


def test_limit_must_be_positive():
    with pytest.raises(BadSample, match="limit"):
        read_samples("digits", network(64), limit=0)


def test_a_picture_of_the_right_size_is_left_alone():
    pictures = np.random.default_rng(0).integers(0, 256, (2, 5, 5)).astype(np.uint8)
    assert resized(pictures, (5, 5)) is pictures
    assert resized(pictures, (2, 3)).shape == (2, 2, 3)


BENCHMARK = dict(enumerate([884, 647, 690, 753, 712, 856, 886, 756, 872, 758]))


@needs_data
@pytest.mark.parametrize("n", [64, 100, 400, 784])
def test_benchmark_inputs_are_mnist_test_images(n):
    """The data folder's notes: instance_K shows digit K and is this test image; instance_IDn is test image n."""
    model = coded(int(n**0.5))
    folder = DATA / "bnnquanalyst-csv" / "inputs"
    indices = {folder / f"instance_{k}_{n}.txt": i for k, i in BENCHMARK.items()}
    indices |= {file: int(file.name.split("_")[1][2:]) for file in folder.glob(f"instance_ID*_{n}.txt")}
    assert len(indices) > 25
    samples = read_samples("mnist:" + ",".join(map(str, indices.values())), model, data_dir=DATA)
    for file, bits in zip(indices, samples.bits, strict=True):
        np.testing.assert_array_equal(read_input(str(file), model), bits)
    assert samples.labels[:10].tolist() == list(range(10))


@needs_data
def test_published_concrete_input_is_test_image_6677():
    file = DATA / "npaq-models" / "mnist-100-bnn_1blk_100-perturb_2-id_0.txt"
    np.testing.assert_array_equal(read_input(str(file), coded(10)), read_input("mnist:6677", coded(10), data_dir=DATA))
    assert read_samples("mnist:6677", coded(10), data_dir=DATA).labels.tolist() == [2]
