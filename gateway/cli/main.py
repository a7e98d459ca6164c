"""Finds the subcommand, and turns what it raises into one clear line and an exit code."""

import sys
import traceback
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import click
from typing_extensions import override

from gateway.cli.exit_codes import exit_code_of
from gateway.cli.notes import DEBUG, SECRETS
from gateway.errors import GatewayError

_COMMANDS = (
    "serve",
    "chat",
    "check",
    "doctor",
    "status",
    "pair",
    "people",
    "places",
    "sessions",
    "usage",
    "dead",
    "version",
)
_OF_PLATFORMS = "parley.commands"
"""Entry points whose names are subcommands, each a `click.Command`."""


class _Parley(click.Group):
    """Imports a command only when it is asked for: starting must stay quick."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS, *sorted(entry_points(group=_OF_PLATFORMS).names)]

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return _command_of_platform(cmd_name)
        _import_structlog_lightly()
        command: click.Command = import_module(f"gateway.cli.{cmd_name}").command
        return command

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort, BrokenPipeError):
            raise  # click ends on these as programs do, also where `head` has seen enough
        except Exception as error:  # noqa: BLE001 - this is where every error ends
            reported = _reported(error)
            lines = traceback.format_exception(error) if ctx.meta.get(DEBUG) else _explain(reported)
            _print(lines, ctx.meta.get(SECRETS, ()))
            ctx.exit(exit_code_of(reported))


@click.group(cls=_Parley, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Put one assistant on the chat platforms you use."""


def _command_of_platform(name: str) -> click.Command | None:
    """Load what a platform's package adds to the command line, such as how to set it up there."""
    for entry in entry_points(group=_OF_PLATFORMS, name=name):
        command: click.Command = entry.load()
        return command
    return None


def _reported(error: Exception) -> Exception:
    """Return what the gateway itself reports, even from inside a group of errors."""
    if isinstance(error, ExceptionGroup):
        ours = error.subgroup(GatewayError)
        first = (ours or error).exceptions[0]
        return _reported(first)
    return error


def _explain(error: Exception) -> Sequence[str]:
    lines = str(error).splitlines() or [type(error).__name__]
    if not isinstance(error, GatewayError):
        lines = [
            f"{type(error).__name__}: {error}",
            "this is a bug; --debug shows where it happened",
        ]
    return [f"parley: {line}\n" for line in lines]


def _print(lines: Iterable[str], secrets: Iterable[str]) -> None:
    """Print to standard error, as careful as the log is."""
    from gateway.logs import Redactor, escape_controls  # noqa: PLC0415 - seldom needed

    redact = Redactor(secrets)
    for line in lines:
        click.echo(escape_controls(redact(line), keep="\n"), err=True, nl=False)


def _import_structlog_lightly() -> None:
    """Keep structlog from importing rich, for tracebacks that nobody asks for.

    That is 45 ms of every start. Rich itself stays importable afterwards.
    """
    if "structlog" in sys.modules or "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment] # how Python marks what is not there
    try:
        import_module("structlog")
    finally:
        del sys.modules["rich"]
