"""`parley pair`: who asked to be let in, and letting them in."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gateway.cli.answering import answer
from gateway.cli.options import with_config
from gateway.cli.status import duration
from gateway.cli.tables import print_table
from gateway.config.cross_checks import doubt_about_id
from gateway.config.installed import Installed
from gateway.errors import Refused
from gateway.logs import escape_controls


@click.group()
def command() -> None:
    """Let people in, with or without a running gateway."""


@command.command("list")
@with_config
def list_requests(config: Path | None) -> None:
    """Show who asks to be let in, and who is in."""
    known = answer(config, "pair.list")
    if known["requests"]:
        print_table(
            ("asks", "name", "account", "expires in"),
            [_request_row(request) for request in known["requests"]],
        )
    if known["people"]:
        print_table(("known", "name", "role"), [_person_row(person) for person in known["people"]])
    if not known["requests"] and not known["people"]:
        click.echo("Nobody has asked yet.")


@command.command()
@click.argument("code")
@with_config
def approve(config: Path | None, code: str) -> None:
    """Let in the person who was given CODE."""
    request = answer(config, "pair.approve", code=code)
    name = escape_controls(request["name"])
    click.echo(f"{name} ({request['identity']}) may talk to the bot now.")


@command.command()
@click.argument("identity", metavar="PLATFORM:ID")
@with_config
def admit(config: Path | None, identity: str) -> None:
    """Let in a person by the id that the platform gave them."""
    _look_at(identity)
    admitted = answer(config, "pair.admit", identity=identity)
    click.echo(f"{admitted['identity']} may talk to the bot now.")


@command.command()
@click.argument("identity", metavar="PLATFORM:ID")
@with_config
def dismiss(config: Path | None, identity: str) -> None:
    """Make a person a stranger again."""
    dismissed = answer(config, "pair.dismiss", identity=identity)
    click.echo(f"{dismissed['identity']} is a stranger again.")


def _look_at(identity: str) -> None:
    """Refuse what nobody's id can be: it would let in nobody, and nobody would know.

    Raises:
        Refused: it is on no platform, or does not look like the ids there.
    """
    platform, _, own = identity.partition(":")
    installed = Installed()
    if not platform or not own or own.startswith("@"):
        return  # refused wherever an id is written
    if platform not in installed.platforms():
        known = ", ".join(installed.platforms())
        raise Refused(f"{identity} is on no platform of this version (there are: {known}).")
    form = installed.settings_type(platform).user_ids
    if form is not None and not form.fits(own):
        raise Refused(f"{doubt_about_id(platform, own, form)}. Strangers' ids are in the log.")


def _request_row(request: Mapping[str, Any]) -> tuple[str, str, str, str]:
    left = duration(max(0.0, request["expires_at"] - time.time()))
    return request["identity"], request["name"], request["account"], left


def _person_row(person: Mapping[str, Any]) -> tuple[str, str, str]:
    return person["identity"], person["name"], person["role"]
