"""The control socket: how the command line talks to the running process.

JSON lines over a unix socket that only the process's own user may open: a request
`{"verb": ..., "args": {...}}`, a reply `{"ok": true, "result": ...}` or
`{"ok": false, "error": "..."}`.
"""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from gateway.control.location import short_name
from gateway.errors import GatewayError

log = structlog.get_logger()

Verb = Callable[[Mapping[str, Any]], Awaitable[Any]]
_LONGEST_REQUEST = 64 * 1024


@asynccontextmanager
async def control_socket(path: Path, verbs: Mapping[str, Verb]) -> AsyncIterator[None]:
    """Serve the verbs while the body runs.

    Raises:
        ConfigInvalid: the path is too long for a socket.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await _answer(verbs, line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            log.debug("control.disconnected")
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, sock=_bound(path), limit=_LONGEST_REQUEST)
    try:
        yield
    finally:
        server.close()
        _remove(path)


def _bound(path: Path) -> socket.socket:
    """Bind in place of a socket that a crash has left."""
    _remove(path)
    bound = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        with short_name(path) as name:
            bound.bind(name)
    except BaseException:
        bound.close()
        raise
    finally:
        os.umask(before)
    return bound


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


async def _answer(verbs: Mapping[str, Verb], line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
        verb = verbs[request["verb"]]
        return {"ok": True, "result": await verb(request.get("args", {}))}
    except GatewayError as error:
        return {"ok": False, "error": str(error)}
    except (KeyError, TypeError, ValueError):
        return {"ok": False, "error": "this process does not know that request"}
