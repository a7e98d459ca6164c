"""The real slack-sdk and Bolt against the fake: what the app is told, and told again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from tests.fakes.clock import FakeClock
from tests.fakes.slack import FakeSlack, User
from tests.fakes.slack_app import bolt_for, client_for, connected, raw, socket_for


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


async def test_what_is_not_acknowledged_comes_again(
    server: FakeSlack, clock: FakeClock, ann: User
) -> None:
    heard = Heard()
    heard.acknowledges = False
    async with socket_for(server, heard):
        ann.writes("hi")
        asked = [await heard.next()]
        for seconds in (3 + 1, 3 + 60, 3 + 300):
            await clock.advance(seconds)
            asked.append(await heard.next())
        await clock.advance(3)
        await server.until(lambda _: not server.pending)
    assert [one.retry_attempt for one in asked] == [0, 1, 2, 3]
    assert [one.retry_reason for one in asked] == ["", "timeout", "timeout", "timeout"]
    assert len({one.payload["event_id"] for one in asked}) == 1
    assert len({one.envelope_id for one in asked}) == 4
    assert len(server.world.deliveries.lost) == 1


async def test_what_was_missed_comes_within_minutes_or_never(
    server: FakeSlack, clock: FakeClock, ann: User
) -> None:
    early = ann.writes("early")
    await clock.advance(400)
    assert [one.event["ts"] for one in server.world.deliveries.lost] == [early.ts]
    late = ann.writes("late")
    await clock.advance(30)
    heard = Heard()
    async with socket_for(server, heard):
        await clock.advance(31)
        assert (await heard.next()).payload["event"]["ts"] == late.ts
    history = await raw(server, "conversations.history", channel=ann.dm.id)
    assert [one["text"] for one in history["messages"]] == ["late", "early"]


async def test_another_connection_gets_what_the_first_left(
    server: FakeSlack, clock: FakeClock, ann: User
) -> None:
    deaf, heard = Heard(), Heard()
    deaf.acknowledges = False
    async with socket_for(server, deaf):
        ann.writes("hi")
        await deaf.next()
        async with socket_for(server, heard):
            server.sockets.connections[0].is_leaving = True
            await clock.advance(4)
            assert (await heard.next()).retry_attempt == 1
            await server.until(lambda _: not server.pending)


async def test_the_sdk_comes_back_when_it_is_asked_to(
    server: FakeSlack, clock: FakeClock, ann: User
) -> None:
    heard = Heard()
    async with socket_for(server, heard) as client:
        await server.sockets.disconnect("warning")
        await server.until(lambda _: server.sockets.opened == 2)
        await server.sockets.disconnect("refresh_requested")
        await server.until(lambda _: server.sockets.opened == 3)
        await server.until(lambda _: len(server.sockets.connections) == 1)
        ann.writes("hi")
        await heard.next()
        await clock.advance(10)
        assert await client.is_connected()


async def test_a_half_open_connection_is_left(server: FakeSlack, ann: User) -> None:
    heard = Heard()
    async with socket_for(server, heard, ping_interval=0.1):
        await server.until(lambda _: server.sockets.connections[0].pings > 0)
        server.sockets.go_silent()
        ann.writes("lost on the way")
        await server.until(lambda _: server.sockets.opened == 2)
        assert heard.requests == []


async def test_a_connection_that_is_cut_is_opened_again(server: FakeSlack) -> None:
    async with socket_for(server, Heard(), ping_interval=0.1):
        server.sockets.drop()
        await server.until(lambda _: server.sockets.opened == 2)


async def test_only_its_own_tickets_open_sockets(server: FakeSlack) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"{server.url}/link/?ticket=mine")
    server.sockets.refuses = "internal_error"
    with pytest.raises(SlackApiError, match="internal_error"):
        await client_for(server).apps_connections_open(app_token=server.world.app_token)


async def test_odd_acknowledgements_are_noted(server: FakeSlack) -> None:
    async with socket_for(server, Heard()) as client:
        await client.send_socket_mode_response(SocketModeResponse("envelope-none"))
        await server.until(lambda _: server.sockets.unknown_acknowledgements == ["envelope-none"])


async def test_a_mention_is_two_events_of_one_message(server: FakeSlack, ann: User) -> None:
    team = server.channel("team", [ann])
    message = ann.writes(f"{server.mention} hi", place=team)
    ann.writes("among us", place=team, thread=message.ts)
    kinds = [(one.event["type"], one.event["ts"]) for one in server.deliveries]
    assert kinds[:2] == [("message", message.ts), ("app_mention", message.ts)]
    assert len({one.payload["event_id"] for one in server.deliveries}) == 3
    assert server.deliveries[0].event["channel_type"] == "channel"
    assert "channel_type" not in server.deliveries[1].event
    reply = server.deliveries[2].event
    assert (reply["thread_ts"], reply["parent_user_id"]) == (message.ts, "U0ANN")
    server.world.subscriptions.discard("message.channels")
    ann.writes("unheard", place=team)
    assert len(server.deliveries) == 3


async def test_edits_and_deletions(server: FakeSlack, ann: User) -> None:
    message = ann.writes("frist")
    ann.edits(message, "first")
    ann.deletes(message)
    _, edited, deleted = (one.event for one in server.deliveries)
    assert (edited["subtype"], edited["message"]["text"]) == ("message_changed", "first")
    assert edited["previous_message"]["text"] == "frist"
    assert edited["message"]["edited"]["user"] == "U0ANN"
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", message.ts)
    assert deleted["previous_message"]["text"] == "first"
    assert ann.dm.shown() == []


async def test_files_come_in_one_message(server: FakeSlack, ann: User) -> None:
    ann.sends({"a.txt": b"a", "b.png": b"\x89PNG"}, "look")
    said, *shared = (one.event for one in server.deliveries)
    assert (said["subtype"], said["text"]) == ("file_share", "look")
    assert [one["mimetype"] for one in said["files"]] == ["text/plain", "image/png"]
    assert said["files"][0]["url_private_download"].startswith(server.url)
    assert [one["type"] for one in shared] == ["file_shared"] * 2
    lonely = ann.sends({"c.txt": b"c", "d.txt": b"d"}, only_file_events=True)
    assert [one.event["type"] for one in server.deliveries[3:]] == ["file_shared"] * 2
    named = server.deliveries[3].event["file_id"]
    info = await raw(server, "files.info", file=named)
    assert info["file"]["shares"]["private"][ann.dm.id][0]["ts"] == lonely.ts


async def test_guests_from_elsewhere(server: FakeSlack) -> None:
    eve = server.user("W0EVE", "Eve", team="T0FAR")
    team = server.channel("shared", [eve])
    eve.sends({"a.txt": b"a"}, place=team, needs_info=True)
    told = server.deliveries[0].payload
    assert (told["team_id"], told["is_ext_shared_channel"]) == ("T0TEAM", True)
    assert (told["event"]["user"], told["event"]["user_team"]) == ("W0EVE", "T0FAR")
    [stub] = told["event"]["files"]
    assert (stub["file_access"], "url_private" in stub) == ("check_file_info", False)
    info = await raw(server, "files.info", file=stub["id"])
    assert info["file"]["url_private_download"].startswith(server.url)


async def test_other_bots_talk_too(server: FakeSlack, ann: User) -> None:
    team = server.channel("team", [ann])
    server.bot("Robo").writes(f"{server.mention} beep", team)
    kinds = [(one.event["type"], one.event.get("bot_id")) for one in server.deliveries]
    assert kinds[0][0] == "message"
    assert kinds[0][1] not in {None, "B0BOT"}


async def test_presses(server: FakeSlack, ann: User) -> None:
    app = bolt_for(server)

    @app.action("yes")
    async def press(ack: Any, body: dict[str, Any], respond: Any) -> None:
        await ack()
        await respond(text=f"chose {body['actions'][0]['value']}", replace_original=True)

    root = ann.writes("hi")
    element = {
        "type": "button",
        "text": {"type": "plain_text", "text": "Yes"},
        "action_id": "yes",
        "value": "y",
    }
    block = {"type": "actions", "block_id": "b", "elements": [element]}
    body = {"channel": ann.dm.id, "thread_ts": root.ts, "text": "Really?"}
    sent = await raw(server, "chat.postMessage", **body, blocks=[block])
    async with connected(server, app):
        press_told = ann.presses("Yes").payload
        await ann.dm.until(lambda shown: shown[-1].shown == "chose y")
        await server.until(lambda _: not [p for p in server.pending if p.kind == "interactive"])
    assert press_told["container"]["thread_ts"] == root.ts
    assert (press_told["container"]["message_ts"], press_told["user"]["id"]) == (
        sent["ts"],
        "U0ANN",
    )
    assert press_told["team"]["id"] == "T0TEAM"
    with pytest.raises(AssertionError, match="no button"):
        ann.presses("Yes")


async def test_response_urls_wear_out(clock: FakeClock, ann: User) -> None:
    told = ann.commands("/parley", "status").payload
    assert (told["command"], told["text"], told["channel_id"]) == ("/parley", "status", ann.dm.id)
    async with aiohttp.ClientSession() as session:

        async def posted(**body: Any) -> tuple[int, str]:
            async with session.post(told["response_url"], json=body) as answer:
                return answer.status, await answer.text()

        assert await posted(text="to *you*") == (200, "ok")
        assert await posted(text="to all", response_type="in_channel") == (200, "ok")
        assert (ann.whispers(), ann.dm.bot_texts()) == (["to you"], ["to all"])
        for _ in range(3):
            await posted(text="x")
        assert "used_url" in (await posted(text="x"))[1]
        told = ann.commands("/parley").payload
        await clock.advance(1801)
        assert "expired_url" in (await posted(text="x"))[1]


async def test_a_command_is_answered_by_its_acknowledgement(server: FakeSlack, ann: User) -> None:
    app = bolt_for(server)

    @app.command("/parley")
    async def status(ack: Any, command: dict[str, Any]) -> None:
        await ack(f"*{command['text']}*: all is well")

    async with connected(server, app):
        ann.commands("/parley", "status")
        await ann.dm.until(lambda _: ann.whispers() == ["status: all is well"])


async def test_an_acknowledgement_that_cannot_be_shown_is_logged(
    server: FakeSlack, ann: User
) -> None:
    heard = Heard()
    heard.payload = {"blocks": [{"type": "soap"}]}
    async with socket_for(server, heard):
        ann.commands("/parley", "status")
        await server.until(lambda _: bool(server.log and server.log[-1].refused))
    assert (server.log[-1].method, ann.whispers()) == ("(acknowledgement)", [])


async def test_views_and_reactions_are_told(server: FakeSlack, ann: User) -> None:
    message = ann.writes("hi")
    ann.opens_home()
    ann.opens_home("messages")
    ann.looks_at("C0SEEN")
    ann.looks_at()
    ann.starts_assistant()
    ann.reacts(message, "eyes")
    ann.unreacts(message, "eyes")
    events = [one.event for one in server.deliveries[1:]]
    assert [one["type"] for one in events] == [
        "app_home_opened",
        "app_home_opened",
        "app_context_changed",
        "app_context_changed",
        "assistant_thread_started",
        "reaction_added",
        "reaction_removed",
    ]
    assert [one["tab"] for one in events[:2]] == ["home", "messages"]
    assert (events[2]["context"]["entities"][0]["value"], events[3]["context"]) == ("C0SEEN", {})
    assert events[5]["item"] == {"type": "message", "channel": ann.dm.id, "ts": message.ts}
    server.push({"type": "telepathy"})
    assert server.deliveries[-1].event == {"type": "telepathy"}
    home = {
        "type": "home",
        "blocks": [
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "Help"},
                        "action_id": "help",
                    },
                ],
            }
        ],
    }
    await raw(server, "views.publish", user_id="U0ANN", view=home)
    pressed = ann.presses_in_home("Help")
    assert pressed.payload["actions"][0]["action_id"] == "help"


async def test_something_can_be_told_twice(server: FakeSlack, ann: User) -> None:
    heard = Heard()
    async with socket_for(server, heard):
        ann.writes("hi")
        first = await heard.next()
        server.world.deliveries.again(server.deliveries[0])
        second = await heard.next()
    assert first.payload == second.payload
