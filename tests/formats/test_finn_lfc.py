"""The packed LFC network: bits and padding as published, accuracy on MNIST, and one sentence for each kind of damage."""

import gzip
import io
import re
import tarfile

import numpy as np
import pytest

from bnnverify.data.samples import read_samples
from bnnverify.errors import BadModel
from bnnverify.formats import lfc, load
from bnnverify.formats.lfc import Packed, Shape
from tests.support.requirements import DATA, needs_data

PUBLISHED = DATA / "finn-lfc-packed" / "lfcW1A1-mnist.tar.gz"
SMALL = (Shape(4, 832, 2, 64), Shape(16, 4, 4, 2))


@pytest.fixture
def small(monkeypatch):
    """Two layers instead of four: 784 pixels, 4 neurons, 10 classes of 16."""
    monkeypatch.setattr(lfc, "SHAPES", SMALL)


def small_files(seed=0):
    random, files = np.random.default_rng(seed), {}
    for number, shape in enumerate(SMALL):
        rows = shape.neurons // shape.elements
        for p in range(shape.elements):
            bits = random.integers(0, 2, (rows, shape.words, 64), dtype=np.uint8)
            bits[:, :, shape.used :] = 0
            first = p + shape.elements * np.arange(rows)
            thresholds = np.where(first < 10, shape.inputs // 2, 32767) if number else np.full(rows, 416)
            files[f"{number}-{p}-weights.bin"] = np.packbits(bits, axis=2, bitorder="little").tobytes()
            files[f"{number}-{p}-thres.bin"] = thresholds.astype("<i8").tobytes()
    return files


def pack(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"lfcW1A1/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def bit_by_bit(files, pixels):
    """The ten bits, bit by bit as the format says: slowly, with Python's own whole numbers."""
    seen = [*pixels.tolist(), *[0] * 48]
    for number, shape in enumerate(SMALL):
        out = [0] * shape.neurons
        for p in range(shape.elements):
            words = np.frombuffer(files[f"{number}-{p}-weights.bin"], "<u8").tolist()
            for f, threshold in enumerate(np.frombuffer(files[f"{number}-{p}-thres.bin"], "<i8").tolist()):
                mine = words[f * shape.words : (f + 1) * shape.words]
                weights = [mine[i // shape.used] >> (i % shape.used) & 1 for i in range(shape.inputs)]
                matches = sum(a == b for a, b in zip(weights, seen, strict=True))
                out[p + shape.elements * f] = int(matches > threshold)
        seen = out
    return seen[:10]


@pytest.mark.usefixtures("small")
def test_packed_words_are_read_as_published(tmp_path):
    files = small_files()
    network = load(pack(tmp_path / "net.tar.gz", files))
    assert (network.name, network.widths, network.coding.shape) == ("net", (784, 4, 10, 10), (28, 28))
    assert set(network.coding.thresholds.tolist()) == {128}
    seen = set()
    for seed in range(30):
        pixels = np.random.default_rng(seed).integers(0, 2, 784)
        bits = bit_by_bit(files, pixels)
        assert network.prefix(2)(pixels).tolist() == bits
        assert network(pixels) == (bits.index(1) if 1 in bits else 0)
        seen.add(tuple(bits))
    assert len(seen) > 3


@pytest.mark.usefixtures("small")
def test_a_folder_is_the_same_network(tmp_path):
    files = small_files(1)
    packed = load(pack(tmp_path / "net.tar.gz", files))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert load(tmp_path).sha256 == packed.sha256


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"0-1-thres.bin": None}, "expected the file 0-1-thres.bin of LFC-W1A1, which is missing"),
        ({"1-3-weights.bin": b"123"}, "1-3-weights.bin: expected 8 words of 8 bytes, got 3 bytes"),
        ({"1-3-weights.bin": b"\xff" * 64}, "layer 1: expected words of 2 bits, got more"),
        ({"1-3-thres.bin": bytes(32)}, "expected outputs from 10 on that are never 1"),
        ({"big.bin": bytes(2**17)}, "'lfcW1A1/big.bin': expected at most 65536 bytes, got 131072"),
        ({f"{k}.txt": b"" for k in range(1100)}, "expected an archive of at most 1024 files"),
    ],
)
def test_bad_archives(tmp_path, change, sentence):
    files = {**small_files(), **change}
    pack(tmp_path / "net", {name: content for name, content in files.items() if content is not None})
    with pytest.raises(BadModel, match=re.escape(sentence)):
        load(tmp_path / "net")


@pytest.mark.usefixtures("small")
def test_truncated_and_other_archives(tmp_path):
    data = pack(tmp_path / "net", small_files()).read_bytes()
    for content in [*(data[:length] for length in range(2, len(data) - 200, 97)), gzip.compress(b"no tar"), gzip.compress(b"")]:
        (tmp_path / "net").write_bytes(content)
        with pytest.raises(BadModel, match="expected") as caught:
            load(tmp_path / "net")
        assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("small")
def test_an_archive_without_its_end_is_refused(tmp_path):
    """The last 8 bytes are the checksum and size of what was packed."""
    data = pack(tmp_path / "net", small_files()).read_bytes()
    for content in [*(data[:-lost] for lost in (1, 4, 8, 10, 50, 200)), data[:-8] + bytes(8)]:
        (tmp_path / "net").write_bytes(content)
        with pytest.raises(BadModel, match="got a truncated or other file"):
            load(tmp_path / "net")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["9-9-weights.bin", "0-2-thres.bin", "100-0-weights.bin", "00-0-weights.bin"])
def test_a_layer_too_many_is_refused(tmp_path, name):
    files = {**small_files(), name: bytes(64)}
    for path in (pack(tmp_path / "net", files), tmp_path):
        for content in files if path is tmp_path else ():
            (tmp_path / content).write_bytes(files[content])
        with pytest.raises(BadModel, match=f"expected 2 layers of 2, 4 processing elements, got the file {name}"):
            load(path)


@pytest.mark.usefixtures("small")
def test_two_files_of_one_name_are_refused(tmp_path):
    pack(tmp_path / "net", {**small_files(), "copy/0-0-thres.bin": bytes(16)})
    with pytest.raises(BadModel, match=r"0-0-thres\.bin: expected one file of this name, got several"):
        load(tmp_path / "net")


@pytest.mark.usefixtures("small")
def test_an_archive_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(lfc, "LARGEST", 2**20)
    (tmp_path / "net").write_bytes(gzip.compress(bytes(2**20 + 1)))
    with pytest.raises(BadModel, match="an archive of at most 1048576 bytes, got more"):
        load(tmp_path / "net")


@pytest.mark.usefixtures("small")
def test_a_bound_that_is_one_off_is_refused(tmp_path, monkeypatch):
    fires = Packed.fires
    monkeypatch.setattr(Packed, "fires", lambda layer, bits: fires(Packed(layer.shape, layer.words, layer.thresholds + 1), bits))
    with pytest.raises(BadModel, match="block 0: expected the counts of packed words"):
        load(pack(tmp_path / "net", small_files()))


@needs_data
@pytest.mark.slow
def test_lfc_on_mnist():
    """Its README: the first set bit is the class for 98.32 %, exactly one bit is set for 99.74 %."""
    network = load(PUBLISHED)
    assert network.widths == (784, 1024, 1024, 1024, 10, 10)
    samples = read_samples("mnist", network, data_dir=DATA)
    bits = network.prefix(4)(samples.bits)
    assert (bits.sum(axis=1) == 1).mean() == pytest.approx(0.9974, abs=1e-12)
    assert (network(samples.bits) == samples.labels).mean() == pytest.approx(0.9832, abs=1e-12)
