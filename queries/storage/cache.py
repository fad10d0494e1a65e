"""The folder of files that the next run can do without, but would have to make again."""

from __future__ import annotations

from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of files that the next run can do without, but would have to make again."""
    from platformdirs import user_cache_path

    return user_cache_path("bnnverify")
