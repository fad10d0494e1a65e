"""Optional packages: where one is missing or broken, a sentence says what to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bnnverify.errors import MissingExtra


@contextmanager
def needed(purpose: str, package: str, *, extra: str) -> Iterator[None]:
    """Turn any ImportError inside into MissingExtra: what for, which package, and what to install."""
    try:
        yield
    except ImportError as error:
        how = "is not installed" if isinstance(error, ModuleNotFoundError) else f"cannot be imported ({error})"
        raise MissingExtra(f"{purpose} needs {package}, which {how}: pip install 'bnnverify[{extra}]'") from error
