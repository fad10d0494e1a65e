"""What tests need that may be missing: the folder of real data, and engines of optional packages; tests skip without."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from bnnverify.queries.engines.registry import engines

DATA = Path(os.environ.get("BNNVERIFY_DATA") or Path(__file__).parents[3] / "shared" / "data")
needs_data = pytest.mark.skipif(
    not (DATA / "npaq-models").is_dir(), reason=f"needs the optional data folder, looked for at {DATA} (set BNNVERIFY_DATA)"
)

needs_exact = pytest.mark.skipif(find_spec("exact") is None, reason="the optional package exact is not installed")
FINDING = pytest.param("exact", marks=needs_exact)
COUNTING = pytest.param("exact", marks=pytest.mark.skip(reason="exact answers yes or no and does not count"))
OWN = sorted(name for name in engines() if name != "exact")  # need no package that may be missing
_ALWAYS = ["auto", *(name for name in OWN if ":" not in name)]  # not their variants
EVERY_ENGINE, COUNTING_ENGINES = [*_ALWAYS, FINDING], [*_ALWAYS, COUNTING]
