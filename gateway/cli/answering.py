"""Answers for commands that work with a running gateway, and on its store when none runs."""

import asyncio
from pathlib import Path
from typing import Any

from gateway.cli.control import NothingRuns, ask
from gateway.cli.options import is_debug, load
from gateway.settings import LogSettings


def answer(config: Path | None, verb: str, **args: str) -> Any:
    """Ask the running gateway, or do it on its store when none runs."""
    loaded = load(config)
    settings = loaded.settings
    try:
        return ask(settings.data_dir, verb, **args)
    except NothingRuns:
        from gateway.cli.unattended import answer_from_store  # noqa: PLC0415 - slow
        from gateway.logs import configure_logs  # noqa: PLC0415

        # What the store tells of itself is no part of the answer.
        configure_logs(LogSettings(level="debug" if is_debug() else "warning"), loaded.secrets)

        return asyncio.run(answer_from_store(settings, verb, args))
