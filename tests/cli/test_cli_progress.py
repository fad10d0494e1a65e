"""The progress of long work: a bar on a terminal, a line now and then elsewhere, nothing when quiet."""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Callable

import pytest
from rich.console import Group

from bnnverify.cli import progress
from bnnverify.cli.progress_text import progress_text


class Terminal(io.StringIO):
    """Standard error that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Return a standard error that is a terminal from now on; not a fixture, after which pytest puts its own in place."""
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    return made


def ticking(*seconds: float) -> Callable[[], float]:
    times = iter(seconds)
    return lambda: next(times)


def drawn(text: str) -> str:
    """Return what was drawn, without the codes that place and colour it."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def test_progress_prints_done_total_rate_time_left_and_known_numbers() -> None:
    text = progress_text(ticking(10, 10, 12, 20))
    assert text(0, 400, "") == "0 of 400"
    assert text(100, 400, "known: 1..301") == "100 of 400, 50 per s, 6.0 s left, known: 1..301"
    assert text(400, 400, "") == "400 of 400, 40 per s, 0 ms left"
    text = progress_text(ticking(0, 0, 4))
    text(0, 9, "")
    assert text(3, 9, "") == "3 of 9, 0.7 per s, 8.0 s left"


def test_work_of_an_earlier_run_does_not_make_the_rate() -> None:
    text = progress_text(ticking(0, 0, 1))
    text(10**6, 3 * 10**6, "")
    assert text(2 * 10**6, 3 * 10**6, "") == "2.000e6 of 3.000e6, 1.000e6 per s, 1.0 s left"


def test_totals_beyond_floats_are_no_trouble() -> None:
    text = progress_text(ticking(0, 0, 1))
    text(0, 2**3000, "")
    assert text(100, 2**3000, "").startswith("100 of 1.230e903, 100 per s, ")


def test_a_meter_on_a_terminal_is_a_bar_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    error = terminal(monkeypatch)
    with progress.meter("counting [x]", quiet=False) as advance:
        advance(0, 2**3000)
        time.sleep(0.01)
        advance(2**2999, 2**3000, "known: 1..[/red]")
    seen = drawn(error.getvalue())
    assert "counting [x] ━" in seen
    assert "6.151e902 of 1.230e903" in seen
    assert "known: 1..[/red]" in seen


def test_a_meter_elsewhere_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with progress.meter("counting", quiet=False) as advance:
        advance(1, 4)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    with progress.meter("counting", quiet=False) as advance:
        advance(1, 4, "known: 0..3")
    assert capsys.readouterr().err == "counting: 1 of 4, known: 0..3\n"


def test_a_pulse_on_a_terminal_moves_and_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    error = terminal(monkeypatch)
    with progress.pulse("searching", quiet=False) as note:
        note("at least 3")
        time.sleep(0.25)  # two of its ten pictures a second
    seen = drawn(error.getvalue())
    assert seen.count("searching ") > 1
    assert "at least 3" in seen


def test_a_pulse_elsewhere_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with progress.pulse("searching", quiet=False):
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.05)
    with progress.pulse("searching", quiet=False) as note:
        note("at least 3")
        time.sleep(0.2)
    assert "searching: 0 s, at least 3\n" in capsys.readouterr().err


def test_quiet_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    error = terminal(monkeypatch)
    with progress.meter("counting", quiet=True) as advance, progress.pulse("searching", quiet=True) as note:
        advance(1, 2, "known")
        note("known")
    assert error.getvalue() == ""


def test_results_are_shown_without_markup_or_emoji(capsys: pytest.CaptureFixture[str]) -> None:
    progress.show(Group("m[/x] a[red]b :smile:"))
    assert capsys.readouterr().out == "m[/x] a[red]b :smile:\n"
