"""Receiving for one bot: events go to the part that each is for, in the order they came."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import structlog
from discord.http import INTERNAL_API_VERSION

from adapters.discord.account import invite_link, who_we_are
from adapters.discord.bookmark import Stamp
from adapters.discord.catching_up import CatchingUp
from adapters.discord.connection import Connection, intents
from adapters.discord.continuation import Continuation
from adapters.discord.inbound import PLATFORM, Me, Reader
from adapters.discord.intake import Intake
from adapters.discord.interactions import Interactions
from adapters.discord.ledger import Ledger
from adapters.discord.outbound import command_bodies
from adapters.discord.places import Places
from adapters.discord.settings import DiscordSettings
from adapters.discord.threads import Threads
from adapters.discord.transport import Rest
from gateway.contracts.adapter import AdapterKit, Deliver
from gateway.errors import MALFORMED, GatewayError
from gateway.ids import AccountName
from gateway.messages import Message

log = structlog.get_logger()

Json = Mapping[str, Any]

_TALK = frozenset({"MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"})
_CHANNELS = frozenset({"CHANNEL_CREATE", "CHANNEL_UPDATE", "THREAD_CREATE", "THREAD_UPDATE"})
_EVERYWHERE = ""
_CHANNELS_GONE = frozenset({"CHANNEL_DELETE", "THREAD_DELETE"})


class Receiver:
    """Receives until cancelled; its connection ends with it."""

    def __init__(
        self,
        account: AccountName,
        settings: DiscordSettings,
        rest: Rest,
        places: Places,
        threads: Threads,
        interactions: Interactions,
        kit: AdapterKit,
    ) -> None:
        self._account = account
        self._settings = settings
        self._rest = rest
        self._places = places
        self._threads = threads
        self._interactions = interactions
        self._kit = kit

    async def run(self, deliver: Deliver) -> None:
        me = await who_we_are(self._rest)
        ledger = Ledger(self._kit, self._continuation(me))
        await ledger.load()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(ledger.keep_saving())
                tasks.create_task(self._interactions.tidy())
                events = self._events(me, ledger, deliver, tasks)
                events.go_on()
                await Connection(
                    self._settings, self._rest, self._kit, events.take, ledger.bookmark
                ).keep_up()
        except ExceptionGroup as group:
            raise _first(group) from group
        finally:
            await ledger.save(is_last=True)

    def _continuation(self, me: Me) -> Continuation:
        settings = self._settings
        belongs_to = (
            settings.token.get_secret_value(),
            intents(settings).value,
            INTERNAL_API_VERSION,
            settings.gateway_url,
        )
        file = self._kit.data_dir / f"{PLATFORM}-{quote(self._account, safe='')}.places"
        return Continuation(file, self._places, me.id, belongs_to, self._kit.clock)

    def _events(
        self, me: Me, ledger: Ledger, deliver: Deliver, tasks: asyncio.TaskGroup
    ) -> "Events":
        clock = self._kit.clock
        reader = Reader(self._account, me, self._places, makes_threads=self._settings.threads)
        intake = Intake(reader, deliver, ledger, clock, tasks)
        within = self._settings.catch_up
        catching_up = CatchingUp(self._rest, intake, ledger, self._places, clock, within=within)
        menu = Menu(self._settings, self._rest, ledger, me, self._kit)
        return Events(
            me,
            ledger,
            self._places,
            self._threads,
            intake,
            self._interactions,
            catching_up,
            menu,
            tasks,
        )


class Events:
    """Takes each event as Discord's gateway tells of it."""

    def __init__(
        self,
        me: Me,
        ledger: Ledger,
        places: Places,
        threads: Threads,
        intake: Intake,
        interactions: Interactions,
        catching_up: CatchingUp,
        menu: "Menu",
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._me = me
        self._ledger = ledger
        self._bookmark = ledger.bookmark
        self._places = places
        self._threads = threads
        self._intake = intake
        self._interactions = interactions
        self._catching_up = catching_up
        self._menu = menu
        self._tasks = tasks

    def go_on(self) -> None:
        """Look where an earlier process of the session has not looked any more."""
        self._catching_up.go_on(self._tasks)

    def take(self, event: str, payload: Any, number: int) -> None:
        """Take one event, and return at once: nobody reads the socket meanwhile."""
        known = self._places.changes
        try:
            self._take(event, payload, self._bookmark.stamp(number))
        except MALFORMED as error:
            log.warning("event.skipped", kind=event, error=type(error).__name__)
        finally:  # what cannot be taken must not be told again by each session
            self._bookmark.heard(number, of_places=self._places.changes != known)

    def _take(self, event: str, payload: Any, stamp: Stamp) -> None:
        if event in _TALK:
            inbound = self._intake.take(event, payload, stamp)
            if isinstance(inbound, Message):
                self._threads.note(inbound)
        elif event == "INTERACTION_CREATE":
            self._take_interaction(payload, stamp)
        elif event == "MESSAGE_DELETE_BULK":
            for number in payload.get("ids") or ():
                self._intake.take("MESSAGE_DELETE", {**payload, "id": number}, stamp)
        else:
            self._take_news(event, payload)

    def _take_news(self, event: str, payload: Any) -> None:
        """Learn of the session, and of servers and channels."""
        if event == "READY":
            self._ready(payload)
        elif event == "RESUMED":
            self._resumed()
        elif event == "GUILD_CREATE" and not payload.get("unavailable"):
            self._places.note_guild(payload, self._me.id)
            self._catching_up.described(payload["id"])
        elif event == "GUILD_DELETE" and not payload.get("unavailable"):
            self._places.forget_guild(payload["id"])
        elif event in _CHANNELS:
            self._places.note_channel(payload)
        elif event in _CHANNELS_GONE:
            self._places.forget_channel(payload["id"])
        elif event == "THREAD_LIST_SYNC":
            for thread in payload.get("threads") or ():
                self._places.note_channel(thread, payload.get("guild_id"))

    def _ready(self, payload: Any) -> None:
        self._bookmark.begin(payload["session_id"], payload["resume_gateway_url"])
        self._bookmark.is_replaying = False
        servers = [guild["id"] for guild in payload.get("guilds") or ()]
        log.info("bot.connected", servers=len(servers))
        if not servers:
            log.info("bot.in_no_server", invite=invite_link(self._me.application))
        self._catching_up.begin(servers, self._tasks)
        self._tasks.create_task(self._menu.publish())

    def _resumed(self) -> None:
        log.info("session.resumed", servers=self._places.servers)
        self._bookmark.is_replaying = False
        self._ledger.hurry()
        self._tasks.create_task(self._menu.publish())

    def _take_interaction(self, payload: Any, stamp: Stamp) -> None:
        message = self._intake.read("INTERACTION_CREATE", payload)
        if isinstance(message, Message):
            self._bookmark.arrived(stamp)
            is_late = self._bookmark.is_replaying
            self._tasks.create_task(self._answer(payload, message, stamp, is_late=is_late))

    async def _answer(self, payload: Any, message: Message, stamp: Stamp, *, is_late: bool) -> None:
        take = self._interactions.take_late if is_late else self._interactions.take
        await take(payload, message, self._intake)
        self._bookmark.kept(stamp)


class Menu:
    """The slash commands, published when they have changed and not at every start."""

    def __init__(
        self,
        settings: DiscordSettings,
        rest: Rest,
        ledger: Ledger,
        me: Me,
        kit: AdapterKit,
    ) -> None:
        self._settings = settings
        self._rest = rest
        self._ledger = ledger
        self._me = me
        self._commands = kit.commands

    async def publish(self) -> None:
        if not self._settings.commands:
            return
        servers = self._settings.command_servers
        scopes = servers or (_EVERYWHERE,)
        bodies = {one: command_bodies(self._commands, for_server=bool(one)) for one in scopes}
        made_from = json.dumps([bodies, self._me.application])
        made = hashlib.sha256(made_from.encode()).hexdigest()
        menu = ":".join([made, *scopes])
        if menu == self._ledger.menu:
            return
        _, *before = self._ledger.menu.split(":")
        try:
            for scope in {*before} - {*scopes}:
                await self._put(scope, [])  # else each command would be offered twice
            for scope, told in bodies.items():
                await self._put(scope, told)
        except GatewayError as error:
            log.warning("commands.not_published", reason=str(error))
        else:
            self._ledger.published(menu)
            await self._ledger.save()

    async def _put(self, server: str, bodies: list[dict[str, Any]]) -> None:
        application = self._me.application
        if server == _EVERYWHERE:
            path = "/applications/{application}/commands"
            await self._rest.call("PUT", path, bodies, application=application)
        else:
            path = "/applications/{application}/guilds/{guild}/commands"
            await self._rest.call("PUT", path, bodies, application=application, guild=server)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that ended everything else."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
