"""Options that several commands share; a command gets them as one noun instead of so many values."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from bnnverify.cli.nouns import Place, Setting

Function = Callable[..., Any]


def _above_zero(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 < value < math.inf:
        raise click.BadParameter(f"expected a number above 0, got {value:g}")
    return value


FILE = click.Path(path_type=Path)
NATURAL = click.IntRange(min=0)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object with exact numbers.")
within_option = click.option("--within", metavar="FREE", help="Only these positions may flip: a comma list or a file, 0-based.")
seed_option = click.option("--seed", type=NATURAL, default=0, show_default=True, metavar="N", help="Of all random numbers.")

SETTING = (
    click.option("--engine", default="auto", show_default=True, help="auto, bits, bdd or sat."),
    click.option("--timeout", type=float, callback=_above_zero, metavar="S", help="Seconds of wall clock, for each question."),
    click.option("--memory", "gib", type=float, callback=_above_zero, metavar="GB", help="Memory of a solver, in 2^30 bytes."),
    json_option,
    click.option("--data-dir", type=FILE, envvar="BNNVERIFY_DATA", show_envvar=True, help="Where data sets such as MNIST lie."),
)
PLACE = (
    click.argument("source", metavar="INPUT", required=False),
    click.option("--radius", type=NATURAL, metavar="R", help="Inputs that differ in at most R bits."),
    click.option("--free", metavar="IDX", help="Inputs that differ only in these positions: a comma list or file, 0-based."),
    click.option("--everything", is_flag=True, help="All inputs there are; INPUT may be left out."),
    within_option,
)


def setting_options(function: Function) -> Function:
    """Add the options common to all questions, handed over as `setting`."""
    return _gathered(function, "setting", Setting, SETTING)


def place_options(function: Function) -> Function:
    """Add INPUT and its region, handed over as `place`."""
    return _gathered(function, "place", Place, PLACE)


def _gathered(function: Function, into: str, noun: type[Any], options: tuple[Function, ...]) -> Function:
    """Return function with these options, which are the fields of noun; it is given that noun."""

    @wraps(function)
    def called(**values: Any) -> Any:
        fields = {name: values.pop(name) for name in noun.__dataclass_fields__}
        return function(**values, **{into: noun(**fields)})

    wrapped: Function = called
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped
