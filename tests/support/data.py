"""Where the optional folder of real data and trained networks is, and how tests skip without it."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("BNNVERIFY_DATA") or Path(__file__).parents[3] / "shared" / "data")
needs_data = pytest.mark.skipif(
    not (DATA / "npaq-models").is_dir(), reason=f"needs the optional data folder, looked for at {DATA} (set BNNVERIFY_DATA)"
)
