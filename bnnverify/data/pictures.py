"""Grey pictures: the embedded digits and the MNIST files, and their way through a model's input coding to bits."""

from __future__ import annotations

import gzip
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadSample
from bnnverify.model.arrays import Bits
from bnnverify.model.coding import InputCoding

Grey = NDArray[np.uint8]

VARIABLE = "BNNVERIFY_DATA"  # of the environment: the folder of data sets, unless a caller names one
IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049
DIGITS_SHAPE, DIGITS_MAXIMUM, DIGITS_THRESHOLD = (8, 8), 16, 8


@dataclass(frozen=True, eq=False)
class Pictures:
    """Grey pictures and their classes. pixels: (N, rows, columns) of 0..maximum, labels: (N,)."""

    pixels: Grey
    labels: Grey
    maximum: int
    name: str


def digit_pictures() -> Pictures:
    """Return the 1797 embedded 8x8 digits with grey values 0..16."""
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as arrays:
        return Pictures(arrays["x"], arrays["y"], DIGITS_MAXIMUM, "digits")


def digits_coding() -> InputCoding:
    """Return the coding of the embedded digits: a bit is 1 from grey value 8 of 16 on."""
    return InputCoding(np.full(64, DIGITS_THRESHOLD), shape=DIGITS_SHAPE, maximum=DIGITS_MAXIMUM)


def mnist_pictures(data_dir: Path | None, *, part: str = "t10k") -> Pictures:
    """Return the MNIST test set (part "t10k") or training set ("train") from idx files, packed with gzip or not.

    They are searched for in data_dir and data_dir/mnist; without data_dir, in the folder that the environment variable
    BNNVERIFY_DATA names, from Python as on the command line (nothing else below the command line reads the environment).
    Raises BadSample where they are missing, damaged or of another size.
    """
    name = "mnist" if part == "t10k" else "mnist-train"
    images = _idx(_find(data_dir, f"{part}-images-idx3-ubyte"), IMAGES_MAGIC)
    labels = _idx(_find(data_dir, f"{part}-labels-idx1-ubyte"), LABELS_MAGIC)
    if len(images) != len(labels):
        raise BadSample(f"{name}: expected as many labels as pictures, got {len(labels)} for {len(images)}")
    return Pictures(images, labels, 255, name)


def _find(data_dir: Path | None, name: str) -> Path:
    data_dir = data_dir or _folder_of_environment()
    if data_dir is None:
        raise BadSample(f"mnist: expected a data folder with the idx files (--data-dir or ${VARIABLE}), got none")
    places = [folder / f"{name}{end}" for folder in (data_dir, data_dir / "mnist") for end in ("", ".gz")]
    for place in places:
        if place.is_file():
            return place
    raise BadSample(f"mnist: expected {name} or {name}.gz in {data_dir} or {data_dir / 'mnist'}, found neither")


def _folder_of_environment() -> Path | None:
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


def _idx(path: Path, magic: int) -> Grey:
    """Return the bytes of an idx file in their stated shape."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise BadSample(f"{path}: expected a complete readable idx file, got: {error}") from error
    axes = 3 if magic == IMAGES_MAGIC else 1
    header = np.frombuffer(raw[: 4 + 4 * axes], dtype=np.uint8)
    if len(header) < 4 + 4 * axes:
        raise BadSample(f"{path}: expected a header of {4 + 4 * axes} bytes, got {len(header)}")
    found, *shape = header.view(">u4").tolist()
    if found != magic:
        raise BadSample(f"{path}: expected magic number {magic}, got {found}")
    size = int(np.prod(shape, dtype=object))
    if len(raw) != len(header) + size:
        raise BadSample(f"{path}: expected {size} bytes of data for shape {tuple(shape)}, got {len(raw) - len(header)}")
    return np.frombuffer(raw, dtype=np.uint8, offset=len(header)).reshape(shape)


def resized(pixels: Grey, shape: tuple[int, int]) -> Grey:
    """Return pictures (N, rows, columns) at another shape, by PIL's bilinear filter with antialiasing, rounded to bytes."""
    if pixels.shape[1:] == shape:
        return pixels
    from PIL import Image

    rows, columns = shape
    small = [np.asarray(Image.fromarray(picture).resize((columns, rows), Image.Resampling.BILINEAR)) for picture in pixels]
    return np.array(small, dtype=np.uint8).reshape(len(pixels), rows, columns)


def bits_of(pixels: Grey, maximum: int, coding: InputCoding) -> Bits:
    """Return the bits that coding makes of pictures (N, rows, columns) with values 0..maximum, resized where it has a shape."""
    return coding.bits(grey_of(pixels, maximum, coding))


def grey_of(pixels: Grey, maximum: int, coding: InputCoding) -> Grey:
    """Return the values that coding compares with its thresholds, pixel by pixel: (N, rows, columns) to (N, n)."""
    if maximum != coding.maximum:
        raise BadSample(f"expected grey values 0..{coding.maximum}, as in the model's input coding, got 0..{maximum}")
    if coding.shape is not None:
        pixels = resized(pixels, coding.shape)
    return pixels.reshape(len(pixels), -1)
