"""The real discord.py, pointed at the fake."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route
from typing_extensions import override

from tests.fakes.discord import FakeDiscord
from tests.fakes.watch import Watch

_PATIENCE = 5.0


class Bot(discord.Client):
    """Keeps what it hears: messages, edits, deletions, interactions, and its own comings."""

    def __init__(self, intents: discord.Intents) -> None:
        super().__init__(intents=intents, guild_ready_timeout=0.05)
        self.heard: list[discord.Message] = []
        self.used: list[discord.Interaction] = []
        self.happened: list[str] = []
        self.watch = Watch()
        self.running: asyncio.Future[None] | None = None

    @override
    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        super().dispatch(event, *args, **kwargs)
        self.happened.append(event)
        self.watch.changed()

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)
        self.watch.changed()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        self.used.append(interaction)
        self.watch.changed()

    @override
    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Begin a further session at once, where the library would wait for five seconds."""

    async def until(self, event: str, times: int = 1) -> None:
        await self.watch.until(
            lambda: self.happened.count(event) >= times,
            timeout=_PATIENCE,
            now=lambda: self.happened,
        )

    async def hears(self, content: str) -> discord.Message:
        """Wait for a message that says this."""
        await self.watch.until(
            lambda: any(one.content == content for one in self.heard),
            timeout=_PATIENCE,
            now=lambda: [one.content for one in self.heard],
        )
        return next(one for one in reversed(self.heard) if one.content == content)

    async def is_asked(self, times: int = 1) -> discord.Interaction:
        """Wait for the n-th interaction."""
        await self.watch.until(
            lambda: len(self.used) >= times, timeout=_PATIENCE, now=lambda: self.used
        )
        return self.used[times - 1]


@asynccontextmanager
async def bot_for(
    server: FakeDiscord, *, intents: discord.Intents | None = None, token: str | None = None
) -> AsyncIterator[Bot]:
    """Give a bot that is ready; what ends its connection for good is raised here."""
    chosen = intents or discord.Intents(
        guilds=True, messages=True, message_content=True, reactions=True, typing=True
    )
    kept = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE = server.api_base
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server.gateway_url)
    bot = Bot(chosen)
    try:
        async with bot:
            running = asyncio.ensure_future(bot.start(token or server.token))
            bot.running = running
            ready = asyncio.ensure_future(bot.until("ready"))
            await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                ready.cancel()
                running.result()
            await ready
            yield bot
            await bot.close()
            with suppress(discord.ConnectionClosed):
                await running
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = kept


@asynccontextmanager
async def raw(server: FakeDiscord) -> AsyncIterator["Raw"]:
    """Give a client that says what no library would let through."""
    headers = {"Authorization": f"Bot {server.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield Raw(server, session)


class Raw:
    """Makes calls; each gives the status and the body."""

    def __init__(self, server: FakeDiscord, session: aiohttp.ClientSession) -> None:
        self._server = server
        self._session = session

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        url = f"{self._server.api_base}{path}"
        sent = {"json": body} if body is not None else {}
        async with self._session.request(method, url, **sent, **more) as answer:
            if answer.content_type != "application/json":
                return answer.status, await answer.text()
            return answer.status, await answer.json()

    async def headers(self, method: str, path: str, body: Any = None) -> tuple[Any, Any]:
        """Return the headers of an answer, and its body."""
        url = f"{self._server.api_base}{path}"
        sent = {"json": body} if body is not None else {}
        async with self._session.request(method, url, **sent) as answer:
            return answer.headers, await answer.json()

    async def status(self, url: str) -> int:
        """Ask for anything, following no redirect."""
        async with self._session.get(yarl.URL(url, encoded=True), allow_redirects=False) as answer:
            return answer.status

    async def code(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, int]:
        """Return the status of a call that is refused, and Discord's own code."""
        status, refusal = await self.call(method, path, body, **more)
        return status, refusal["code"]
