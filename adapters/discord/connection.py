"""The connection to the gateway, kept up: resumed where that is possible, made anew where not."""

import random

import aiohttp
import discord
import structlog
import yarl
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

from adapters.discord.bookmark import Bookmark
from adapters.discord.line import Line, Received
from adapters.discord.settings import DiscordSettings
from adapters.discord.transport import WRONG_TOKEN, Rest
from gateway.contracts.adapter import AdapterKit
from gateway.errors import MALFORMED, AccountRejected, GatewayError, RetryLater

log = structlog.get_logger()

_DIALLED_WITHIN = 60.0
_BETWEEN_SESSIONS = 5.0
"""As long as Discord asks to wait before one identifies again."""
_SILENT_AT_MOST = 60.0
"""Heartbeats are answered every 41 seconds: a line that says nothing for longer is half open."""
_LONGEST_PAUSE = 120.0
_LIVED_WELL = 120.0
"""A connection that has lasted so long was a good one: the next may be tried at once. Both keep
a day's new sessions well under a thousand, after which Discord takes the token away."""
_GATEWAY = "wss://gateway.discord.gg"
_KEEPS_THE_SESSION = 4000
_ENDS_THE_SESSION = frozenset({4006, 4007, 4009})
"""Close codes after which there is nothing to resume: it is unknown, past, or was never so far."""
_CLOSED_FOR_GOOD = {
    4004: WRONG_TOKEN,
    4010: "Discord refuses how this bot is sharded",
    4011: "this bot is in so many servers that Discord wants it sharded, which Parley does not do",
    4012: "Discord no longer speaks this version of its gateway: install a newer Parley",
    4013: "Discord refuses the intents that were asked for",
    4014: (
        "Discord does not let the bot read messages: switch on its Message Content Intent at "
        "discord.com/developers, your application, Bot, Privileged Gateway Intents; or set "
        "message_content: false, and it reads only direct messages, mentions and answers to it"
    ),
}
"""By close codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes"""


def intents(settings: DiscordSettings) -> discord.Intents:
    """Return the kinds of events that are asked for."""
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        dm_messages=True,
        message_content=settings.message_content,
    )


class Connection:
    """One socket after another, until the account is refused or nobody listens any more."""

    def __init__(
        self,
        settings: DiscordSettings,
        rest: Rest,
        kit: AdapterKit,
        received: Received,
        bookmark: Bookmark,
        *,
        silent_at_most: float = _SILENT_AT_MOST,
    ) -> None:
        self._clock = kit.clock
        self._health = kit.health
        self._home = yarl.URL(settings.gateway_url or _GATEWAY)
        self._bookmark = bookmark
        self._session: str | None = bookmark.session or None
        self._sequence: int | None = bookmark.kept_up_to
        self._address = yarl.URL(bookmark.address) if bookmark.address else self._home
        self._unreached = 0
        """How often in a row nobody was there."""
        self._identified = False
        self._was_unreadable = False
        self._silent_at_most = silent_at_most
        token = settings.token.get_secret_value()
        alive = kit.health.alive
        self._line = Line(rest, token, intents(settings), received, alive, silent_at_most)

    async def keep_up(self) -> None:
        """Listen until cancelled.

        Raises:
            AccountRejected: Discord has closed the connection for good.
            RetryLater: there is no connection to begin with.
        """
        await self._line.prepare()
        failures = 0
        while True:
            began, reason = self._clock.monotonic(), "the connection ended"
            try:
                await self._listen()
            except ReconnectWebSocket as again:
                if not again.resume:
                    self._forget_session()
            except discord.ConnectionClosed as closed:
                if closed.code in _CLOSED_FOR_GOOD:
                    raise AccountRejected(_CLOSED_FOR_GOOD[closed.code]) from None
                self._forget_session()
                reason = f"Discord closed the connection ({closed.code})"
            except (aiohttp.ClientError, discord.DiscordException, TimeoutError, OSError) as error:
                reason = f"the connection was lost ({type(error).__name__})"
            except GatewayError as error:
                reason = str(error)
            if self._clock.monotonic() - began > _LIVED_WELL:
                failures = 0
            failures += 1
            await self._pause(reason, failures)

    async def _pause(self, reason: str, failures: int) -> None:
        """Wait before the next try, the longer the more have failed."""
        log.info("connection.lost", reason=reason)
        if failures == 1:
            return
        self._health.troubled(reason)
        pause = min(_LONGEST_PAUSE, 2.0 ** (failures - 2))
        if not self._identified:
            raise RetryLater(reason, pause)
        await self._clock.sleep(pause * random.uniform(0.7, 1.0))  # noqa: S311 - spreads tries, guards nothing

    async def _listen(self) -> None:
        if self._identified and self._session is None:
            await self._clock.sleep(_BETWEEN_SESSIONS)
        socket = await self._dial()
        self._identified = True
        self._bookmark.is_replaying = self._session is not None
        try:
            while True:
                await self._hear(socket)
                self._note(socket)
                self._check_heartbeats(socket)
        finally:
            self._note(socket)
            if socket.socket.close_code in _ENDS_THE_SESSION:
                self._forget_session()
            await socket.close(code=_KEEPS_THE_SESSION)

    async def _dial(self) -> DiscordWebSocket:
        """Connect where the session is, or every other time where sessions begin.

        The session's own address may be gone; Discord resumes at either.
        """
        address = self._home if self._unreached % 2 else self._address
        self._unreached += 1
        async with self._clock.timeout(_DIALLED_WITHIN):
            socket = await self._line.dial(address, session=self._session, sequence=self._sequence)
        self._unreached = 0
        return socket

    async def _hear(self, socket: DiscordWebSocket) -> None:
        """Take in one frame; one that cannot be read costs the line, as its number is unknown."""
        try:
            await socket.poll_event()
        except (*MALFORMED, RecursionError) as error:
            # It is told again, and may be whole then; else the session is begun anew.
            is_first, self._was_unreadable = not self._was_unreadable, True
            raise ReconnectWebSocket(None, resume=is_first) from error
        if socket.sequence != self._sequence:
            self._was_unreadable = False

    def _check_heartbeats(self, socket: DiscordWebSocket) -> None:
        """Leave a line that no longer answers heartbeats, whatever else comes by it."""
        keeper = socket._keep_alive  # noqa: SLF001 - the SDK counts them and does nothing about it
        if keeper is not None and keeper._last_recv - keeper._last_ack > self._silent_at_most:  # noqa: SLF001 - as above
            raise ReconnectWebSocket(None)

    def _note(self, socket: DiscordWebSocket) -> None:
        """Remember how to go on with this session."""
        self._session, self._sequence = socket.session_id, socket.sequence
        self._address = socket.gateway if self._session is not None else self._home

    def _forget_session(self) -> None:
        self._session = self._sequence = None
        self._address = self._home
        self._bookmark.forget()
