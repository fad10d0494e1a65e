"""The roof: parse, build nouns, call one verb, render, choose the exit code.

0 decided, 1 some UNKNOWN (or interrupted), 2 bad usage or bad input, 3 a bug (nothing is reported).
Whatever is heavy is imported inside the commands, so that --help is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from traceback import extract_tb

import click

from bnnverify._version import __version__
from bnnverify.cli.commands.attack import attack
from bnnverify.cli.commands.certify import certify
from bnnverify.cli.commands.check import check
from bnnverify.cli.commands.compare import compare
from bnnverify.cli.commands.count import count
from bnnverify.cli.commands.demo import demo
from bnnverify.cli.commands.distance import distance
from bnnverify.cli.commands.encode import encode
from bnnverify.cli.commands.info import info
from bnnverify.cli.commands.latents import latents
from bnnverify.cli.commands.train import train
from bnnverify.errors import BadInput, Disagreement, MissingExtra, WorkLost

DECIDED, OPEN, BAD, BUG = 0, 1, 2, 3


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="bnnverify")
def commands() -> None:
    """Exact counting and certification of binarized neural networks.

    INPUT is a file of bits (0/1 or -1/+1), a .npy file, a string of 0s and 1s, or DATASET:INDEX (digits:17, mnist:6677).

    Exit codes: 0 decided, 1 some UNKNOWN, 2 bad usage or bad input, 3 internal error (a bug).
    """


for command in (demo, info, count, certify, check, attack, distance, latents, compare, encode, train):
    commands.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what went wrong is one sentence on standard error."""
    sys.set_int_max_str_digits(0)  # counts over ten thousands of bits are longer than Python prints by default
    try:
        return int(commands.main(arguments, prog_name="bnnverify", standalone_mode=False) or DECIDED)
    except click.Abort:
        return _said("interrupted", OPEN)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return BAD
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        return _said(f"{error.format_message().rstrip('.')} (see {context.command_path if context else 'bnnverify'} --help)", BAD)
    except Disagreement as error:
        return _said(f"internal disagreement, nothing is reported: {error}", BUG)
    except (BadInput, MissingExtra) as error:
        return _said(str(error), BAD)
    except WorkLost as error:
        return _said(str(error), OPEN)
    except OSError as error:
        return _said(f"cannot use {error.filename or 'a file'}: {error.strerror or error}", BAD)
    except ImportError as error:
        if (error.name or "").startswith("bnnverify"):
            return _said(_bug(error), BUG)
        return _said(f"{error.name or 'a package'} cannot be imported ({error}): pip install --force-reinstall bnnverify", BAD)
    except MemoryError:
        return _said("out of memory: nothing is decided", OPEN)
    except Exception as error:  # noqa: BLE001 - the last place that can turn it into a sentence
        return _said(_bug(error), BUG)


def _bug(error: Exception) -> str:
    """Return what a report of this bug needs: kind, message and place."""
    place = extract_tb(error.__traceback__)[-1]
    return f"internal error, a bug, nothing is reported: {type(error).__name__}: {error} ({place.filename}:{place.lineno})"


def _said(sentence: str, code: int) -> int:
    words = " ".join(sentence.split())  # one line, and no control characters out of damaged files
    click.echo(f"bnnverify: {''.join(c if c.isprintable() else '?' for c in words)}", err=True)
    return code
