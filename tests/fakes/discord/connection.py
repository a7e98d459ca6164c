"""One websocket: frames go out in order, from a task of their own."""

import asyncio
import json
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

_CLOSING_SECONDS = 0.5


class Connection:
    """The server's end; `send` and `close` may be called from anywhere and do not wait."""

    def __init__(self, request: web.BaseRequest, socket: web.WebSocketResponse) -> None:
        self._request = request
        self._socket = socket
        self._outgoing: asyncio.Queue[str | bytes | int] = asyncio.Queue()
        self.is_silent = False
        """Whether what is sent gets lost on the way, as on a line that is half open."""
        self.is_closing = False

    def send(self, frame: str | bytes) -> None:
        """Send a text; bytes go out as one whatever they are."""
        if not self.is_silent and not self.is_closing:
            self._outgoing.put_nowait(frame)

    def say(self, op: int, data: Any = None) -> None:
        self.send(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    def close(self, code: int) -> None:
        """Close once all that was sent before has gone out."""
        if not self.is_closing:
            self.is_closing = True
            self._outgoing.put_nowait(code)

    def break_off(self) -> None:
        """Drop the line without a word."""
        self.is_closing = True
        if self._request.transport is not None:
            self._request.transport.abort()

    async def write(self) -> None:
        """Send until closed."""
        while True:
            frame = await self._outgoing.get()
            if isinstance(frame, int):
                await self._socket.close(code=frame)
                return
            try:
                raw = frame.encode() if isinstance(frame, str) else frame
                await self._socket.send_frame(raw, WSMsgType.TEXT)
            except ConnectionError:
                return

    async def read(self) -> str | int | None:
        """Return the next text, 0 for anything else, `None` once the client has left."""
        message: WSMessage = await self._socket.receive()
        if message.type is WSMsgType.TEXT:
            return str(message.data)
        return 0 if message.type is WSMsgType.BINARY else None

    @property
    def left_with(self) -> int | None:
        """The code with which it was closed."""
        return self._socket.close_code


async def accept(request: web.BaseRequest) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(timeout=_CLOSING_SECONDS, max_msg_size=4096)
    await socket.prepare(request)
    return socket
