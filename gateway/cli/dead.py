"""`parley dead`: messages that were given up, and what becomes of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gateway.cli.answering import answer
from gateway.cli.options import with_config
from gateway.cli.tables import print_table
from gateway.cli.words import echo_json, when, with_json

_HEADINGS = ("number", "when", "account", "whose", "session", "state", "attempts", "why")


@click.group()
def command() -> None:
    """See, retry and drop messages without an answer.

    With or without a running gateway.
    """


@command.command("list")
@with_config
@with_json
def list_letters(config: Path | None, *, as_json: bool) -> None:
    """Show the newest messages that failed or were given up.

    Without their text.
    """
    letters = answer(config, "dead.list")
    if as_json:
        echo_json(letters)
    elif letters:
        print_table(_HEADINGS, [_row(letter) for letter in letters])
    else:
        click.echo("No message was given up.")


@command.command()
@click.argument("number")
@with_config
def retry(config: Path | None, number: str) -> None:
    """Let message NUMBER be answered after all, as /retry does."""
    revived = answer(config, "dead.retry", number=number)
    click.echo(f"Message {revived['number']} waits for its answer again.")


@command.command()
@click.argument("number")
@with_config
def drop(config: Path | None, number: str) -> None:
    """Close message NUMBER for good; /retry will not find it."""
    dropped = answer(config, "dead.drop", number=number)
    click.echo(f"Message {dropped['number']} is closed.")


def _row(letter: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(letter["number"]),
        when(letter["kept_at"]),
        letter["account"],
        letter["sender"],
        letter["session_key"],
        letter["state"],
        str(letter["attempts"]),
        letter["reason"],
    )
