"""The real slack-sdk against the fake: streams, their end, tasks, statuses and Stop."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.messages.chunk import MarkdownTextChunk, PlanUpdateChunk, TaskUpdateChunk
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.clock import FakeClock
from tests.fakes.slack import FakeSlack, Message, User
from tests.fakes.slack_app import client_for, raw


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[FakeSlack]:
    async with FakeSlack(clock=clock) as running:
        yield running


@pytest.fixture
def client(server: FakeSlack) -> AsyncWebClient:
    return client_for(server)


@pytest.fixture
def ann(server: FakeSlack) -> User:
    return server.user("U0ANN", "Ann")


@pytest.fixture
def root(ann: User) -> Message:
    return ann.writes("tell me a lot")


def in_thread(ann: User, root: Message) -> dict[str, str]:
    return {"channel": ann.dm.id, "thread_ts": root.ts}


async def started(server: FakeSlack, ann: User, root: Message, **more: Any) -> dict[str, Any]:
    """Start a stream; return the arguments that name it."""
    told = await raw(server, "chat.startStream", **in_thread(ann, root), **more)
    assert told["ok"], told
    return {"channel": ann.dm.id, "ts": told["ts"]}


async def error_of(server: FakeSlack, method: str, **body: Any) -> str:
    envelope = await raw(server, method, **body)
    assert not envelope["ok"], envelope
    return str(envelope["error"])


async def test_the_sdk_streams(
    server: FakeSlack, client: AsyncWebClient, ann: User, root: Message
) -> None:
    stream = await client.chat_stream(
        **in_thread(ann, root), buffer_size=4, task_display_mode="plan"
    )
    await stream.append(markdown_text="**Hel")
    assert [one.shown for one in ann.dm.streaming(root.ts)] == ["**Hel"]
    await stream.append(markdown_text="lo** you &amp; me")
    await stream.append(chunks=[PlanUpdateChunk(title="Looking")])
    for status, output in (("in_progress", "one "), ("complete", "two")):
        chunk = TaskUpdateChunk(id="t1", title=f"is {status}", status=status, output=output)
        await stream.append(chunks=[chunk])
    await stream.stop(
        markdown_text="!",
        blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": "*Bye*"}}],
        metadata={"event_type": "parley", "event_payload": {"key": "out_1"}},
    )
    message = ann.dm.shown()[-1]
    assert (message.ts, message.thread_ts) == (stream.ts, root.ts)
    assert message.shown == "Hello you & me!\nBye"
    assert message.earlier[-1] == "Hello you & me"
    [task] = message.tasks
    assert (task.title, task.status, task.output) == ("is complete", "complete", "one two")
    assert task.earlier == ["in_progress"]
    assert message.stream is not None
    assert (message.stream.plan, message.stream.mode) == ("Looking", "plan")
    assert ann.dm.streaming() == []
    assert message.metadata is not None
    replies = await client.conversations_replies(channel=ann.dm.id, ts=root.ts)
    assert replies["messages"][-1]["streaming_state"] == "completed"
    assert not server.unknown_arguments


async def test_a_stream_dies_after_five_minutes_whatever_is_added(
    server: FakeSlack, client: AsyncWebClient, clock: FakeClock, ann: User, root: Message
) -> None:
    stream = await started(server, ann, root, markdown_text="a")
    for _ in range(4):
        await clock.advance(70)
        await client.chat_appendStream(**stream, markdown_text="b")
    message = ann.dm.shown()[-1]
    assert not message.is_broken
    await clock.advance(21)
    dead = "message_not_in_streaming_state"
    assert await error_of(server, "chat.appendStream", **stream, markdown_text="c") == dead
    assert await error_of(server, "chat.stopStream", **stream, markdown_text="c") == dead
    assert (message.is_broken, message.shown) == (True, "abbbb")
    await client.chat_update(**stream, markdown_text="abbbbc")
    assert (message.is_broken, message.shown) == (False, "abbbbc")


async def test_an_open_stream_is_neither_updated_nor_deleted(
    server: FakeSlack, client: AsyncWebClient, ann: User, root: Message
) -> None:
    stream = await started(server, ann, root, markdown_text="a")
    update = {**stream, "text": "b"}
    assert await error_of(server, "chat.update", **update) == "streaming_state_conflict"
    assert await error_of(server, "chat.delete", **stream) == "cant_delete_message"
    await client.chat_stopStream(**stream)
    ended = await error_of(server, "chat.stopStream", **stream)
    assert ended == "message_not_in_streaming_state"
    await client.chat_update(**update, blocks=[])
    assert ann.dm.shown()[-1].shown == "b"
    await client.chat_delete(**stream)
    assert ann.dm.bot_texts() == []


async def test_where_streams_begin(server: FakeSlack, ann: User, root: Message) -> None:
    team = server.channel("team", [ann])
    asked = ann.writes(f"{server.mention} hi", place=team)
    user, to = {"recipient_user_id": "U0ANN"}, {"recipient_team_id": "T0TEAM"}
    start, there = "chat.startStream", {"channel": team.id, "thread_ts": asked.ts}
    assert await error_of(server, start, channel=ann.dm.id) == "invalid_arguments"
    assert await error_of(server, start, **there, **user) == "missing_recipient_team_id"
    assert await error_of(server, start, **there, **to) == "missing_recipient_user_id"
    assert (await raw(server, start, **there, **user, **to))["ok"]
    assert (await raw(server, start, channel=team.id, **user, **to))["ok"]
    reply = ann.writes("more", thread=root.ts)
    wrong = {"channel": ann.dm.id, "thread_ts": reply.ts}
    assert await error_of(server, start, **wrong) == "thread_not_found"
    server.world.recipients_everywhere = True
    refused = await error_of(server, start, **in_thread(ann, root))
    assert refused == "missing_recipient_team_id"
    with_metadata = {**in_thread(ann, root), **user, **to, "metadata": {}}
    assert (await raw(server, start, **with_metadata))["ok"]
    assert (start, "metadata") in server.unknown_arguments


@pytest.mark.parametrize(
    ("chunk", "error"),
    [
        ({"type": "song"}, "invalid_chunks"),
        ({"type": "markdown_text"}, "invalid_chunks"),
        ({"type": "markdown_text", "text": ""}, "invalid_chunks"),
        ({"type": "markdown_text", "text": "x", "bold": True}, "invalid_chunks"),
        ({"type": "markdown_text", "text": "x" * 12_001}, "msg_too_long"),
        ({"type": "plan_update"}, "invalid_chunks"),
        ({"type": "plan_update", "title": "x" * 257}, "msg_too_long"),
        ({"type": "task_update", "id": "t", "title": "x"}, "invalid_chunks"),
        ({"type": "task_update", "id": "t", "title": "x", "status": "done"}, "invalid_chunks"),
        ({"type": "blocks", "blocks": [{"type": "soap"}]}, "invalid_blocks"),
    ],
)
async def test_refuses_chunks(
    server: FakeSlack, ann: User, root: Message, chunk: Any, error: str
) -> None:
    stream = await started(server, ann, root)
    assert await error_of(server, "chat.appendStream", **stream, chunks=[chunk]) == error
    assert ann.dm.shown()[-1].shown == ""


async def test_a_stream_cannot_grow_for_ever(server: FakeSlack, ann: User, root: Message) -> None:
    stream = await started(server, ann, root, markdown_text="x" * 12_000)
    await raw(server, "chat.appendStream", **stream, markdown_text="y" * 1_200)
    too_long = {**stream, "markdown_text": "z"}
    assert await error_of(server, "chat.appendStream", **too_long) == "msg_blocks_too_long"
    assert len(ann.dm.shown()[-1].shown) == 13_200
    both = {**stream, "markdown_text": "z", "chunks": [{"type": "plan_update", "title": "x"}]}
    assert await error_of(server, "chat.appendStream", **both) == "markdown_text_conflict"
    assert await error_of(server, "chat.appendStream", **stream) == "no_text"


async def test_a_mention_in_two_halves_is_live_once(
    server: FakeSlack, client: AsyncWebClient, ann: User, root: Message
) -> None:
    stream = await started(server, ann, root, markdown_text="`<!here>` <!chan")
    await client.chat_appendStream(**stream, markdown_text="nel> a")
    await client.chat_appendStream(**stream, chunks=[MarkdownTextChunk(text="b <!channel>")])
    await client.chat_stopStream(**stream)
    tokens = [(ping.method, ping.token) for ping in server.pings]
    assert tokens == [("chat.appendStream", "<!channel>")] * 2


async def test_the_status_line(
    server: FakeSlack, client: AsyncWebClient, clock: FakeClock, ann: User, root: Message
) -> None:
    at: dict[str, Any] = {"channel_id": ann.dm.id, "thread_ts": root.ts}
    await client.assistant_threads_setStatus(**at, status="is thinking", loading_messages=["hm"])
    assert ann.dm.status(root.ts) == "is thinking"
    await clock.advance(120)
    assert ann.dm.status(root.ts) == ""
    await client.assistant_threads_setStatus(**at, status="is still thinking")
    await clock.advance(1)
    await client.chat_postMessage(channel=ann.dm.id, thread_ts=root.ts, text="so")
    assert ann.dm.status(root.ts) == ""
    await clock.advance(1)
    await client.assistant_threads_setStatus(**at, status="again")
    await client.assistant_threads_setStatus(**at, status="")
    assert ann.dm.status(root.ts) == ""
    await client.assistant_threads_setTitle(**at, title="A lot")
    assert ann.dm.titles == {root.ts: "A lot"}
    prompts = [{"title": "Help", "message": "help"}]
    await client.assistant_threads_setSuggestedPrompts(channel_id=ann.dm.id, prompts=prompts)
    assert ann.dm.prompts[-1]["prompts"] == prompts
    five = {"channel_id": ann.dm.id, "prompts": prompts * 5}
    refused = await error_of(server, "assistant.threads.setSuggestedPrompts", **five)
    assert refused == "invalid_arguments"
    assert not server.unknown_arguments


async def test_the_native_stop(
    server: FakeSlack, client: AsyncWebClient, ann: User, root: Message
) -> None:
    at = {"channel_id": ann.dm.id, "thread_ts": root.ts}
    with pytest.raises(AssertionError, match="no stop button"):
        ann.presses_stop(root.ts)
    await client.agents_sessions_setStatus(**at, status="processing", title="A lot")
    stream = await started(server, ann, root, markdown_text="once")
    told = ann.presses_stop(root.ts)
    assert told is not None
    event = told.event
    assert (event["type"], event["user"]) == ("agent_session_stopped", "U0ANN")
    assert (event["thread_ts"], event["streaming_message_ts"]) == (root.ts, [stream["ts"]])
    ended = await error_of(server, "chat.appendStream", **stream, markdown_text="more")
    assert ended == "message_not_in_streaming_state"
    assert not ann.dm.shown()[-1].is_broken
    assert ann.dm.can_be_stopped(root.ts)
    await client.agents_sessions_setStatus(**at, status="active")
    assert not ann.dm.can_be_stopped(root.ts)
    again = await started(server, ann, root, markdown_text="twice")
    await client.agents_sessions_setStatus(**at, status="processing")
    await client.chat_stopStream(**again, session_status="processing")
    assert ann.dm.can_be_stopped(root.ts)
    last = await started(server, ann, root, markdown_text="thrice")
    await client.chat_stopStream(**last)
    assert not ann.dm.can_be_stopped(root.ts)


async def test_sessions_are_for_agents(
    server: FakeSlack, client: AsyncWebClient, ann: User, root: Message
) -> None:
    at = {"channel_id": ann.dm.id, "thread_ts": root.ts}
    server.world.subscriptions.discard("agent_session_stopped")
    told = await client.agents_sessions_setStatus(**at, status="processing")
    assert told["warning"] == "missing_agent_session_stopped_event_subscription"
    server.world.is_agent = False
    with pytest.raises(SlackApiError):
        await client.agents_sessions_setStatus(**at, status="processing")
