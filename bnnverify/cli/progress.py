"""What a person sees: results on standard output, how far long work has come on standard error.

On a terminal that is a bar, elsewhere a line now and then, and with --json nothing. Names out of files are shown as they are.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Protocol

import click

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress

    from bnnverify.problem.query import Query

Tell = Callable[[str], None]
PATIENCE = 10.0  # seconds between two lines where there is no terminal to draw a bar on


class Reach(Protocol):
    """Hears how far work has come: done of total, and what is known by now."""

    def __call__(self, done: int, total: int, known: str = "") -> None: ...


def shown(result: RenderableType) -> None:
    """Print a JSON text as it is, anything else as a table or text."""
    if isinstance(result, str):
        click.echo(result)
        return
    from rich.console import Console

    wide = not sys.stdout.isatty()  # a file or pipe has no width of its own: nothing is wrapped there
    console = Console(highlight=False, markup=False, emoji=False, width=200 if wide else None)
    console.print(result, soft_wrap=wide)


def explained(query: Query, engine: str, *, counting: bool, jobs: int | None = None) -> None:
    """Print which engine is chosen and why, on standard error."""
    from bnnverify.queries.planning.plan import choose

    click.echo(f"plan: {choose(query, engine, counting=counting, jobs=jobs).why}", err=True)


@contextmanager
def meter(title: str, *, quiet: bool) -> Iterator[Reach]:
    """Give a function that is told how far work with a known end has come."""
    if quiet:
        yield lambda done, total, known="": None  # noqa: ARG005 - said nowhere
        return
    from bnnverify.cli.rates import paced

    words = paced()
    if not sys.stderr.isatty():
        line = _lines(title)
        yield lambda done, total, known="": line(words(done, total, known))
        return
    with _drawn() as progress:
        task = progress.add_task(title, total=1.0, words="")

        def reach(done: int, total: int, known: str = "") -> None:  # totals can be beyond any float, their ratio is not
            progress.update(task, completed=done / max(total, 1), words=words(done, total, known))

        yield reach


@contextmanager
def pulse(title: str, *, quiet: bool) -> Iterator[Tell]:
    """Show that something is going on whose end nobody knows; give a function that is told what is known by now."""
    if quiet:
        yield lambda words: None  # noqa: ARG005 - said nowhere
    elif sys.stderr.isatty():
        with _drawn() as progress:
            task = progress.add_task(title, total=None, words="")
            yield lambda words: progress.update(task, words=words)
    else:
        with _murmur(title) as tell:
            yield tell


@contextmanager
def _drawn() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    title, words = (TextColumn(f"{{task.{name}}}", markup=False) for name in ("description", "fields[words]"))
    columns = (title, BarColumn(bar_width=10), TimeElapsedColumn(), words)
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield progress


def _lines(title: str) -> Tell:
    """Return a function that prints what it is told, except within some seconds of the last time."""
    said = time.monotonic()

    def line(words: str) -> None:
        nonlocal said
        if time.monotonic() - said >= PATIENCE:
            said = time.monotonic()
            click.echo(f"{title}: {words}", err=True)

    return line


@contextmanager
def _murmur(title: str) -> Iterator[Tell]:
    """Print a line every some seconds, from a thread: nobody else would while one question is worked on."""
    latest, done, started = [""], Event(), time.monotonic()

    def murmur() -> None:
        while not done.wait(PATIENCE):
            known = f", {latest[0]}" if latest[0] else ""
            click.echo(f"{title}: {time.monotonic() - started:.0f} s{known}", err=True)

    thread = Thread(target=murmur, daemon=True)
    thread.start()
    try:
        yield lambda words: latest.__setitem__(0, words)
    finally:
        done.set()
        thread.join()
