"""How binary a linear latent is: the metrics of latent binary encoding (LBE), measured on its real values.

Sbailò and Ghiringhelli, arXiv 2310.08224; the metrics follow their published code, binary_encoding/metrics.py,
get_binarity_metrics, get_same_encoding_fraction and get_collapse_metrics, except where noted.
"""

from __future__ import annotations

import warnings
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from bnnverify.extras import needed

Reals = NDArray[np.float64]


def ready() -> None:
    """Raise MissingExtra unless scikit-learn can be imported: better before training than after it."""
    with needed("measuring binarity", "scikit-learn", extra="train"):
        import sklearn.mixture  # noqa: F401


class Binarity(TypedDict):
    """gmm_score: mean log-likelihood per sample of a mixture of two Gaussians, each unit scaled to variance 1, mean over units.
    peaks_distance: the distance of its two means over the mean of its two standard deviations, mean over units.
    exact_code_share: share of samples whose snapped code is the most frequent one of their true class.
    nc1: within-class over between-class variation, trace(S_w pinv(S_b)) / classes, by true labels (their code: predicted).
    """

    gmm_score: float
    peaks_distance: float
    exact_code_share: float
    nc1: float


def binarity(latents: Reals, codes: NDArray[np.integer], labels: NDArray[np.int64]) -> Binarity | None:
    """Return the metrics of latents (N, d) with snapped codes (N, d) and classes (N,); None where a unit is constant."""
    if len(latents) < 2 or np.any(np.ptp(latents, axis=0) == 0):
        return None
    scores, distances = zip(*(_two_gaussians(unit) for unit in latents.T), strict=True)
    return {
        "gmm_score": float(np.mean(scores)),
        "peaks_distance": float(np.mean(distances)),
        "exact_code_share": code_share(codes, labels),
        "nc1": neural_collapse(latents, labels),
    }


def _two_gaussians(unit: Reals) -> tuple[float, float]:
    """Return the score of a two-Gaussian mixture of one unit (N,), and the distance of its peaks."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    scaled = ((unit - unit.mean()) / unit.std())[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of units with two values only: the means are right then
        mixture = GaussianMixture(n_components=2, random_state=0).fit(scaled)
    low, high = mixture.means_.ravel()
    return float(mixture.score(scaled)), float(abs(high - low) / np.sqrt(mixture.covariances_).mean())


def code_share(codes: NDArray[np.integer], labels: NDArray[np.int64]) -> float:
    """Return the share of samples whose code (N, d) is the most frequent one of their class."""
    frequent = [np.unique(codes[labels == label], axis=0, return_counts=True)[1].max() for label in np.unique(labels)]
    return float(sum(frequent) / len(labels))


def neural_collapse(latents: Reals, labels: NDArray[np.int64]) -> float:
    """Return NC1: the variation of samples within classes over the variation between classes."""
    groups = [latents[labels == label] for label in np.unique(labels)]
    within = np.mean([np.cov(group.T, ddof=0).reshape(latents.shape[1], -1) for group in groups], axis=0)
    shifts = np.array([group.mean(axis=0) for group in groups]) - latents.mean(axis=0)
    between = shifts.T @ shifts / len(groups)
    return float(np.trace(within @ np.linalg.pinv(between)) / len(groups))
