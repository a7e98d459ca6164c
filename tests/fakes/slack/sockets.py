"""Socket Mode: connections of the app, and what is sent over them.

Any connection may be given anything. An envelope that is not acknowledged within three seconds
has failed. Facts: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.slack.deliveries import Attempt, Delivery
from tests.fakes.slack.world import World

_MOST = 10
_LEAVES_AFTER = 10.0


@dataclass(slots=True, eq=False)
class Connection:
    """One open socket."""

    number: int
    socket: web.WebSocketResponse
    request: web.BaseRequest
    answers_pings: bool = True
    is_silent: bool = False
    """Half open: nothing comes through in either direction, and nobody is told."""
    is_leaving: bool = False
    pings: int = 0
    sent: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, message: dict[str, Any]) -> bool:
        self.sent.append(message)
        if self.is_silent:
            return True
        try:
            await self.socket.send_str(json.dumps(message))
        except (ConnectionError, RuntimeError):
            return False
        return True


class Sockets:
    """All connections; `opened` counts those there ever were."""

    is_ordered = True

    def __init__(self, world: World) -> None:
        self._world = world
        self.connections: list[Connection] = []
        self.opened = 0
        self.refuses: str | None = None
        """The error that `apps.connections.open` answers with, if it shall not work."""
        self.unknown_acknowledgements: list[str] = []
        self.acknowledgements: list[tuple[float, str]] = []
        self._tickets: set[str] = set()
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._known: set[str] = set()
        self._turn = 0

    def ticket(self) -> str:
        ticket = self._world.next_name("ticket")
        self._tickets.add(ticket)
        return ticket

    # The app's side.

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Hold one connection until either side closes it."""
        if request.query.get("ticket") not in self._tickets:
            return web.Response(status=404)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        if len(self.connections) >= _MOST:
            await socket.send_str(
                json.dumps({"type": "disconnect", "reason": "too_many_websockets"})
            )
            await socket.close()
            return socket
        self.opened += 1
        connection = Connection(self.opened, socket, request)
        self.connections.append(connection)
        try:
            await connection.send(self._hello())
            self._world.watch.changed()
            await self._listen(connection)
        finally:
            self.connections.remove(connection)
            self._world.watch.changed()
        return socket

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "connection_info": {"app_id": self._world.app_id},
            "debug_info": {"host": "applink-1", "approximate_connection_time": 18060},
        }

    async def _listen(self, connection: Connection) -> None:
        while True:
            message = await connection.socket.receive()
            match message.type:
                case WSMsgType.TEXT if not connection.is_silent:
                    self._hear(message.data)
                case WSMsgType.PING:
                    connection.pings += 1
                    self._world.watch.changed()
                    if connection.answers_pings and not connection.is_silent:
                        await connection.socket.pong(message.data)
                case WSMsgType.TEXT | WSMsgType.PONG:
                    pass
                case _:
                    return

    def _hear(self, text: str) -> None:
        said = json.loads(text)
        envelope = said.get("envelope_id", "")
        if envelope not in self._known:
            self.unknown_acknowledgements.append(envelope)
        self.acknowledgements.append((self._world.now(), envelope))
        self._world.watch.changed()
        waiting = self._waiting.pop(envelope, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(said.get("payload"))

    # Slack's side.

    async def hand_over(self, delivery: Delivery, attempt: Attempt) -> str:
        connection = self._next()
        if connection is None:
            return "no connection"
        envelope = self._world.next_name("envelope-")
        self._known.add(envelope)
        answered = self._waiting[envelope] = asyncio.get_running_loop().create_future()
        message = {
            "envelope_id": envelope,
            "type": delivery.kind,
            "payload": delivery.payload,
            "accepts_response_payload": delivery.kind != "events_api",
        }
        if delivery.kind == "events_api":
            message |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason}
        try:
            if not await connection.send(message):
                return "connection_failed"
            async with self._world.clock.timeout(self._world.answer_seconds):
                delivery.answer = await answered
        except TimeoutError:
            return "timeout"
        finally:
            self._waiting.pop(envelope, None)
        return "acknowledged"

    def _next(self) -> Connection | None:
        usable = [one for one in self.connections if not one.is_leaving]
        if not usable:
            return None
        self._turn += 1
        return usable[self._turn % len(usable)]

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask the app to come back on a new connection; the old ones end ten seconds later.

        Reasons: `warning` (that the end is near), `refresh_requested`, `link_disabled`.
        """
        for connection in list(self.connections):
            await connection.send({
                "type": "disconnect",
                "reason": reason,
                "debug_info": {"host": "applink-1"},
            })
            if reason != "warning":
                connection.is_leaving = True
                self._world.errands.start(self._end(connection))

    async def _end(self, connection: Connection) -> None:
        await self._world.clock.sleep(_LEAVES_AFTER)
        await connection.socket.close()

    async def says(self, frame: str | bytes) -> None:
        """Say anything at all, as a text."""
        raw = frame.encode() if isinstance(frame, str) else frame
        for connection in list(self.connections):
            await connection.socket.send_frame(raw, WSMsgType.TEXT)

    async def close(self) -> None:
        """Close every connection politely."""
        for connection in list(self.connections):
            await connection.socket.close()

    def drop(self) -> None:
        """Cut every connection off."""
        for connection in list(self.connections):
            if connection.request.transport is not None:
                connection.request.transport.abort()

    def go_silent(self) -> None:
        """Leave every connection half open."""
        for connection in self.connections:
            connection.is_silent = True
