"""One HTML file with everything that a study found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from bnnverify.model.network import Network
from bnnverify.report import picture
from bnnverify.report.document import about
from bnnverify.report.html import plots, squares
from bnnverify.report.html.template import filled, ready
from bnnverify.results.answers import AttackResult, CountResult, Distance
from bnnverify.results.certification import Certification

__all__ = ["Study", "page", "ready"]


@dataclass(frozen=True, eq=False)
class Study:
    """The results about a network: accuracies, all questions about one sample, and certifications of many at several radii.

    sample: the name of the one input. train_accuracy, test_accuracy: on its training samples, and on others.
    """

    network: Network
    train_accuracy: Fraction
    test_accuracy: Fraction
    sample: str
    count: CountResult
    attack: AttackResult
    distance: Distance
    certifications: Sequence[Certification]

    def to_json(self) -> dict[str, Any]:
        """Return all answers as plain data; accuracies are [numerator, denominator]."""
        return {
            "train_accuracy": list(self.train_accuracy.as_integer_ratio()),
            "test_accuracy": list(self.test_accuracy.as_integer_ratio()),
            "sample": self.sample,
            "count": self.count.to_json(),
            "attack": self.attack.to_json(),
            "distance": self.distance.to_json(),
            "certifications": [certification.to_json() for certification in self.certifications],
        }


def page(study: Study) -> str:
    """Return the study as one HTML text that needs no other file and no script."""
    ready()
    return filled(
        "page.html.j2",
        study=study,
        about=about(study.network),
        widths="-".join(map(str, study.network.widths)),
        pictures=_pictures(study),
        plots=[plot(study.certifications) for plot in (plots.accuracy_plot, plots.density_plot)],
    )


def _pictures(study: Study) -> list[str]:
    """Return the sample and the nearest input of another class, or nothing where there is no picture."""
    witness, coding = study.distance.witness, study.network.coding
    if witness is None or coding is None or coding.shape is None:
        return []
    before = picture.original(witness.bits, witness.flips)
    return [squares.changed(before, after, coding.shape) for after in (before, witness.bits)]
