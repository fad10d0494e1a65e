"""HTML files made from templates (the only home of jinja2)."""

from __future__ import annotations

import platform
from importlib.resources import files
from typing import Any

from bnnverify._version import __version__
from bnnverify.extras import needed
from bnnverify.report import numbers, sentences
from bnnverify.report.html import drawing


def ready() -> None:
    """Raise MissingExtra unless the packages that a page needs can be imported."""
    with needed("the report", "jinja2", extra="report"):
        import jinja2  # noqa: F401
    drawing.ready()


def filled(name: str, **values: Any) -> str:
    """Return the template of this name with values in it, as one HTML text that needs no other file and no script.

    Every text is escaped, so that no name can be markup.
    """
    ready()
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    loader = FunctionLoader(_text)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(numbers=numbers, sentences=sentences)
    return environment.get_template(name).render(versions=_versions(), **values)


def _text(name: str) -> str:
    return (files("bnnverify.report.html") / name).read_text("utf-8")


def _versions() -> dict[str, str]:
    return {"bnnverify": __version__, "Python": platform.python_version(), "machine": platform.machine()}
