"""What the owner asks for while no gateway runs: done on its store, and told to nobody."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from gateway.clock import Clock, SystemClock
from gateway.contracts.privacy import Privacy
from gateway.contracts.stores import Store
from gateway.control.dead_letters import DeadLetterControl
from gateway.control.oversight import oversight
from gateway.control.people import PeopleControl
from gateway.control.server import Verb
from gateway.control.verbs import Control
from gateway.errors import Refused
from gateway.inbound.erasing import erase
from gateway.inbound.turn_files import TurnFiles
from gateway.money.budgets import Budgets
from gateway.parts import agents_of, build_places, make_data_dir, open_store, store_url
from gateway.people.directory import Directory
from gateway.people.linking import Linking
from gateway.people.pairing import Pairing
from gateway.settings import GatewaySettings
from gateway.store.location import database_path

_MAKES_A_STORE = frozenset({"pair.admit"})


async def answer_from_store(settings: GatewaySettings, verb: str, args: Mapping[str, str]) -> Any:
    if verb in _MAKES_A_STORE:
        make_data_dir(settings)
    elif not database_path(store_url(settings)).exists():
        raise Refused(
            f"no gateway has run on {settings.data_dir} yet: give the --config that it runs with"
        )
    clock = SystemClock()
    store = open_store(settings, clock)
    await store.open()
    try:
        return await _verbs(settings, store, clock)[verb](args)
    finally:
        await store.close()


def _verbs(settings: GatewaySettings, store: Store, clock: Clock) -> dict[str, Verb]:
    key_file = settings.data_dir / "pairing.key"
    directory = Directory(store.people, settings.access)
    linking = Linking(store, key_file, _nothing_to_settle, _say_later)
    control = Control(
        linking=linking,
        stop_sender=_nobody_to_stop,
        pairing=Pairing(store, key_file, clock, _say_later),
        directory=directory,
        inbox=store.inbox,
        health=(),
        agents=(),
        models=tuple,
        clock=clock,
        started_at=clock.now(),
    )
    files = TurnFiles({}, agents_of(settings), settings.data_dir, clock)
    people = PeopleControl(
        directory,
        linking,
        store.audit,
        store.privacy,
        partial(_erase_due, store.privacy, files, clock),
    )
    places = build_places(settings, store, clock)
    budgets = Budgets(settings.budgets, store.holds, clock)
    others = oversight(store, directory, places, budgets, clock, _no_pool)
    dead = DeadLetterControl(store.dead_letters, _answer_at_the_next_start)
    return {**control.verbs(), **people.verbs(), **dead.verbs(), **others}


async def _erase_due(privacy: Privacy, files: TurnFiles, clock: Clock) -> bool:
    """Erase without a running gateway, and without a word: nobody can be told."""
    for erasure in await privacy.waiting():
        if erasure.due_at <= clock.now() and await privacy.is_still_asked(erasure):
            await erase(erasure, privacy, files)
    return True


def _answer_at_the_next_start(_: object) -> None:
    """What waits is answered once a gateway runs."""


def _no_pool(_: object) -> None:
    """Without a running gateway nobody has a session's runner."""


async def _nothing_to_settle(_: object) -> None:
    """Nothing runs that could go on by the old order."""


async def _nobody_to_stop(_: object, __: object) -> None:
    """Nothing is at work for anybody."""


def _say_later() -> None:
    """What is to be told is kept, and told at the next start."""
