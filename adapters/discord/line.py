"""The SDK's gateway socket, with our session under it and nothing of the SDK above it."""

from collections.abc import Callable
from typing import Any

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient
from typing_extensions import override

from adapters.discord.transport import USER_AGENT, Rest

Received = Callable[[str, Any, int], None]
"""Called with an event's name, what it tells, and its number in the session."""

_FAREWELL_SECONDS = 2.0


class _Http(HTTPClient):
    """Lends the SDK our session, as it would make one only to ask an address of its own."""

    def __init__(self, rest: Rest, token: str, clock_loop: Any) -> None:
        super().__init__(clock_loop)
        self._rest = rest
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self.token = token

    @override
    async def ws_connect(self, url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        self._socket = await self._rest.session.ws_connect(
            url,
            max_msg_size=0,
            autoclose=False,
            compress=compress,
            timeout=aiohttp.ClientWSTimeout(ws_close=_FAREWELL_SECONDS),
            headers={"User-Agent": USER_AGENT},
        )
        return self._socket

    async def hang_up(self) -> None:
        """Close the line, and leave its session to be resumed."""
        if self._socket is not None:
            await self._socket.close()


class _Parsers(dict[str, Callable[[Any], None]]):
    """Hands every event over as it is: objects of the SDK would be made for nothing."""

    def __init__(self, received: Callable[[str, Any], None]) -> None:
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
        self._received = received
        self._socket: DiscordWebSocket | None = None
        self._connection.parsers = _Parsers(self._receive)

    async def prepare(self) -> None:
        await self._async_setup_hook()
        self.http: _Http = _Http(self._rest, self._token, self.loop)
        self._connection.http = self.http

    def _receive(self, event: str, payload: Any) -> None:
        number = self._socket.sequence if self._socket is not None else None
        self._received(event, payload, number or 0)

    @override
    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Take the SDK's own events for what they are worth: something was heard."""
        if event == "socket_raw_receive":
            self._alive()

    async def dial(
        self, address: yarl.URL, *, session: str | None, sequence: int | None
    ) -> DiscordWebSocket:
        """Connect, and resume the session if there is one; raises what the SDK raises."""
        try:
            self._socket = await DiscordWebSocket.from_client(
                self,
                initial=True,  # else the SDK would wait now, with the line open
                gateway=address,
                session=session,
                sequence=sequence,
                resume=session is not None,
            )
        except BaseException:
            await self.http.hang_up()  # else it would be kept alive by a thread of the SDK
            raise
        return self._socket
