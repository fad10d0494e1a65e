"""The bit-packed network LFC-W1A1 for MNIST of Xilinx BNN-PYNQ: 784-1024-1024-1024-10, as a folder or a .tar.gz of it.

Files L-P-weights.bin and L-P-thres.bin: layer L, processing element P, little-endian 64-bit words. A neuron counts its matches
(XNOR, then population count) and is 1 exactly when there are more than its threshold. So are the ten outputs; the hardware
puts out those ten bits, and the class is the first that is 1.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadModel
from bnnverify.formats.arrays import DAMAGE, reason
from bnnverify.formats.signature import Format, Signature
from bnnverify.formats.trained import TRIAL_INPUTS
from bnnverify.model.arrays import Bits, Integers
from bnnverify.model.coding import InputCoding
from bnnverify.model.network import Block, Head, Network

Words = NDArray[np.uint64]
Files = dict[str, bytes]

WORD = 8  # bytes
LARGEST_FILE, MOST_FILES = 2**16, 2**10
LARGEST = LARGEST_FILE * MOST_FILES  # of an archive, unpacked
FIRST_ON = 128  # pixel bytes from here on are 1
SHAPE = (28, 28)
CLASSES = 10
PARTS = ("weights", "thres")
BATCH = 500
COMPARED = TRIAL_INPUTS + 2
NAME = re.compile(r"(?:.*/)?([0-9]+-[0-9]+-(?:weights|thres)\.bin)")


@dataclass(frozen=True)
class Shape:
    """How a layer is laid out: neurons and inputs (padding included), processing elements, and bits used of each word."""

    neurons: int
    inputs: int
    elements: int
    used: int

    @property
    def words(self) -> int:
        """Return the words of one neuron."""
        return self.inputs // self.used


SHAPES = (Shape(1024, 832, 32, 64), Shape(1024, 1024, 64, 32), Shape(1024, 1024, 32, 64), Shape(64, 1024, 16, 8))


@dataclass(frozen=True, eq=False)
class Packed:
    """A layer as published. words: (neurons, words), thresholds: (neurons,), both in the order of the neurons."""

    shape: Shape
    words: Words
    thresholds: Integers

    @property
    def bits(self) -> Bits:
        """Return the weight bits: (neurons, inputs)."""
        bits = np.unpackbits(self.words.astype("<u8").view(np.uint8), axis=1, bitorder="little")
        return bits.reshape(-1, self.shape.words, 64)[:, :, : self.shape.used].reshape(self.shape.neurons, self.shape.inputs)

    def fires(self, bits: Bits) -> Bits:
        """Return the outputs of the hardware, computed word by word: (N, inputs) to (N, neurons)."""
        padded = np.zeros((len(bits), self.shape.words, 64), dtype=np.uint8)
        padded[:, :, : self.shape.used] = bits.reshape(len(bits), self.shape.words, self.shape.used)
        words = np.packbits(padded, axis=2, bitorder="little").view("<u8")[:, :, 0].astype(np.uint64)
        mask = np.uint64(2**self.shape.used - 1)
        equal = np.zeros((len(bits), self.shape.neurons), dtype=np.int64)
        for w in range(self.shape.words):
            equal += np.bitwise_count(~(words[:, w, None] ^ self.words[:, w]) & mask)
        return (equal > self.thresholds).astype(np.uint8)


def matches(signature: Signature) -> bool:
    """Return whether this is a folder of packed layers, or a gzip file."""
    return "0-0-weights.bin" in signature.names if signature.folder else signature.start.startswith(b"\x1f\x8b")


def read(path: Path) -> Network:
    """Return the network of a folder or a packed archive; nothing is written anywhere. Raises BadModel."""
    files = _folder(path) if path.is_dir() else _archive(path)
    layers = [_layer(files, number, shape) for number, shape in enumerate(SHAPES)]
    blocks, width = [], SHAPE[0] * SHAPE[1]
    for layer in layers:
        outputs = CLASSES if layer is layers[-1] else layer.shape.neurons
        blocks.append(_block(layer, outputs, width))
        width = outputs
    head = Head(np.eye(CLASSES, dtype=np.int64), np.zeros(CLASSES, dtype=np.int64))
    coding = InputCoding(np.full(SHAPE[0] * SHAPE[1], FIRST_ON), shape=SHAPE)
    network = Network(tuple(blocks), head, coding, name=path.name.removesuffix(".gz").removesuffix(".tar"), notes=NOTES)
    _compare(network, layers)
    return network


def _folder(path: Path) -> Files:
    files: Files = {}
    try:
        for entry in path.iterdir():
            if _layer_file(entry.name) and entry.is_file():
                with entry.open("rb") as file:
                    files[entry.name] = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise BadModel(f"expected a folder of packed layers, got: {error.strerror or error}") from error
    return files


def _archive(path: Path) -> Files:
    files: Files = {}
    try:
        with gzip.open(path) as stream:
            data = stream.read(LARGEST + 1)  # to its end, where the checksum is
        if len(data) > LARGEST:
            raise BadModel(f"expected an archive of at most {LARGEST} bytes, got more")
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for number, member in enumerate(archive):
                if number >= MOST_FILES:
                    raise BadModel(f"expected an archive of at most {MOST_FILES} files, got more")
                if member.size > LARGEST_FILE:
                    raise BadModel(f"{member.name[:80]!r}: expected at most {LARGEST_FILE} bytes, got {member.size}")
                name = _layer_file(member.name)
                if name in files:
                    raise BadModel(f"{name}: expected one file of this name, got several")
                if name and member.isfile() and (file := archive.extractfile(member)):
                    files[name] = file.read()
    except BadModel:
        raise
    except (tarfile.TarError, *DAMAGE) as error:
        raise BadModel(f"expected a .tar.gz of packed layers, got a truncated or other file ({reason(error)})") from error
    return files


def _layer_file(name: str) -> str:
    """Return the name of a layer's file without its folders, nothing for other files; a layer that is not ours is refused."""
    found = NAME.fullmatch(name)
    known = {f"{layer}-{p}-{part}.bin" for layer, shape in enumerate(SHAPES) for p in range(shape.elements) for part in PARTS}
    if found and found[1] not in known:
        sizes = ", ".join(str(shape.elements) for shape in SHAPES)
        raise BadModel(f"expected {len(SHAPES)} layers of {sizes} processing elements, got the file {found[1][:40]}")
    return found[1] if found else ""


def _layer(files: Files, number: int, shape: Shape) -> Packed:
    """Return a layer with its neurons in order: number P + elements * f is row f of element P."""
    rows = shape.neurons // shape.elements
    words = [_words(files, f"{number}-{p}-weights.bin", rows * shape.words).reshape(rows, -1) for p in range(shape.elements)]
    thresholds = [_words(files, f"{number}-{p}-thres.bin", rows) for p in range(shape.elements)]
    packed = np.stack(words, axis=1).reshape(shape.neurons, shape.words)
    if np.any(packed & ~np.uint64(2**shape.used - 1)):
        raise BadModel(f"layer {number}: expected words of {shape.used} bits, got more")
    return Packed(shape, packed, np.stack(thresholds, axis=1).ravel().astype(np.int64))


def _words(files: Files, name: str, count: int) -> Words:
    if name not in files:
        raise BadModel(f"expected the file {name} of LFC-W1A1, which is missing")
    if len(files[name]) != count * WORD:
        raise BadModel(f"{name}: expected {count} words of {WORD} bytes, got {len(files[name])} bytes")
    return np.frombuffer(files[name], dtype="<u8").astype(np.uint64)


def _block(layer: Packed, outputs: int, inputs: int) -> Block:
    """Return the block without padding, whose inputs are always 0.

    Matches are the sum of (2w - 1) x plus the number of 0s among the weight bits w, padding included.
    """
    bits = layer.bits[:outputs].astype(np.int64)
    return Block(2 * bits[:, :inputs] - 1, layer.thresholds[:outputs] + 1 - (1 - bits).sum(axis=1))


def _compare(network: Network, layers: list[Packed]) -> None:
    """Raise BadModel unless every block equals the counting of matches on packed words, padding included."""
    random = np.random.default_rng(0)
    for _ in range(TRIAL_INPUTS // BATCH):
        noise = random.random((BATCH, network.inputs)) < random.random((BATCH, 1))
        _compare_on(noise.astype(np.uint8), network, layers)
    _compare_on(np.repeat([[0], [1]], network.inputs, axis=1).astype(np.uint8), network, layers)


def _compare_on(inputs: Bits, network: Network, layers: list[Packed]) -> None:
    ours = theirs = inputs
    for number, (block, layer) in enumerate(zip(network.blocks, layers, strict=True)):
        padding = np.zeros((len(theirs), layer.shape.inputs - theirs.shape[1]), dtype=np.uint8)
        ours, theirs = block(ours), layer.fires(np.hstack([theirs, padding]))
        differing = int(np.any(ours != theirs[:, : block.outputs], axis=1).sum())
        if differing:
            raise BadModel(
                f"block {number}: expected the counts of packed words, got {differing} different answers in {len(ours)}"
            )
    if np.any(theirs[:, CLASSES:]):
        raise BadModel(f"layer {len(layers) - 1}: expected outputs from {CLASSES} on that are never 1, got others")


NOTES = (
    f"Equal to XNOR and population count on the packed words, padding included, on {COMPARED} inputs: every block's bits.",
    "A neuron is 1 exactly when its matches are more than its threshold, so there is no sign of 0.",
    "The network hands out ten bits; the class is the first that is 1, and 0 where none is.",
)
FORMAT = Format("packed LFC-W1A1 (folder or .tar.gz)", matches, read)
