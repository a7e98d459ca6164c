"""People on the fake Slack, as journeys meet them; and the fake in a process of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from tests.fakes.clock import FakeClock
from tests.fakes.slack_app import client_for, raw, socket_for
from tests.fakes.test_process import running, told
from tests.journeys.on_slack import Slack, SlackChannel, SlackHttp, SlackPerson, SlackPlain

STOP = {
    "type": "actions",
    "elements": [
        {
            "type": "button",
            "text": {"type": "plain_text", "text": "Stop"},
            "action_id": "stop",
            "value": "1",
        }
    ],
}


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncIterator[Slack]:
    async with Slack(FakeClock(), tmp_path) as met:
        yield met


async def posted(ann: SlackPerson, text: str, **more: Any) -> dict[str, Any]:
    place = {"channel": ann.place.id, "text": text}
    if ann.thread is not None:
        place["thread_ts"] = ann.thread
    return await raw(ann.server, "chat.postMessage", **place, **more)


async def test_an_agent_is_talked_with_in_one_thread(slack: Slack) -> None:
    ann, bob = slack.person("Ann"), slack.person("Bob")
    assert (ann.identity, Slack.owner) == ("slack:T0TEAM:U0ANN",) * 2
    assert slack.person("Ann").identity == "slack:T0TEAM:U0ANN1"
    await posted(ann, "welcome")
    assert ann.texts() == ["welcome"]
    first, second = ann.writes("hi"), ann.writes("more")
    assert (first.thread_ts, second.thread_ts) == (None, first.ts)
    await posted(ann, "**bold** no, *bold* yes")
    await raw(slack.server, "chat.postMessage", channel=ann.place.id, text="beside")
    assert ann.texts() == ["**bold** no, bold yes"]
    assert bob.sees() == []
    assert slack.said() == ["hi", "more"]
    assert slack.complaints() == []


async def test_what_grows_is_a_preview(slack: Slack) -> None:
    ann = slack.person()
    root = ann.writes("hi")
    client = client_for(slack.server)
    begun = await client.chat_startStream(
        channel=ann.place.id, thread_ts=root.ts, markdown_text="**Once** upon "
    )
    assert (ann.preview(), ann.texts()) == ("Once upon", ["Once upon"])
    await client.chat_stopStream(channel=ann.place.id, ts=str(begun["ts"]))
    assert (ann.preview(), ann.texts()) == ("", ["Once upon"])
    await posted(ann, "a", blocks=[{"type": "markdown", "text": "grows"}, STOP])
    assert ann.preview() == "grows"
    ann.presses("Stop")
    assert slack.server.deliveries[-1].payload["actions"][0]["value"] == "1"


async def test_stop_is_the_native_one_where_no_button_is(slack: Slack) -> None:
    ann = slack.person()
    root = ann.writes("hi")
    with pytest.raises(AssertionError, match="no stop button"):
        ann.presses("Stop")
    at = {"channel_id": ann.place.id, "thread_ts": root.ts}
    await client_for(slack.server).agents_sessions_setStatus(**at, status="processing")
    ann.presses("Stop")
    assert slack.server.deliveries[-1].event["type"] == "agent_session_stopped"
    with pytest.raises(AssertionError, match="no button 'Yes'"):
        ann.presses("Yes")


async def test_people_press_again_while_the_app_is_away(slack: Slack) -> None:
    ann, heard, clock = slack.person(), asyncio.Event(), slack.clock
    assert isinstance(clock, FakeClock)
    ann.writes("hi")
    await posted(ann, "a", blocks=[STOP])
    ann.presses("Stop")
    await clock.advance(5)

    async def hear(client: AsyncBaseSocketModeClient, asked: SocketModeRequest) -> None:
        await client.send_socket_mode_response(SocketModeResponse(asked.envelope_id))
        if asked.type == "interactive":
            heard.set()

    async with socket_for(slack.server, hear):
        await clock.advance(1)
        await asyncio.wait_for(heard.wait(), 5)
        await slack.server.until(
            lambda server: [one.is_acknowledged for one in server.deliveries][-1]
        )
    presses = [one for one in slack.server.deliveries if one.kind == "interactive"]
    assert [one.is_acknowledged for one in presses[-2:]] == [False, True]


async def test_every_file_is_seen(slack: Slack) -> None:
    ann = slack.person()
    ann.sends("notes.txt", b"12345", "look")
    files: list[dict[str, Any]] = [
        {"filename": "a.txt", "content": "a"},
        {"filename": "b.png", "file": b"\x89PNG"},
    ]
    await client_for(slack.server).files_upload_v2(
        channel=ann.place.id, thread_ts=ann.thread, file_uploads=files, initial_comment="*both*"
    )
    clock = slack.clock
    assert isinstance(clock, FakeClock)
    await clock.until_sleeping()
    await clock.advance(1)
    shown = [(one.text, one.file, one.is_picture) for one in ann.sees()]
    assert shown == [("both", b"a", False), ("", b"\x89PNG", True)]


async def test_complaints(slack: Slack) -> None:
    ann = slack.person()
    ann.writes("hi")
    await posted(ann, "<!channel>", color="red")
    await posted(ann, "")
    assert slack.complaints() == [
        "chat.postMessage: no_text",
        "chat.postMessage has no color",
        "chat.postMessage said <!channel>",
    ]


async def test_a_plain_app_is_talked_with_flat(tmp_path: Path) -> None:
    async with SlackPlain(FakeClock(), tmp_path) as slack:
        ann = slack.person()
        assert [ann.writes(words).thread_ts for words in ("hi", "more")] == [None, None]
        await posted(ann, "hello")
        assert ann.texts() == ["hello"]


async def test_a_channel_is_one_thread_for_all(tmp_path: Path) -> None:
    async with SlackChannel(FakeClock(), tmp_path) as slack:
        ann, bob = slack.person("Ann"), slack.person("Bob")
        root = ann.writes("hi")
        assert bob.writes("me too").thread_ts == root.ts
        assert bob.sends("a.txt", b"a").text == "<@U0BOT>"
        await posted(bob, "hello you two")
        assert ann.texts() == bob.texts() == ["hello you two"]
        assert slack.said() == ["hi", "me too", "@U0BOT"]
        kinds = [one.event["type"] for one in slack.server.deliveries]
        assert kinds.count("app_mention") == 3


async def test_http_names_an_address(tmp_path: Path) -> None:
    async with SlackHttp(FakeClock(), tmp_path) as slack:
        http = slack.entry["http"]
        assert slack.entry["mode"] == "http"
        assert http == {"listen": "127.0.0.1", "port": slack.port, "path": "/slack/events"}
        assert slack.server.requests is slack.requests


async def test_slack_in_its_own_process() -> None:
    headers = {"Authorization": "Bearer xoxb-1"}
    async with (
        running("slack", "--bot-token", "xoxb-1") as url,
        aiohttp.ClientSession(headers=headers) as session,
    ):
        control = f"{url}/_control"
        written = [{"user": user, "text": "hi"} for user in ("U0ANN", "U0BOB")]
        first, second = await told(session, f"{control}/writes", written)
        said = [{"type": "markdown", "text": "hello END"}, STOP]
        for place, ts in (("D0ANN", first), ("D0BOB", second)):
            body = {"channel": place, "thread_ts": ts, "text": "hello END", "blocks": said}
            assert (await told(session, f"{url}/api/chat.postMessage", body))["ok"]
        wait = {"messages": 2, "contains": "END", "timeout": 5}
        assert (await told(session, f"{control}/wait", wait)) == {"ok": True, "messages": 2}
        shown = await told(session, f"{control}/shown", {"channel": "D0ANN"})
        assert [(one["who"], one["text"]) for one in shown] == [
            ("U0ANN", "hi"),
            ("bot", "hello END"),
        ]
        assert await told(session, f"{control}/press", {"user": "U0ANN", "label": "Stop"})
        assert await told(session, f"{control}/command", {"user": "U0ANN", "command": "/parley"})
        team = await told(session, f"{control}/channel", {"name": "team", "users": ["U0ANN"]})
        at = {"channel_id": "D0ANN", "thread_ts": first, "status": "processing"}
        assert (await told(session, f"{url}/api/agents.sessions.setStatus", at))["ok"]
        assert await told(session, f"{control}/stop", {"user": "U0ANN", "thread": first})
        await told(session, f"{control}/rates", {"enabled": True, "posts_burst": 1})
        body = {"channel": team, "text": "x"}
        assert (await told(session, f"{url}/api/chat.postMessage", body))["ok"]
        assert (await told(session, f"{url}/api/chat.postMessage", body))["error"] == "ratelimited"
        state = await told(session, f"{control}/state")
        assert (state["told"], state["calls"], state["pings"]) == (8, 5, [])
        log = await told(session, f"{control}/log", {"since": 4})
        assert [one["refused"] for one in log] == ["ratelimited"]
        assert set(await told(session, f"{control}/all")) == {"D0ANN", "D0BOB", team}
        assert "error" in await told(session, f"{control}/dance")
