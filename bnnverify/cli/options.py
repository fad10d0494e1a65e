"""Options that several commands share; a command gets them as one noun instead of so many values."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from bnnverify.cli.arguments import Place, Setting

Function = Callable[..., Any]


MOST = 1e9  # of seconds (30 years) or GiB: beyond, clocks and system limits overflow


def _amount(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 < value <= MOST:
        raise click.BadParameter(f"expected a number above 0, at most {MOST:g}, got {value:g}")
    return value


FILE = click.Path(path_type=Path)
NATURAL = click.IntRange(min=0)
SEED = click.IntRange(0, 2**32 - 1)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object with exact numbers.")
within_option = click.option("--within", metavar="FREE", help="Only these positions may flip: like 0-5,9, or a file.")
plan_option = click.option("--explain-plan", is_flag=True, help="Say on standard error which engine is chosen, and why.")
seed_option = click.option("--seed", type=SEED, default=0, show_default=True, metavar="N", help="Of all random numbers.")

jobs_option = click.option(
    "--jobs", type=click.IntRange(1, 1000), metavar="J", help="Cores for this question, by default all; with 1, no engines race."
)

data_option = click.option(
    "--data-dir", type=FILE, envvar="BNNVERIFY_DATA", show_envvar=True, help="Where data sets such as MNIST lie."
)
ENGINE = "auto, bits, bdd or sat; sat:diagram, sat:adder, sat:native: another encoding; exact: yes or no, an extra."

SETTING = (
    click.option("--engine", default="auto", show_default=True, help=ENGINE),
    click.option("--timeout", type=float, callback=_amount, metavar="S", help="Seconds of wall clock, for each question."),
    click.option("--memory", "gib", type=float, callback=_amount, metavar="GB", help="Memory of a solver, in 2^30 bytes."),
    json_option,
    data_option,
)
PLACE = (
    click.argument("source", metavar="INPUT", required=False),
    click.option("--radius", type=NATURAL, metavar="R", help="Inputs that differ in at most R bits."),
    click.option("--free", metavar="IDX", help="Inputs that differ only in these positions: like 0-5,9, or a file."),
    click.option("--everything", is_flag=True, help="All inputs there are; INPUT may be left out."),
    within_option,
)


def setting_options(function: Function) -> Function:
    """Add the options common to all questions, handed over as `setting`."""
    return _gathered(function, "setting", Setting, SETTING)


def place_options(function: Function) -> Function:
    """Add INPUT and its region, handed over as `place`."""
    return _gathered(function, "place", Place, PLACE)


def gathered(into: str, noun: type[Any], options: tuple[Function, ...]) -> Callable[[Function], Function]:
    """Return a decorator that adds options, which are the fields of noun; the function is given that noun."""
    return lambda function: _gathered(function, into, noun, options)


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
