"""The roof: parse, build nouns, call one verb, render, choose the exit code.

0 decided, 1 some UNKNOWN (or interrupted), 2 bad usage or bad input, 3 internal disagreement (nothing is reported).
Whatever is heavy is imported inside the commands, so that --help is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from bnnverify import __version__
from bnnverify.cli.ask import attack, count, distance
from bnnverify.cli.certify import certify
from bnnverify.cli.demo import demo
from bnnverify.cli.look import info
from bnnverify.cli.train import train
from bnnverify.errors import BadInput, Disagreement, MissingExtra

DECIDED, OPEN, BAD, DISAGREED = 0, 1, 2, 3


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="bnnverify")
def commands() -> None:
    """Exact counting and certification of binarized neural networks.

    INPUT is a file of bits (0/1 or -1/+1), a .npy file, a string of 0s and 1s, or DATASET:INDEX (digits:17, mnist:6677).

    Exit codes: 0 decided, 1 some UNKNOWN, 2 bad usage or bad input, 3 internal disagreement (a bug).
    """


for command in (demo, info, count, certify, attack, distance, train):
    commands.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what went wrong is one sentence on standard error."""
    sys.set_int_max_str_digits(0)  # counts over ten thousands of bits are longer than Python prints by default
    try:
        code = commands.main(arguments, prog_name="bnnverify", standalone_mode=False)
    except click.Abort:
        return _said("interrupted", OPEN)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return BAD
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        return _said(f"{error.format_message().rstrip('.')} (see {context.command_path if context else 'bnnverify'} --help)", BAD)
    except Disagreement as error:
        return _said(f"internal disagreement, nothing is reported: {error}", DISAGREED)
    except (BadInput, MissingExtra) as error:
        return _said(str(error), BAD)
    except OSError as error:
        return _said(f"cannot use {error.filename or 'a file'}: {error.strerror or error}", BAD)
    return int(code or DECIDED)


def _said(sentence: str, code: int) -> int:
    click.echo(f"bnnverify: {' '.join(sentence.split())}", err=True)
    return code
