"""Limits of time and memory for one question."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Budget:
    """Limits for one question. seconds: wall clock; memory: bytes of a child process. None: unlimited."""

    seconds: float | None = None
    memory: int | None = None
    started: float = field(default_factory=time.monotonic, compare=False)

    @property
    def left(self) -> float | None:
        """Return the seconds left, None without a limit."""
        return None if self.seconds is None else self.seconds - (time.monotonic() - self.started)

    @property
    def spent(self) -> bool:
        return self.left is not None and self.left <= 0

    @property
    def reason(self) -> str:
        """Return why a question ends early whose budget is spent."""
        return f"stopped after {self.seconds:g} s" if self.seconds is not None else "stopped"
