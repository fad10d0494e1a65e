"""What a person sees: results on standard output, the progress of long work on standard error.

On a terminal progress is a bar, elsewhere a line now and then, and with --json nothing. Names out of files are shown as they are.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Protocol

import click
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bnnverify.cli.progress_text import progress_text

Note = Callable[[str], None]
LINE_SECONDS = 10.0  # between two lines where there is no terminal to draw a bar on


class Advance(Protocol):
    """Gets how much of the work is done, of how much in total, and what is known by now."""

    def __call__(self, done: int, total: int, known: str = "") -> None: ...


def show(result: RenderableType) -> None:
    """Print a JSON text as it is, anything else as a table or text."""
    if isinstance(result, str):
        click.echo(result)
        return
    wide = not sys.stdout.isatty()  # a file or pipe has no width of its own: nothing is wrapped there
    console = Console(highlight=False, markup=False, emoji=False, width=200 if wide else None)
    console.print(result, soft_wrap=wide)


@contextmanager
def meter(title: str, *, quiet: bool) -> Iterator[Advance]:
    """Show the progress of work with a known end; give a function that gets each step."""
    if quiet:
        yield lambda done, total, known="": None  # noqa: ARG005 - printed nowhere
        return
    text = progress_text()
    if not sys.stderr.isatty():
        line = _lines(title)
        yield lambda done, total, known="": line(text(done, total, known))
        return
    with _bar() as progress:
        task = progress.add_task(title, total=1.0, words="")

        def advance(done: int, total: int, known: str = "") -> None:  # totals can be beyond any float, their ratio is not
            progress.update(task, completed=done / max(total, 1), words=text(done, total, known))

        yield advance


@contextmanager
def pulse(title: str, *, quiet: bool) -> Iterator[Note]:
    """Show that work goes on whose end nobody knows; give a function that gets what is known by now."""
    if quiet:
        yield lambda words: None  # noqa: ARG005 - printed nowhere
    elif sys.stderr.isatty():
        with _bar() as progress:
            task = progress.add_task(title, total=None, words="")
            yield lambda words: progress.update(task, words=words)
    else:
        with _lines_of_a_thread(title) as note:
            yield note


@contextmanager
def _bar() -> Iterator[Progress]:
    title, words = (TextColumn(f"{{task.{name}}}", markup=False) for name in ("description", "fields[words]"))
    columns = (title, BarColumn(bar_width=10), TimeElapsedColumn(), words)
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield progress


def _lines(title: str) -> Note:
    """Return a function that prints what it gets, except within some seconds of the last time."""
    printed = time.monotonic()

    def line(words: str) -> None:
        nonlocal printed
        if time.monotonic() - printed >= LINE_SECONDS:
            printed = time.monotonic()
            click.echo(f"{title}: {words}", err=True)

    return line


@contextmanager
def _lines_of_a_thread(title: str) -> Iterator[Note]:
    """Print a line every some seconds, from a thread: nobody else would while one question is worked on."""
    latest, done, started = [""], Event(), time.monotonic()

    def print_lines() -> None:
        while not done.wait(LINE_SECONDS):
            known = f", {latest[0]}" if latest[0] else ""
            click.echo(f"{title}: {time.monotonic() - started:.0f} s{known}", err=True)

    thread = Thread(target=print_lines, daemon=True)
    thread.start()
    try:
        yield lambda words: latest.__setitem__(0, words)
    finally:
        done.set()
        thread.join()
