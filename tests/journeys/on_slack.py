"""Slack as people meet it: an agent's direct messages, a plain app's, a channel, signed HTTP."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, ClassVar, Self

from typing_extensions import override

from tests.fakes.slack import Conversation, Delivery, FakeSlack, Message, User
from tests.journeys.platform import PATIENCE, Person, Platform, Shown

_INSISTS_SECONDS = 30.0
_UNHEARD = ("no connection", "connection_failed")


class SlackPerson(Person):
    """Somebody in one conversation, and in one thread of it once they have begun it.

    What the app says outside that thread they do not see, as it would be another talk.
    """

    def __init__(self, platform: "Slack", user: User, place: Conversation) -> None:
        self.platform = platform
        self.server = platform.server
        self.user = user
        self.place = place
        self.name = user.name
        self.identity = f"slack:{user.team}:{user.id}"
        self._thread: str | None = None
        self._written: Message | None = None

    @property
    def thread(self) -> str | None:
        """The root of the thread in which this person talks."""
        return self._thread

    @override
    def writes(self, text: str, **more: Any) -> Message:
        message = self.user.writes(
            self._addressed(text), place=self.place, **{"thread": self.thread, **more}
        )
        self._follow(message)
        self._written = message
        return message

    @override
    def edits(self, text: str) -> None:
        assert self._written is not None
        self.user.edits(self._written, self._addressed(text), place=self.place)

    @override
    def alone(self) -> "SlackPerson":
        return SlackPerson(self.platform, self.user, self.user.dm)

    @override
    def takes_back(self) -> None:
        assert self._written is not None
        self.user.deletes(self._written, place=self.place)

    @override
    def sends(self, name: str, data: bytes, words: str = "", **more: Any) -> Message:
        message = self.user.sends(
            {name: data},
            self._addressed(words),
            place=self.place,
            **{"thread": self.thread, **more},
        )
        self._follow(message)
        return message

    def _follow(self, message: Message) -> None:
        if self._thread is None:
            self._thread = message.thread_ts or message.ts

    @override
    def presses(self, label: str) -> None:
        if label == "Stop" and not any(label in one.labels for one in self._messages()):
            self.user.presses_stop(self.thread or "", place=self.place)
            return
        for message in reversed(self._messages()):
            if label in message.labels:
                told = self.user.presses(label, on=message, place=self.place)
                self.server.world.errands.start(self._insist(told, label, message))
                return
        raise AssertionError(f"no button {label!r} is shown")

    async def _insist(self, told: Delivery, label: str, message: Message) -> None:
        """Press again while Slack says that the app is not there, as people do for a while."""
        clock = self.server.clock
        end = clock.now() + _INSISTS_SECONDS
        while clock.now() < end:
            while not told.is_over:
                await self.server.watch.next()
            if told.attempts[-1].outcome not in _UNHEARD or label not in message.labels:
                return
            await clock.sleep(0.5)
            told = self.user.presses(label, on=message, place=self.place)

    @override
    def sees(self) -> list[Shown]:
        return [shown for one in self._messages() for shown in _shown(one)]

    @override
    def signs(self) -> list[str]:
        assert self._written is not None
        bot = self.server.world.bot_user
        return [name for name, who in self._written.reactions.items() if bot in who]

    @override
    def asides(self) -> list[str]:
        return self.user.whispers(self.place)

    @override
    def preview(self) -> str:
        now = self.server.clock.now()
        growing = [
            one.shown for one in self._messages() if one.is_streaming(now) or "Stop" in one.labels
        ]
        return growing[-1] if growing else ""

    @override
    async def until(self, holds: Callable[[], bool]) -> None:
        await self.place.watch.until(holds, timeout=self.patience, now=self.sees)

    def _messages(self) -> list[Message]:
        """Return what the app says where this person looks."""
        shown = self.place.top() if self.thread is None else self.place.shown(self.thread)
        return [one for one in shown if one.is_from_bot]

    def _addressed(self, text: str) -> str:
        return text if self.place.kind == "im" else f"{self.server.mention} {text}".rstrip()


class FlatPerson(SlackPerson):
    """Somebody in direct messages that have no threads."""

    @override
    def _follow(self, message: Message) -> None:
        return


class ChannelPerson(SlackPerson):
    """Somebody in the channel; all talk in the thread that the first of them began."""

    @property
    @override
    def thread(self) -> str | None:
        return self.platform.thread

    @override
    def _follow(self, message: Message) -> None:
        if self.platform.thread is None:
            self.platform.thread = message.ts


class Slack(Platform):
    """An app with the agent view. Everybody is in direct messages of their own."""

    name: ClassVar[str] = "slack"
    owner: ClassVar[str] = "slack:T0TEAM:U0ANN"
    server: FakeSlack
    bot_token = "xoxb-1111-2222-TESTBOTTOKEN"
    app_token = "xapp-1-A0APP-3333-TESTAPPTOKEN"
    signing_secret = "8f742231b10e8888abcd99yyyzzz85a5"
    thread: str | None = None
    """Where all of them talk, if they share a thread."""

    @override
    async def __aenter__(self) -> Self:
        server = FakeSlack(
            bot_token=self.bot_token,
            app_token=self.app_token,
            signing_secret=self.signing_secret,
            clock=self.clock,
        )
        self.server = await self._stack.enter_async_context(server)
        # What Slack waits for is as long here as in life.
        server.world.answer_seconds *= getattr(self.clock, "speed", 1.0)
        self._opened = 0
        return self

    @property
    @override
    def entry(self) -> dict[str, Any]:
        return {
            "bot_token": self.bot_token,
            "app_token": self.app_token,
            "api_base": f"{self.server.url}/api/",
        }

    @property
    @override
    def secrets(self) -> list[str]:
        return [self.bot_token, self.app_token, self.signing_secret]

    @override
    def person(self, name: str = "Ann") -> SlackPerson:
        user = self.new_user(name)
        return SlackPerson(self, user, user.dm)

    def new_user(self, name: str) -> User:
        known = sum(one.startswith(f"U0{name.upper()}") for one in self.server.world.users)
        return self.server.user(f"U0{name.upper()}{known or ''}", name)

    @override
    def said(self) -> list[str]:
        return [
            message.shown.removeprefix(f"@{self.server.world.bot_user} ")
            for place in self.server.conversations.values()
            for message in place.messages.values()
            if not message.is_from_bot
        ]

    @override
    def before_start(self) -> None:
        self._opened = self.server.sockets.opened

    @override
    async def connected(self) -> None:
        await self.server.until(
            lambda server: server.sockets.opened > self._opened, timeout=PATIENCE
        )

    @override
    def pings(self) -> list[str]:
        return [ping.token for ping in self.server.pings]

    @override
    def complaints(self) -> list[str]:
        server = self.server
        refused = [f"{call.method}: {call.refused}" for call in server.log if call.refused]
        unknown = [f"{method} has no {name}" for method, name in server.unknown_arguments]
        pings = [f"{ping.method} said {ping.token}" for ping in server.pings]
        acknowledged = [
            f"{one!r} was acknowledged and never sent"
            for one in server.sockets.unknown_acknowledgements
        ]
        penalties = ["a call in a penalty"] * server.calls_in_penalty
        return [*refused, *unknown, *pings, *acknowledged, *penalties]


class SlackPlain(Slack):
    """An app without the agent view: direct messages are flat."""

    @override
    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.server.world.is_agent = False
        self.server.world.scopes.discard("assistant:write")
        return self

    @override
    def person(self, name: str = "Ann") -> SlackPerson:
        user = self.new_user(name)
        return FlatPerson(self, user, user.dm)


class SlackChannel(Slack):
    """Everybody is in one channel, and in one thread of it."""

    @override
    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.channel = self.server.channel("team")
        return self

    @property
    @override
    def place_name(self) -> str:
        return f"slack:{self.channel.id}"

    @override
    def person(self, name: str = "Ann") -> SlackPerson:
        user = self.new_user(name)
        self.channel.members.add(user.id)
        return ChannelPerson(self, user, self.channel)


class SlackHttp(Slack):
    """An app with the agent view that is told things by signed HTTP."""

    path = "/slack/events"

    @override
    async def __aenter__(self) -> Self:
        await super().__aenter__()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.requests = self.server.posts_to(f"http://127.0.0.1:{self.port}{self.path}")
        return self

    @property
    @override
    def entry(self) -> dict[str, Any]:
        return {
            "bot_token": self.bot_token,
            "signing_secret": self.signing_secret,
            "mode": "http",
            "http": {"listen": "127.0.0.1", "port": self.port, "path": self.path},
            "api_base": f"{self.server.url}/api/",
        }

    @override
    async def connected(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await self.requests.verify():
                await self.clock.sleep(0.5)


def _shown(message: Message) -> list[Shown]:
    """Return a message as a person sees it: with files, one for each of them."""
    labels = tuple(message.labels)
    if not message.files:
        tasks = tuple(f"{task.title}: {task.status}" for task in message.tasks)
        return [Shown(text=message.shown, buttons=labels, tasks=tasks)]
    return [
        Shown(
            text="" if number else message.shown,
            buttons=() if number else labels,
            file=stored.data,
            is_picture=stored.mime.startswith("image/"),
        )
        for number, stored in enumerate(message.files)
    ]
