"""The command line: parse, build nouns, call one verb, render, choose the exit code.

0 decided, 1 some UNKNOWN (or interrupted), 2 bad usage or bad input, 3 a bug (nothing is reported).
Each command is a file in `commands`, which is imported when the command is named, so that --help is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from traceback import extract_tb

import click

from bnnverify._version import __version__
from bnnverify.cli.command_group import CommandGroup
from bnnverify.errors import BadInput, Disagreement, MissingExtra, WorkLost

DECIDED, OPEN, BAD, BUG = 0, 1, 2, 3


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="bnnverify")
def program() -> None:
    """Exact counting and certification of binarized neural networks.

    INPUT is a file of bits (0/1 or -1/+1), a .npy file, a string of 0s and 1s, or DATASET:INDEX (digits:17, mnist:6677).

    Exit codes: 0 decided, 1 some UNKNOWN, 2 bad usage or bad input, 3 internal error (a bug).
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what went wrong is one sentence on standard error."""
    sys.set_int_max_str_digits(0)  # counts over ten thousands of bits are longer than Python prints by default
    try:
        return int(program.main(arguments, prog_name="bnnverify", standalone_mode=False) or DECIDED)
    except click.Abort:
        return _fail("interrupted", OPEN)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return BAD
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        return _fail(f"{error.format_message().rstrip('.')} (see {context.command_path if context else 'bnnverify'} --help)", BAD)
    except Disagreement as error:
        return _fail(f"internal disagreement, nothing is reported: {error}", BUG)
    except (BadInput, MissingExtra) as error:
        return _fail(str(error), BAD)
    except WorkLost as error:
        return _fail(str(error), OPEN)
    except OSError as error:
        return _fail(f"cannot use {error.filename or 'a file'}: {error.strerror or error}", BAD)
    except ImportError as error:
        if (error.name or "").startswith("bnnverify"):
            return _fail(_bug(error), BUG)
        return _fail(f"{error.name or 'a package'} cannot be imported ({error}): pip install --force-reinstall bnnverify", BAD)
    except MemoryError:
        return _fail("out of memory: nothing is decided", OPEN)
    except Exception as error:  # noqa: BLE001 - the last place that can turn it into a sentence
        return _fail(_bug(error), BUG)


def _bug(error: Exception) -> str:
    """Return what a report of this bug needs: kind, message and place."""
    place = extract_tb(error.__traceback__)[-1]
    return f"internal error, a bug, nothing is reported: {type(error).__name__}: {error} ({place.filename}:{place.lineno})"


def _fail(sentence: str, code: int) -> int:
    """Print the sentence on standard error and return the exit code."""
    words = " ".join(sentence.split())  # one line, and no control characters out of damaged files
    click.echo(f"bnnverify: {''.join(c if c.isprintable() else '?' for c in words)}", err=True)
    return code
