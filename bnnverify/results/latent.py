"""Latent codes around one input: how many points have each, distance by distance, and the measures that follow.

All numbers here are exact; shells that a stopped count had not finished are left out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnverify.errors import BadQuery, Disagreement
from bnnverify.model.latent_code import WIDEST as WIDEST
from bnnverify.model.latent_code import Codes, bit_string
from bnnverify.results.codes import entropy as entropy
from bnnverify.results.counts import Shares
from bnnverify.results.finding import Witness


@dataclass(frozen=True, eq=False)
class CodeShells:
    """How many points at each distance of a ball have each latent code.

    width: bits of a code. sizes: points at distance 0..radius. classes: how many there are.
    distances, codes, labels, counts: (rows,): so many points at that distance have that code, and therefore that class.
    Raises Disagreement unless every shell of the ball is complete.
    """

    width: int
    sizes: tuple[int, ...]
    classes: int
    distances: NDArray[np.int64]
    codes: Codes
    labels: NDArray[np.int64]
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        found = [sum(shares.counts) for shares in self.shells]
        if found != list(self.sizes) or len(self.codes) < 1:
            raise Disagreement(f"codes: expected every point of {self.radius + 1} shells, got {found}")

    @property
    def radius(self) -> int:
        """Return the largest distance."""
        return len(self.sizes) - 1

    @property
    def center(self) -> int:
        """Return the code of the centre."""
        return int(self.codes[self.distances == 0][0])

    @property
    def predicted(self) -> int:
        """Return the class of the centre."""
        return int(self.labels[self.distances == 0][0])

    @property
    def size(self) -> int:
        """Return how many points the ball has."""
        return sum(self.sizes)

    def within(self, radius: int) -> CodeShells:
        """Return the same for a smaller radius."""
        if not 0 <= radius <= self.radius:
            raise BadQuery(f"radius must be between 0 and {self.radius}, got {radius}")
        inside = self.distances <= radius
        rows = (self.distances[inside], self.codes[inside], self.labels[inside], self.counts[inside])
        return CodeShells(self.width, self.sizes[: radius + 1], self.classes, *rows)

    @cached_property
    def shells(self) -> tuple[Shares, ...]:
        """Return for each distance how many points have each class: for a class other than the centre's, targeted A_k."""
        numbers = np.zeros((self.radius + 1, self.classes), dtype=np.int64)
        np.add.at(numbers, (self.distances, self.labels), self.counts)
        return tuple(Shares(k, tuple(row)) for k, row in enumerate(numbers.tolist()))

    @cached_property
    def adversarial(self) -> tuple[int, ...]:
        """Return A_k, how many points at distance k have another class than the centre, for k = 0..radius."""
        return tuple(sum(shares.counts) - shares.counts[self.predicted] for shares in self.shells)

    @property
    def density(self) -> tuple[Fraction, ...]:
        """Return A_k as a share of the shell; 0 of a shell without points."""
        return tuple(Fraction(a, size or 1) for a, size in zip(self.adversarial, self.sizes, strict=True))

    @property
    def stable(self) -> bool:
        """Return whether every point of the ball has the centre's class."""
        return not any(self.adversarial)

    @property
    def distance(self) -> int | None:
        """Return the smallest distance at which the class changes, None where it is larger than radius."""
        return next((k for k, a in enumerate(self.adversarial) if a), None)

    @cached_property
    def flips(self) -> tuple[int, ...]:
        """Return F_j, at how many points of the ball latent bit j differs from the centre's: (width,)."""
        changed = self.codes ^ self.center
        return tuple(int(self.counts[changed >> j & 1 == 1].sum()) for j in range(self.width))

    @property
    def code_stable_radius(self) -> int:
        """Return the largest radius, at most this one, within which no code differs from the centre's."""
        distances = self.distances[self.codes != self.center]
        return int(distances.min()) - 1 if len(distances) else self.radius

    @property
    def code_changes(self) -> tuple[int, ...]:
        """Return how many points at distance k have another code than the centre, for k = 0..radius."""
        changed = self.codes != self.center
        return tuple(int(self.counts[changed & (self.distances == k)].sum()) for k in range(self.radius + 1))

    @cached_property
    def times(self) -> dict[int, int]:
        """Return how many points of the ball have each code that occurs."""
        codes, place = np.unique(self.codes, return_inverse=True)
        totals = np.zeros(len(codes), dtype=np.int64)
        np.add.at(totals, place.ravel(), self.counts)
        return dict(zip(codes.tolist(), totals.tolist(), strict=True))

    @property
    def reachable(self) -> int:
        """Return how many different codes occur."""
        return len(self.times)

    def spectrum(self, code: int | None = None) -> tuple[int, ...]:
        """Return how many points have a code at Hamming distance 0..width from this one (default: the centre's)."""
        differences = np.bitwise_count(self.codes ^ (self.center if code is None else code)).astype(np.int64)
        return tuple(int(self.counts[differences == d].sum()) for d in range(self.width + 1))

    @property
    def most_flips(self) -> int:
        """Return the largest number of latent bits in which any point differs from the centre."""
        return int(np.bitwise_count(self.codes ^ self.center).max())

    def beyond(self, flips: int) -> int:
        """Return how many points differ from the centre in more latent bits than this."""
        return sum(self.spectrum()[flips + 1 :])

    def to_json(self) -> dict[str, Any]:
        """Return all measures; entropy is the only one that is rounded, to a float."""
        return {
            "width": self.width,
            "size": self.size,
            "predicted": self.predicted,
            "center_code": bit_string(self.center, self.width),
            "shells": [asdict(shares) for shares in self.shells],
            "adversarial": list(self.adversarial),
            "density": [[share.numerator, share.denominator] for share in self.density],
            "stable": self.stable,
            "distance": self.distance,
            "flips": list(self.flips),
            "code_changes": list(self.code_changes),
            "code_stable_radius": self.code_stable_radius,
            "reachable": self.reachable,
            "entropy": entropy(self.times.values()),
            "spectrum": list(self.spectrum()),
            "most_flips": self.most_flips,
        }


@dataclass(frozen=True, eq=False)
class Latents:
    """The answer of `latents`: the codes of a ball, and the margin of the tail.

    requested: the radius of the question; shells.radius is smaller where the work was stopped, with the reason, and every
    number is exact for that smaller ball. margin: tau, so many flips of the centre's code, whichever, never change the class;
    margin_exact: and one more can. witness: a nearest point of another class, replayed; None where there is none.
    """

    shells: CodeShells
    requested: int
    margin: int
    margin_exact: bool
    witness: Witness | None
    seconds: float
    reason: str = ""

    def __post_init__(self) -> None:
        if self.adversarial > self.beyond:
            wrong = f"{self.adversarial} points change the class, {self.beyond} flip more bits"
            raise Disagreement(f"tail margin {self.margin}: {wrong}")
        if self.witness is not None and self.witness.distance != self.shells.distance:
            raise Disagreement(f"witness: expected distance {self.shells.distance}, got {self.witness.distance}")

    @property
    def exact(self) -> bool:
        """Return whether all points of the requested ball were counted."""
        return self.shells.radius == self.requested

    @property
    def adversarial(self) -> int:
        """Return how many points of the ball have another class than the centre."""
        return sum(self.shells.adversarial)

    @property
    def certified(self) -> bool:
        """Return whether the code alone proves that the class is stable: no point flips more latent bits than the margin."""
        return self.shells.most_flips <= self.margin

    @property
    def beyond(self) -> int:
        """Return how many points flip more latent bits than the margin: all adversarial ones do."""
        return self.shells.beyond(self.margin)

    @property
    def bound(self) -> Fraction:
        """Return sum_j F_j / (tau + 1) >= beyond >= adversarial: Markov's inequality for the number of flipped bits."""
        return Fraction(sum(self.shells.flips), self.margin + 1)

    def to_json(self) -> dict[str, Any]:
        return {
            "asked": self.requested,
            "radius": self.shells.radius,
            "exact": self.exact,
            **self.shells.to_json(),
            "witness": None if self.witness is None else asdict(self.witness),
            "margin": self.margin,
            "margin_exact": self.margin_exact,
            "certified": self.certified,
            "beyond_margin": self.beyond,
            "bound": [self.bound.numerator, self.bound.denominator],
            "seconds": self.seconds,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Attribution:
    """At how many points input position i and latent bit j both differ from the centre: counts[i][j].

    seen: how many points were evaluated; size: how many there are. reason: why some are missing, if so.
    """

    counts: tuple[tuple[int, ...], ...]
    seen: int
    size: int
    reason: str = ""

    @property
    def exact(self) -> bool:
        return self.seen == self.size

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "exact": self.exact}
