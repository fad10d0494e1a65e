"""Metrics of binarity, on latents whose metrics are known."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra: train")
pytest.importorskip("sklearn", reason="needs the extra: train")

from bnnverify.training.stages.binarity import binarity, code_share, neural_collapse

RNG = np.random.default_rng(0)


def two_peaks(distance: float, count: int = 4000) -> np.ndarray:
    """Return one unit with two peaks of deviation 1, this far apart."""
    return (RNG.standard_normal(count) + distance * (np.arange(count) % 2))[:, None]


@pytest.mark.parametrize("distance", [4.0, 8.0])
def test_peaks_distance_is_in_deviations_of_a_peak(distance: float) -> None:
    z = two_peaks(distance)
    metrics = binarity(z, (z > distance / 2).astype(np.uint8), np.arange(len(z)) % 2)
    assert metrics is not None
    assert metrics["peaks_distance"] == pytest.approx(distance, rel=0.05)


def test_the_score_grows_as_peaks_get_narrow_and_scale_does_not_matter() -> None:
    wide, narrow = two_peaks(4.0), two_peaks(40.0)
    labels = np.arange(len(wide)) % 2
    scores = [binarity(z, z > 2, labels) for z in (wide, 1000 * wide + 5, narrow)]
    assert all(scores)
    score = [metrics["gmm_score"] for metrics in scores if metrics]
    assert score[0] == pytest.approx(score[1], abs=1e-6)
    assert score[2] > score[0] + 1


def test_a_constant_unit_has_no_metrics() -> None:
    assert binarity(np.hstack([two_peaks(4.0), np.ones((4000, 1))]), np.zeros((4000, 2)), np.arange(4000) % 2) is None


def test_the_code_share_counts_the_most_frequent_code_of_each_class() -> None:
    codes = np.array([[0, 1], [0, 1], [1, 1], [0, 0], [1, 0]])
    assert code_share(codes, np.array([3, 3, 3, 5, 5])) == 3 / 5


def test_nc1_is_zero_where_classes_are_points_and_by_true_labels() -> None:
    labels = np.arange(300) % 3
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])[labels]
    assert neural_collapse(points, labels) == pytest.approx(0)
    assert neural_collapse(points + 0.1 * RNG.standard_normal(points.shape), labels) > 0.01


def test_nc1_by_hand() -> None:
    """Two classes at -1 and +1, each spread by ±0.5: 0.25 within, 1 between, over 2 classes."""
    assert neural_collapse(np.array([[-1.5], [-0.5], [0.5], [1.5]]), np.array([0, 0, 1, 1])) == pytest.approx(0.125)
