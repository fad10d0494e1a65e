"""One row of a comparison: the measurements of the points within a radius of a sample, for one model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from bnnverify.results.counts import Count
from bnnverify.results.finding import Verdict


@dataclass(frozen=True)
class Latent:
    """The latent codes of the points within a radius, exactly.

    flips: for each latent bit, at how many points it differs from the centre's. spectrum: how many points have a code at
    distance 0, 1, ..., d from the centre's. codes: how many different codes there are. entropy: of the code in bits, points
    equally likely. margin: how many flipped latent bits never change the class of the tail (tau). certified: no
    point flips more than that, so that the class is the same for all. bound: at how many points at most the class can change,
    by the flips alone: their sum / (tau + 1), rounded down.
    """

    flips: tuple[int, ...]
    spectrum: tuple[int, ...]
    codes: int
    entropy: float
    margin: int
    certified: bool
    bound: int

    @property
    def stable(self) -> bool:
        """Return whether every point has the centre's code."""
        return not any(self.spectrum[1:])

    @property
    def farthest(self) -> int:
        """Return the largest distance of a code from the centre's."""
        return max((d for d, points in enumerate(self.spectrum) if points), default=0)


@dataclass(frozen=True)
class Outcome:
    """One row: the model of an arm and a seed, a sample, and a radius, with the measurements of the points within that radius.

    sample: index in the data source. size: points within the radius. adversarial: how many leave the predicted class; shell: the
    same at exactly this radius, None where it was not counted by itself; targeted: how many get each class (None: only decided).
    distance: the exact minimal number of flips that change the class; None where there is none within the largest radius of the
    comparison, or where it is open. beyond: the largest distance up to which a proof excludes every change of the class.
    witness: the flipped positions of a nearest adversarial input, and becomes: its class; None without one.
    attacked: whether attacks were tried; greedy, gradient: flips of the inputs they found, None where they found none within the
    largest radius of the comparison.
    heat: for each position, how many of the adversarial points flip it; None where these were not counted.
    code_radius: the largest radius of the comparison within which no point has another latent code; None: not counted.
    seconds: CPU time for this sample and model, all radii together, solvers in processes of their own included.
    reason: why something is open.
    """

    seed: int
    sample: int
    arm: str
    radius: int
    label: int
    predicted: int
    verdict: Verdict
    size: int
    adversarial: Count
    shell: Count | None = None
    targeted: tuple[Count, ...] | None = None
    distance: int | None = None
    beyond: int = 0
    witness: tuple[int, ...] | None = None
    becomes: int | None = None
    greedy: int | None = None
    gradient: int | None = None
    attacked: bool = False
    heat: tuple[int, ...] | None = None
    code_radius: int | None = None
    latent: Latent | None = None
    engine: str = ""
    seconds: float = 0.0
    reason: str = ""

    @property
    def correct(self) -> bool:
        return self.label == self.predicted

    @property
    def key(self) -> tuple[int, int, str, int]:
        return self.seed, self.sample, self.arm, self.radius

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "correct": self.correct}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outcome:
        """Return the row that to_json wrote; ValueError, KeyError or TypeError for other data."""
        fields: dict[str, Any] = {name: value for name, value in data.items() if name != "correct"}
        fields["verdict"] = Verdict(fields["verdict"])
        fields["adversarial"] = Count.from_json(fields["adversarial"])
        for name, read in OPTIONAL.items():
            value = fields.get(name)
            fields[name] = None if value is None else read(value)
        return cls(**fields)


def _counts(counts: Iterable[dict[str, Any]]) -> tuple[Count, ...]:
    return tuple(map(Count.from_json, counts))


def _latent(data: Mapping[str, Any]) -> Latent:
    return Latent(**{**data, "flips": tuple(data["flips"]), "spectrum": tuple(data["spectrum"])})


OPTIONAL: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {"shell": Count.from_json, "targeted": _counts, "witness": tuple, "heat": tuple, "latent": _latent}
)
