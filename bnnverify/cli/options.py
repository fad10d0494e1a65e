"""Options that several commands share, and how a command gets options that belong together as one noun."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import click

from bnnverify.errors import BadInput
from bnnverify.problem.events.words import event_help

Function = Callable[..., Any]

FILE = click.Path(path_type=Path)
NATURAL = click.IntRange(min=0)
POSITIVE = click.IntRange(min=1)
JOBS = click.IntRange(1, 1000)
SEED = click.IntRange(0, 2**32 - 1)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object with exact numbers.")
within_option = click.option("--within", metavar="FREE", help="Only these positions may flip: like 0-5,9, or a file.")
event_option = click.option("--event", default="leaves", show_default=True, help=event_help(counting=False))
constraint_option = click.option(
    "--constraint", type=FILE, metavar="FILE", help="Only inputs that obey the constraints in FILE, such as one-hot groups."
)
against_option = click.option("--against", type=FILE, metavar="MODEL", help="The other model of the event differ.")
seed_option = click.option("--seed", type=SEED, default=0, show_default=True, metavar="N", help="Seed of all random numbers.")
data_option = click.option(
    "--data-dir", type=FILE, envvar="BNNVERIFY_DATA", show_envvar=True, help="Where data sets such as MNIST lie."
)
counting_option = click.option(
    "--count/--no-count",
    "counting",
    default=None,
    help="Count adversarial inputs, or only decide; default: count where it is quick.",
)


def grouped(parameter: str, noun: type[Any], options: tuple[Function, ...]) -> Callable[[Function], Function]:
    """Return a decorator that adds options, which are the fields of noun; the function gets that noun as parameter."""

    def decorate(function: Function) -> Function:
        @wraps(function)
        def called(**values: Any) -> Any:
            fields = {name: values.pop(name) for name in noun.__dataclass_fields__}
            return function(**values, **{parameter: noun(**fields)})

        wrapped: Function = called
        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped

    return decorate


def check_folders(files: Mapping[str, Path | None]) -> None:
    """Raise BadInput where an option names a file whose folder does not exist: before any work is done."""
    for option, file in files.items():
        if file is not None and not file.parent.is_dir():
            raise BadInput(f"{option}: expected a file in a folder that exists, got {file}")
