"""Discord as people meet it: directly, in a channel of a server, and in a thread of one."""

from collections.abc import Callable
from typing import Any, ClassVar, Self

from typing_extensions import override

from tests.fakes.discord import Channel, FakeDiscord, Interaction, Message, User
from tests.journeys.platform import PATIENCE, Person, Platform, Shown

_OWNER = 42


class DiscordPerson(Person):
    """Somebody in one channel, or in their own conversation with the bot."""

    def __init__(self, server: FakeDiscord, user: User, channel: Channel) -> None:
        self.server = server
        self.user = user
        self.channel = channel
        self.name = user.name
        self.identity = f"discord:{user.id}"
        self._written: Message | None = None

    @override
    def writes(self, text: str, **more: Any) -> Message:
        self._written = self.user.writes(self._addressed(text), channel=self.channel, **more)
        return self._written

    @override
    def edits(self, text: str) -> None:
        assert self._written is not None
        self.user.edits(self._written, self._addressed(text))

    @override
    def alone(self) -> "DiscordPerson":
        return DiscordPerson(self.server, self.user, self.user.dm)

    @override
    def takes_back(self) -> None:
        assert self._written is not None
        self.user.deletes(self._written)

    @override
    def sends(self, name: str, data: bytes, words: str = "") -> Message:
        return self.user.sends(name, data, words=self._addressed(words), channel=self.channel)

    @override
    def presses(self, label: str) -> None:
        self.user.presses(label, channel=self.channel)

    def uses(self, command: str, **options: Any) -> Interaction:
        """Use a command from the menu."""
        return self.user.uses(command, channel=self.channel, **options)

    @override
    def sees(self) -> list[Shown]:
        return [
            _shown(one, part)
            for one in self.channel.shown(self.user.id)
            if one.is_from_bot and not one.is_thinking
            for part in range(max(1, len(one.files)))
        ]

    @override
    def signs(self) -> list[str]:
        assert self._written is not None
        bot = self.server.world.bot_id
        return [emoji for emoji, who in self._written.reactions.items() if bot in who]

    @override
    def asides(self) -> list[str]:
        shown = self.channel.shown(self.user.id)
        return [one.text for one in shown if one.is_from_bot and one.seen_by == self.user.id]

    @override
    def preview(self) -> str:
        growing = [one.text for one in self.sees() if "Stop" in one.buttons]
        return growing[-1] if growing else ""

    @override
    async def until(self, holds: Callable[[], bool]) -> None:
        await self.channel.watch.until(holds, timeout=self.patience, now=self.sees)

    def _addressed(self, text: str) -> str:
        return text if self.channel.is_direct else f"{self.server.mention} {text}".rstrip()


class Discord(Platform):
    """A bot's Discord. Everybody is in a direct conversation of their own."""

    name: ClassVar[str] = "discord"
    owner: ClassVar[str] = f"discord:{_OWNER}"
    server: FakeDiscord
    people = 0

    @override
    async def __aenter__(self) -> Self:
        server = FakeDiscord(clock=self.clock)
        self.server = await self._stack.enter_async_context(server)
        # What people and the SDK wait for by the machine's clock is as long here as in life.
        speed = getattr(self.clock, "speed", 1.0)
        server.world.answer_seconds *= speed
        server.gateway.session_seconds *= speed
        server.rates.speed = speed
        self._receiving = 0
        return self

    @property
    @override
    def entry(self) -> dict[str, Any]:
        return {
            "token": self.server.token,
            "api_base": self.server.api_base,
            "gateway_url": self.server.gateway_url,
            "cdn_hosts": ["127.0.0.1"],
        }

    @property
    @override
    def secrets(self) -> list[str]:
        return [self.server.token, self.server.token.rpartition(".")[2]]

    @override
    def person(self, name: str = "Ann") -> DiscordPerson:
        user = self.new_user(name)
        return DiscordPerson(self.server, user, user.dm)

    def new_user(self, name: str) -> User:
        self.people += 1
        return self.server.user(_OWNER + self.people - 1, name)

    @override
    def said(self) -> list[str]:
        return [
            message.content
            for channel in self.server.channels.values()
            for message in channel.messages.values()
            if not message.is_from_bot and message.is_talk
        ]

    @override
    def before_start(self) -> None:
        self._receiving = self.server.gateway.welcomes

    @override
    async def connected(self) -> None:
        gateway = self.server.gateway
        await self.server.until(
            lambda _: gateway.welcomes > self._receiving and gateway.is_connected,
            timeout=PATIENCE,
        )

    @override
    def pings(self) -> list[str]:
        return [one.kind for one in self.server.pings if one.kind != "reply"]

    @override
    def complaints(self) -> list[str]:
        refused = [f"{call.name}: {call.refused}" for call in self.server.log if call.refused]
        unknown = [f"{name} has no {field}" for name, field in self.server.unknown_fields]
        closed = [f"the gateway closed with {code}" for code in self.server.gateway.refused]
        pings = [f"{one.kind} was called" for one in self.server.pings if one.kind != "reply"]
        penalties = self.server.calls_in_penalty
        return [*refused, *unknown, *closed, *pings, *(["a call in a penalty"] * penalties)]


class DiscordServer(Discord):
    """Everybody is in one channel of a server, and calls the bot by its name."""

    @override
    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.team = self.server.guild("Team")
        self.place = self.meeting_place()
        return self

    def meeting_place(self) -> Channel:
        return self.team.text("general")

    @property
    @override
    def place_name(self) -> str:
        return f"discord:{(self.place.parent or self.place).id}"

    @override
    def person(self, name: str = "Ann") -> DiscordPerson:
        user = self.new_user(name)
        self.team.admits(user.id)
        return DiscordPerson(self.server, user, self.place)


class DiscordThread(DiscordServer):
    """Everybody is in one thread of a channel."""

    @override
    def meeting_place(self) -> Channel:
        host = self.server.user(7, "Host")
        self.team.admits(host.id)
        return host.opens_thread(super().meeting_place(), "Talk")


def _shown(message: Message, part: int) -> Shown:
    """Show a message, or one file of it; its words are with the first."""
    file = message.files[part] if message.files else None
    return Shown(
        text=message.text if part == 0 else "",
        buttons=tuple(message.labels),
        file=file.data if file else None,
        is_picture=file is not None and file.is_image,
    )
