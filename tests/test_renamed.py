"""Names of the front door that have changed: the old ones still work, with a warning, and are not listed."""

from __future__ import annotations

import pytest

import bnnverify


@pytest.mark.parametrize(("old", "new"), [("Entrant", "Participant"), ("entrant", "participant"), ("descent", "local_search")])
def test_an_old_name_still_works_with_a_warning(old: str, new: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"^bnnverify.{old} is now bnnverify.{new}$") as warned:
        found = getattr(bnnverify, old)
    assert found is getattr(bnnverify, new)
    assert warned[0].filename == __file__
    assert old not in bnnverify.__all__
    assert old not in dir(bnnverify)
