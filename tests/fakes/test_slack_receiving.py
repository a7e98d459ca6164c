"""The real slack-sdk and Bolt against the fake: what the app is told, and told again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from tests.fakes.clock import FakeClock
from tests.fakes.slack import FakeSlack, User
from tests.fakes.slack_app import bolt_for, connected, socket_for


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[FakeSlack]:
    async with FakeSlack(clock=clock) as running:
        yield running


@pytest.fixture
def ann(server: FakeSlack) -> User:
    return server.user("U0ANN", "Ann")


class Heard:
    """Listens on a socket, and acknowledges unless it is told not to."""

    def __init__(self) -> None:
        self.requests: list[SocketModeRequest] = []
        self.acknowledges = True
        self.payload: dict[str, Any] | None = None
        self.came = asyncio.Event()

    async def __call__(self, client: AsyncBaseSocketModeClient, asked: SocketModeRequest) -> None:
        self.requests.append(asked)
        self.came.set()
        if self.acknowledges:
            answer = SocketModeResponse(asked.envelope_id, self.payload)
            await client.send_socket_mode_response(answer)

    async def next(self) -> SocketModeRequest:
        await asyncio.wait_for(self.came.wait(), 5)
        self.came.clear()
        return self.requests[-1]


async def test_a_message_is_told_once(server: FakeSlack, ann: User) -> None:
    heard = Heard()
    async with socket_for(server, heard):
        message = ann.writes("hi <b> & \U0001f600")
        asked = await heard.next()
        await server.until(lambda _: not server.pending)
    assert (asked.type, asked.retry_attempt) == ("events_api", 0)
    event = asked.payload["event"]
    assert event["text"] == "hi &lt;b&gt; &amp; :grinning:"
    assert event["blocks"][0]["elements"][0]["elements"] == [
        {"type": "text", "text": "hi <b> & "},
        {"type": "emoji", "name": "grinning", "unicode": "1f600"},
    ]
    assert (event["channel"], event["channel_type"], event["user"]) == (ann.dm.id, "im", "U0ANN")
    assert event["ts"] == event["event_ts"] == message.ts
    assert "thread_ts" not in event
    assert asked.payload["authorizations"][0]["user_id"] == "U0BOT"
    assert [one.outcome for one in server.deliveries[0].attempts] == ["acknowledged"]


async def test_a_bolt_app_answers_in_the_thread(server: FakeSlack, ann: User) -> None:
    app = bolt_for(server)

    @app.event("message")
    async def answer(event: dict[str, Any], say: Any) -> None:
        if "bot_id" not in event:
            await say(f"*hello* {event['text']}", thread_ts=event["ts"])

    async with connected(server, app):
        root = ann.writes("hi")
        await ann.dm.until(lambda shown: shown[-1].shown == "hello hi")
        assert ann.dm.shown()[-1].thread_ts == root.ts
        await server.until(lambda _: not server.pending)
    own = server.deliveries[-1].event
    assert (own["bot_id"], own["app_id"], own["user"]) == ("B0BOT", "A0APP", "U0BOT")
    assert own["thread_ts"] == root.ts
