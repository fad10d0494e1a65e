"""Reading the named arrays of a .npz, or one .npy, without pickle: any damage to the file is one sentence."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadInput

Arrays = dict[str, NDArray[np.generic]]

DAMAGE = (  # the errors that numpy and torch raise on damaged bytes
    *(OSError, ValueError, LookupError, EOFError, RuntimeError, MemoryError, ArithmeticError, TypeError, AttributeError),
    *(AssertionError, SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error, struct.error),
)


def arrays_in(path: Path, wrong: type[BadInput]) -> Arrays:
    """Return every array of a .npz by name, or the array of a .npy under the empty name; raise wrong where that fails."""
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"": loaded}
            with loaded:
                return {name: np.asarray(loaded[name]) for name in loaded.files}
    except DAMAGE as error:
        raise wrong(f"expected numpy arrays without pickled objects, got a damaged or unsafe file ({reason(error)})") from error


def reason(error: BaseException) -> str:
    """Return the first line of an error's message, without its full stop: for the end of our own sentence."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")[:160]
