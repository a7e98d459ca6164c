"""`parley places`: the groups and channels in which the bot is, allowed or not."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from gateway.cli.answering import answer
from gateway.cli.options import with_config
from gateway.cli.tables import print_table
from gateway.cli.words import ago, echo_json, spent, with_json

_ALLOWED = ("place", "account", "answers", "agent", "last active", "sessions", "tokens")
_REFUSED = ("not allowed", "account", "called", "by", "last")
_ANSWERS = {"mention": "if called", "always": "always"}


@click.group()
def command() -> None:
    """See where the bot is, and which id to put into `access.groups`."""


@command.command("list")
@with_config
@with_json
def list_places(config: Path | None, *, as_json: bool) -> None:
    """Show the groups and channels that there are.

    Those that the settings name, and those that wrote to the bot.
    """
    found = answer(config, "places.list")
    if as_json:
        echo_json(found)
        return
    allowed = [place for place in found["places"] if place["is_allowed"]]
    others = [place for place in found["places"] if not place["is_allowed"]]
    if allowed:
        _print_allowed(allowed, found["currency"])
    if others:
        print_table(_REFUSED, [_refused_row(place) for place in others], wraps=("account",))
        click.echo("Name a place in access.groups to have it answered there.")
    if not found["places"]:
        click.echo("No group or channel has written to the bot, and the settings name none.")


def _print_allowed(places: Sequence[Mapping[str, Any]], currency: str) -> None:
    has_prices = any(place["cost"] for place in places)
    print_table(
        (*_ALLOWED, *["cost"] * has_prices),
        [
            (*_allowed_row(place), *[spent(place["cost"], currency)] * has_prices)
            for place in places
        ],
        numbers=2 + has_prices,
        wraps=("account", "agent"),
    )
    click.echo(f"Tokens{' and cost' * has_prices} are those of the last 30 days.")


def _allowed_row(place: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        place["place"],
        ", ".join(place["accounts"]),
        _ANSWERS[place["answer"]],
        ", ".join(place["agents"]),
        ago(place["last_active"]),
        f"{place['sessions']:,}",
        f"{place['total_tokens']:,}",
    )


def _refused_row(place: Mapping[str, Any]) -> tuple[str, ...]:
    times = place["refused"]
    called = "once" if times == 1 else f"{times:,} times"
    return (
        place["place"],
        ", ".join(place["accounts"]),
        called if times else "was allowed once",
        place["refused_by"] or "",
        ago(place["refused_at"] if times else place["last_active"]),
    )
