"""The options that commands share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gateway.cli.notes import DEBUG, SECRETS
from gateway.config import LoadedSettings, load_settings

Command = Callable[..., Any]


def with_config(command: Command) -> Command:
    """Give a command `--config` (as `config`) and `--debug`."""
    take_config = click.option(
        "--config",
        "-c",
        type=click.Path(path_type=Path),
        envvar="PARLEY_CONFIG",
        show_envvar=True,
        help="Settings file; without one, well-known variables are enough.",
    )
    take_debug = click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=_note_debug,
        help="Show tracebacks and log in full.",
    )
    return take_config(take_debug(command))


def is_debug() -> bool:
    return bool(click.get_current_context().meta.get(DEBUG))


def load(config: Path | None) -> LoadedSettings:
    loaded = load_settings(config, os.environ)
    click.get_current_context().meta[SECRETS] = loaded.secrets
    return loaded


def _note_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.meta[DEBUG] = value
