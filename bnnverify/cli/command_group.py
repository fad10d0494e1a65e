"""The commands by the names of their files: a file of the folder `commands` is a command, and is imported when it is named."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import click

PACKAGE = "bnnverify.cli.commands"
FOLDER = Path(__file__).with_name("commands")


class CommandGroup(click.Group):
    """A group whose command `count` is the function `count_command` in commands/count.py."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands, sorted; nothing is imported."""
        return sorted(module.name for module in iter_modules([str(FOLDER)]))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command of this name, None where there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = getattr(import_module(f"{PACKAGE}.{cmd_name}"), f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command with the first sentence of its help, which is read without importing the file."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary(name)) for name in self.list_commands(ctx)])


def summary(name: str) -> str:
    """Return the first line of the docstring of a command's function."""
    tree = ast.parse((FOLDER / f"{name}.py").read_text("utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return (ast.get_docstring(functions[f"{name}_command"]) or "").partition("\n")[0]
