"""What a person sees: results on standard output, how far long work has come on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

Reach = Callable[[int, int], None]
PATIENCE = 10.0  # seconds between two lines where there is no terminal to draw a bar on


def shown(result: RenderableType) -> None:
    """Print a JSON text as it is, anything else as a table or text."""
    if isinstance(result, str):
        click.echo(result)
        return
    from rich.console import Console

    wide = not sys.stdout.isatty()  # a file or pipe has no width of its own: nothing is wrapped there
    Console(highlight=False, width=200 if wide else None).print(result, soft_wrap=wide)


@contextmanager
def meter(title: str, *, quiet: bool) -> Iterator[Reach]:
    """Give a function of (done, total): a bar on a terminal, a line now and then elsewhere, nothing when quiet."""
    if quiet:
        yield lambda done, total: None  # noqa: ARG005 - said nowhere
    elif sys.stderr.isatty():
        with _bar(title) as reach:
            yield reach
    else:
        yield _lines(title)


@contextmanager
def _bar(title: str) -> Iterator[Reach]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=1.0)
        yield lambda done, total: progress.update(task, completed=done / max(total, 1))  # totals can be beyond any float


def _lines(title: str) -> Reach:
    said = time.monotonic()

    def reach(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said >= PATIENCE:
            said = time.monotonic()
            click.echo(f"{title}: {done} of {total}", err=True)

    return reach
