"""`parley pair`: who asked to be let in, and letting them in."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gateway.cli.control import NothingRuns, ask
from gateway.cli.options import load, with_config
from gateway.cli.status import duration
from gateway.cli.tables import print_table
from gateway.errors import Refused
from gateway.logs import escape_controls
from gateway.settings import GatewaySettings


@click.group()
def command() -> None:
    """Let people in, with or without a running gateway."""


@command.command("list")
@with_config
def list_requests(config: Path | None) -> None:
    """Show who asks to be let in, and who is in."""
    known = _answer(config, "pair.list")
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
    request = _answer(config, "pair.approve", code=code)
    name = escape_controls(request["name"])
    click.echo(f"{name} ({request['identity']}) may talk to the bot now.")


@command.command()
@click.argument("identity", metavar="PLATFORM:ID")
@with_config
def admit(config: Path | None, identity: str) -> None:
    """Let in a person by the id that the platform gave them."""
    admitted = _answer(config, "pair.admit", identity=identity)
    click.echo(f"{admitted['identity']} may talk to the bot now.")


@command.command()
@click.argument("identity", metavar="PLATFORM:ID")
@with_config
def dismiss(config: Path | None, identity: str) -> None:
    """Make a person a stranger again."""
    dismissed = _answer(config, "pair.dismiss", identity=identity)
    click.echo(f"{dismissed['identity']} is a stranger again.")


def _request_row(request: Mapping[str, Any]) -> tuple[str, str, str, str]:
    left = duration(max(0.0, request["expires_at"] - time.time()))
    return request["identity"], request["name"], request["account"], left


def _person_row(person: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"{person['platform']}:{person['external_user']}", person["name"], person["role"]


def _answer(config: Path | None, verb: str, **args: str) -> Any:
    """Ask the running gateway, or do it on its store when none runs."""
    settings = load(config).settings
    try:
        return ask(settings.data_dir, verb, **args)
    except NothingRuns:
        return asyncio.run(_answer_from_store(settings, verb, args))


async def _answer_from_store(settings: GatewaySettings, verb: str, args: Mapping[str, str]) -> Any:
    from gateway.clock import SystemClock  # noqa: PLC0415
    from gateway.control.verbs import Control  # noqa: PLC0415
    from gateway.parts import make_data_dir, open_store, store_url  # noqa: PLC0415 - slow
    from gateway.people.pairing import Pairing  # noqa: PLC0415
    from gateway.store.location import database_path  # noqa: PLC0415

    if verb == "pair.admit":
        make_data_dir(settings)
    elif not database_path(store_url(settings)).exists():
        raise Refused(
            f"no gateway has run on {settings.data_dir} yet: give the --config that it runs with"
        )
    clock = SystemClock()
    store = open_store(settings, clock)
    await store.open()
    try:
        control = Control(
            pairing=Pairing(store, settings.data_dir / "pairing.key", clock),
            people=store.people,
            inbox=store.inbox,
            welcome=_greet_nobody,
            health=(),
            agents=(),
            clock=clock,
            started_at=clock.now(),
        )
        return await control.verbs()[verb](args)
    finally:
        await store.close()


def _greet_nobody(_: object) -> None:
    """Without a running gateway no message can be sent."""
