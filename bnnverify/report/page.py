"""One HTML file with everything a study found (the only home of jinja2)."""

from __future__ import annotations

import base64
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from typing import Any

from bnnverify import __version__
from bnnverify.extras import needed
from bnnverify.network import Network
from bnnverify.report import numbers, picture, plots, sentences
from bnnverify.report.document import about
from bnnverify.result import AttackResult, Certification, CountResult, Distance


@dataclass(frozen=True, eq=False)
class Study:
    """What was found out about a network: accuracies, one sample looked at closely, and many at several radii.

    sample: the name of the close look's input. train_accuracy, test_accuracy: of the samples it learnt from, and of others.
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


def ready() -> None:
    """Raise MissingExtra unless everything that a page needs can be imported."""
    with needed("the report", "jinja2", extra="report"):
        import jinja2  # noqa: F401
    plots.ready()


def page(study: Study) -> str:
    """Return the study as one HTML text that needs no other file and no script."""
    ready()
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(numbers=numbers, sentences=sentences)
    text = (files("bnnverify.report") / "page.html.j2").read_text("utf-8")
    drawn = [_embedded(plot(study.certifications)) for plot in (plots.accuracy_plot, plots.density_plot)]
    return environment.from_string(text).render(
        study=study,
        about=about(study.network),
        widths="-".join(map(str, study.network.widths)),
        pictures=_pictures(study),
        plots=drawn,
        versions=_versions(),
    )


def _embedded(svg: str) -> str:
    """Return an SVG as a data address: inlined, two plots could not use the same element names."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _pictures(study: Study) -> str:
    """Return the nearest other class beside the sample, or nothing where there is no picture."""
    witness, coding = study.distance.witness, study.network.coding
    if witness is None or coding is None or coding.shape is None:
        return ""
    before = picture.original(witness.bits, witness.flips)
    return "\n".join([*picture.side_by_side(before, witness.bits, coding.shape), picture.LEGEND])


def _versions() -> dict[str, Any]:
    return {"bnnverify": __version__, "Python": platform.python_version(), "machine": platform.machine()}
