"""Numbers and times as the commands print them."""

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from gateway.cli.options import Command
from gateway.cli.status import duration


def with_json(command: Command) -> Callable[..., Any]:
    """Give a command `--json` (as `as_json`)."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def echo_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2))


def when(at: float | None) -> str:
    return "never" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def ago(at: float | None) -> str:
    """Return how long ago that was, in its largest unit."""
    if at is None:
        return "never"
    seconds = time.time() - at
    return "just now" if seconds < 1 else f"{' '.join(duration(seconds).split()[:2])} ago"


def many(names: Sequence[str]) -> str:
    """Return the first name, and how many others there are."""
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return f"{names[0]}{more}" if names else ""


def spent(amount: float, currency: str) -> str:
    """Write what was paid; where nothing was, as there was no price, a dash."""
    return cost(amount, currency) if amount else "-"


def cost(amount: float, currency: str) -> str:
    """Write money: two digits, or as many as a small amount needs to be seen."""
    return f"{amount:.4f} {currency}" if 0 < amount < 1 else f"{amount:,.2f} {currency}"
