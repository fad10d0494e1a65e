"""The task of a comparison on every sample of every model, and the nouns of its measurements."""

from __future__ import annotations

from dataclasses import dataclass, field

from bnnverify.problem.budget import Budget
from bnnverify.queries.engines.registry import AUTO
from bnnverify.results.counts import Count
from bnnverify.results.finding import Witness
from bnnverify.results.outcome import Latent


@dataclass(frozen=True)
class Task:
    """The measurements of every sample of every model. radii ascend. budget: the limits of each question.

    counting: count the adversarial inputs (True), only decide (False), or count where that takes no longer than deciding (None).
    """

    radii: tuple[int, ...]
    engine: str = AUTO
    counting: bool | None = None
    budget: Budget = field(default_factory=Budget)

    def limits(self) -> Budget:
        """Return the limits of one question, its clock starting now."""
        return Budget(self.budget.seconds, self.budget.memory)


@dataclass(frozen=True)
class Nearest:
    """The nearest point of another class: at distance, or None; a proof excludes every distance up to beyond."""

    distance: int | None
    beyond: int
    witness: Witness | None


@dataclass(frozen=True)
class Within:
    """The points within a radius: shares of the classes and of the outermost shell, None where these were not counted."""

    adversarial: Count
    targeted: tuple[Count, ...] | None = None
    shell: Count | None = None
    latent: Latent | None = None
    heat: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Measured:
    """The measurements of one sample of one model: one Within per radius, in the order of the task."""

    nearest: Nearest
    within: tuple[Within, ...]
    engine: str
    code_radius: int | None = None
    reason: str = ""
