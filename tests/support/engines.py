"""Which engines the tests ask by name: the one of an optional package only where that is installed, and never for counts."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from bnnverify.queries.planning.plan import ENGINES

needs_exact = pytest.mark.skipif(find_spec("exact") is None, reason="the optional package exact is not installed")
FINDING = pytest.param("exact", marks=needs_exact)
COUNTING = pytest.param("exact", marks=pytest.mark.skip(reason="exact answers yes or no and does not count"))

OWN = sorted(name for name in ENGINES if name != "exact")  # need no package that may be missing
