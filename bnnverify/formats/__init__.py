"""Model files become Networks here: one file per format, and this registry of them.

`load` recognises a format by its content, never by the file's name. A new format is one more file with a FORMAT and one more line
below.
"""

from __future__ import annotations

from pathlib import Path

from bnnverify.errors import BadModel
from bnnverify.formats import csv_folder, lfc, native, pixel_npz, pytorch_dict
from bnnverify.formats.native import save
from bnnverify.formats.onnx import model as onnx_model
from bnnverify.formats.signature import Format, Signature, signature_of
from bnnverify.model.network import Network

__all__ = ["FORMATS", "load", "save"]

FORMATS: tuple[Format, ...] = (
    *(native.FORMAT, pixel_npz.FORMAT, pytorch_dict.FORMAT),
    *(onnx_model.FORMAT, csv_folder.FORMAT, lfc.FORMAT),
)


def load(path: str | Path) -> Network:
    """Return the network in this file or folder, whichever known format it has.

    No code in the file is run. Raises BadModel with one sentence that names the file, the content expected and the
    content found; MissingExtra where the format needs a package that is not installed.
    """
    path = Path(path)
    try:
        signature = signature_of(path)
        for known in FORMATS:
            if known.matches(signature):
                return known.read(path)
        names = "; ".join(known.name for known in FORMATS)
        raise BadModel(f"expected a model ({names}), got {_contents(signature)}")
    except BadModel as error:
        raise BadModel(f"{path}: {error}") from error


def _contents(signature: Signature) -> str:
    if signature.folder:
        return "a folder without blk1, out_blk or 0-0-weights.bin"
    return f"a file that begins with {signature.start[:8]!r}" if signature.start else "an empty file"
