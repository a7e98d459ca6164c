"""Answers for commands that work with a running gateway, and on its store when none runs."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gateway.cli.control import NothingRuns, ask
from gateway.cli.options import load
from gateway.errors import Refused
from gateway.settings import GatewaySettings

_MAKES_A_STORE = frozenset({"pair.admit"})


def answer(config: Path | None, verb: str, **args: str) -> Any:
    """Ask the running gateway, or do it on its store when none runs."""
    settings = load(config).settings
    try:
        return ask(settings.data_dir, verb, **args)
    except NothingRuns:
        return asyncio.run(_answer_from_store(settings, verb, args))


async def _answer_from_store(settings: GatewaySettings, verb: str, args: Mapping[str, str]) -> Any:
    from gateway.clock import SystemClock  # noqa: PLC0415
    from gateway.control.people import PeopleControl  # noqa: PLC0415
    from gateway.control.verbs import Control  # noqa: PLC0415
    from gateway.inbound.turn_files import TurnFiles  # noqa: PLC0415
    from gateway.parts import agents_of, make_data_dir, open_store, store_url  # noqa: PLC0415 - slow
    from gateway.people.directory import Directory  # noqa: PLC0415
    from gateway.people.linking import Linking  # noqa: PLC0415
    from gateway.people.pairing import Pairing  # noqa: PLC0415
    from gateway.store.location import database_path  # noqa: PLC0415

    if verb in _MAKES_A_STORE:
        make_data_dir(settings)
    elif not database_path(store_url(settings)).exists():
        raise Refused(
            f"no gateway has run on {settings.data_dir} yet: give the --config that it runs with"
        )
    clock = SystemClock()
    store = open_store(settings, clock)
    await store.open()
    key_file = settings.data_dir / "pairing.key"
    try:
        control = Control(
            pairing=Pairing(store, key_file, clock),
            people=store.people,
            inbox=store.inbox,
            welcome=_greet_nobody,
            health=(),
            agents=(),
            clock=clock,
            started_at=clock.now(),
        )
        linking = Linking(store, key_file, _nothing_to_settle, _say_later)
        files = TurnFiles({}, agents_of(settings), settings.data_dir, clock)
        people = PeopleControl(
            Directory(store.people, settings.access),
            linking,
            store.audit,
            store.privacy,
            partial(_erase_due, store.privacy, files, clock),
        )
        return await {**control.verbs(), **people.verbs()}[verb](args)
    finally:
        await store.close()


async def _erase_due(privacy: Any, files: Any, clock: Any) -> bool:
    """Erase without a running gateway, and without a word: nobody can be told."""
    from gateway.inbound.erasing import erase  # noqa: PLC0415 - slow

    for erasure in await privacy.waiting():
        if erasure.due_at <= clock.now() and await privacy.is_still_asked(erasure):
            await erase(erasure, privacy, files)
    return True


def _greet_nobody(_: object) -> None:
    """Without a running gateway no message can be sent."""


async def _nothing_to_settle(_: object) -> None:
    """Nothing runs that could go on by the old order."""


def _say_later() -> None:
    """What is to be told is kept, and told at the next start."""
