"""The real slack-sdk and Bolt, pointed at the fake."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import FakeSlack

Listener = Callable[[AsyncBaseSocketModeClient, SocketModeRequest], Awaitable[None]]


def client_for(server: FakeSlack, token: str | None = None) -> AsyncWebClient:
    """Make a client that does every call once, so that a test sees each refusal."""
    return AsyncWebClient(
        token=token or server.world.bot_token,
        base_url=f"{server.url}/api/",
        timeout=5,
        retry_handlers=[],
    )


@asynccontextmanager
async def socket_for(
    server: FakeSlack, listener: Listener, *, ping_interval: float = 5
) -> AsyncIterator[SocketModeClient]:
    """Connect by Socket Mode and hand every request to a listener, which acknowledges it."""
    client = SocketModeClient(
        app_token=server.world.app_token,
        web_client=client_for(server),
        ping_interval=ping_interval,
    )
    client.socket_mode_request_listeners.append(listener)
    opened = server.sockets.opened
    await client.connect()  # type: ignore[no-untyped-call]  # as the SDK has it
    await server.until(lambda _: server.sockets.opened > opened)
    try:
        yield client
    finally:
        await client.close()  # type: ignore[no-untyped-call]  # as the SDK has it


def bolt_for(server: FakeSlack, **more: Any) -> AsyncApp:
    return AsyncApp(client=client_for(server), signing_secret=server.world.signing_secret, **more)


@asynccontextmanager
async def connected(server: FakeSlack, app: AsyncApp) -> AsyncIterator[AsyncSocketModeHandler]:
    """Connect a Bolt app by Socket Mode."""
    handler = AsyncSocketModeHandler(app, server.world.app_token, web_client=app.client)
    opened = server.sockets.opened
    await handler.connect_async()  # type: ignore[no-untyped-call]  # as the SDK has it
    await server.until(lambda _: server.sockets.opened > opened)
    try:
        yield handler
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]  # as the SDK has it


async def raw(server: FakeSlack, method: str, **body: Any) -> dict[str, Any]:
    """Make a call that the SDK would not let through; return the envelope."""
    url = f"{server.url}/api/{method}"
    headers = {"Authorization": f"Bearer {server.world.bot_token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, json=body) as answer,
    ):
        envelope: dict[str, Any] = await answer.json()
        return envelope
