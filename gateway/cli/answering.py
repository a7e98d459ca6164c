"""Answers for commands that work with a running gateway, and on its store when none runs."""

import asyncio
from pathlib import Path
from typing import Any

from gateway.cli.control import NothingRuns, ask
from gateway.cli.options import load


def answer(config: Path | None, verb: str, **args: str) -> Any:
    """Ask the running gateway, or do it on its store when none runs."""
    settings = load(config).settings
    try:
        return ask(settings.data_dir, verb, **args)
    except NothingRuns:
        from gateway.cli.unattended import answer_from_store  # noqa: PLC0415 - slow

        return asyncio.run(answer_from_store(settings, verb, args))
