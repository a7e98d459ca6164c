"""The SDK's gateway socket, with our session under it and nothing of the SDK above it."""

from collections.abc import Callable
from typing import Any

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient
from typing_extensions import override

from adapters.discord.transport import CONNECT_SECONDS, USER_AGENT, Rest
from gateway.clock import Clock

Received = Callable[[str, Any], None]


class _Http(HTTPClient):
    """Lends the SDK our session, as it would make one only to ask an address of its own."""

    def __init__(self, rest: Rest, token: str, clock_loop: Any) -> None:
        super().__init__(clock_loop)
        self._rest = rest
        self.token = token

    @override
    async def ws_connect(self, url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        return await self._rest.session.ws_connect(
            url,
            max_msg_size=0,
            autoclose=False,
            compress=compress,
            timeout=aiohttp.ClientWSTimeout(ws_close=CONNECT_SECONDS),
            headers={"User-Agent": USER_AGENT},
        )


class _Parsers(dict[str, Callable[[Any], None]]):
    """Hands every event over as it is: objects of the SDK would be made for nothing."""

    def __init__(self, received: Received) -> None:
        super().__init__()
        self._received = received

    def __missing__(self, event: str) -> Callable[[Any], None]:
        return lambda payload: self._received(event, payload)


class Line(discord.Client):
    """The SDK's client, of which only its gateway socket is used.

    `received` gets every event in order, `alive` is called whenever Discord has said anything.
    """

    def __init__(
        self,
        rest: Rest,
        token: str,
        intents: discord.Intents,
        received: Received,
        alive: Callable[[], None],
        clock: Clock,
        silent_at_most: float,
    ) -> None:
        super().__init__(
            intents=intents,
            heartbeat_timeout=silent_at_most,
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            enable_debug_events=True,
        )
        self._rest = rest
        self._token = token
        self._alive = alive
        self._clock = clock
        self._connection.parsers = _Parsers(received)

    async def prepare(self) -> None:
        await self._async_setup_hook()
        self.http = _Http(self._rest, self._token, self.loop)
        self._connection.http = self.http

    @override
    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Take the SDK's own events for what they are worth: something was heard."""
        if event == "socket_raw_receive":
            self._alive()

    @override
    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait as Discord asks before one identifies again."""
        if not initial:
            await self._clock.sleep(5.0)

    async def dial(
        self, address: yarl.URL, *, session: str | None, sequence: int | None, is_first: bool
    ) -> DiscordWebSocket:
        """Connect, and resume the session if there is one; raises what the SDK raises."""
        return await DiscordWebSocket.from_client(
            self,
            initial=is_first,
            gateway=address,
            session=session,
            sequence=sequence,
            resume=session is not None,
        )
