"""The real slack-sdk against the fake: files, reactions, views, limits."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.clock import FakeClock
from tests.fakes.faults import Answer, RateLimit
from tests.fakes.slack import FakeSlack, User
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


async def error_of(server: FakeSlack, method: str, **body: Any) -> str:
    envelope = await raw(server, method, **body)
    assert not envelope["ok"], envelope
    return str(envelope["error"])


async def test_files_appear_after_the_answer(
    server: FakeSlack, client: AsyncWebClient, clock: FakeClock, ann: User
) -> None:
    root = ann.writes("send me two")
    done = await client.files_upload_v2(
        channel=ann.dm.id,
        thread_ts=root.ts,
        initial_comment="&lt;both&gt;",
        file_uploads=[
            {"filename": "a.txt", "content": "some notes", "title": "Notes"},
            {"filename": "b.png", "file": b"\x89PNG picture"},
        ],
    )
    assert len(ann.dm.shown()) == 1
    file_id = done["files"][0]["id"]
    assert (await client.files_info(file=file_id))["file"]["shares"] == {}
    await clock.until_sleeping()
    await clock.advance(1)
    message = ann.dm.shown()[-1]
    assert (message.shown, message.thread_ts) == ("<both>", root.ts)
    assert [(one.name, one.data, one.mime) for one in message.files] == [
        ("a.txt", b"some notes", "text/plain"),
        ("b.png", b"\x89PNG picture", "image/png"),
    ]
    info = (await client.files_info(file=file_id))["file"]
    assert info["shares"]["private"][ann.dm.id][0]["ts"] == message.ts
    assert not server.unknown_arguments


async def test_uploads_keep_their_word(server: FakeSlack, ann: User) -> None:
    asked = await raw(server, "files.getUploadURLExternal", filename="a.txt", length=3)
    complete = {"files": [{"id": asked["file_id"]}], "channel_id": ann.dm.id}
    assert await error_of(server, "files.completeUploadExternal", **complete) == "file_not_found"
    async with aiohttp.ClientSession() as session:
        async with session.post(asked["upload_url"], data=b"four") as answer:
            assert answer.status == 400
        async with session.post(asked["upload_url"], data=b"abc") as answer:
            assert (answer.status, await answer.text()) == (200, "OK - 3")
    empty = {"filename": "a.txt", "length": 0}
    assert await error_of(server, "files.getUploadURLExternal", **empty) == "invalid_arguments"


async def test_files_of_people_need_the_token_and_the_scope(server: FakeSlack, ann: User) -> None:
    stored = ann.sends({"notes.txt": b"12345"}, "look").files[0]
    address = stored.payload()["url_private_download"]
    good = {"Authorization": f"Bearer {server.world.bot_token}"}

    async def fetched(headers: dict[str, str]) -> tuple[str, bytes]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(address, headers=headers) as answer,
        ):
            assert answer.status == 200
            return answer.content_type, await answer.read()

    assert await fetched(good) == ("text/plain", b"12345")
    kind, page = await fetched({})
    assert (kind, b"Sign in" in page) == ("text/html", True)
    server.world.scopes.discard("files:read")
    assert (await fetched(good))[0] == "text/html"
    assert len(server.world.downloads) == 1


async def test_home_and_modals(server: FakeSlack, clock: FakeClock, ann: User) -> None:
    welcome = {"type": "section", "text": {"type": "mrkdwn", "text": "Welcome"}}
    home = {"type": "home", "blocks": [welcome]}
    await raw(server, "views.publish", user_id="U0ANN", view=home)
    assert ann.home == home
    wrong = {"user_id": "U0ANN", "view": json.dumps({"type": "modal", "blocks": []})}
    assert await error_of(server, "views.publish", **wrong) == "invalid_arguments"
    modal = {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": []}
    server.world.triggers |= {"fresh": clock.now(), "old": clock.now() - 4}
    assert (await raw(server, "views.open", trigger_id="fresh", view=modal))["ok"]
    for trigger, error in (("old", "expired_trigger_id"), ("fresh", "invalid_trigger_id")):
        assert await error_of(server, "views.open", trigger_id=trigger, view=modal) == error


async def test_reactions_and_whispers(server: FakeSlack, client: AsyncWebClient, ann: User) -> None:
    at = {"channel": ann.dm.id, "timestamp": ann.writes("hi").ts, "name": "eyes"}
    await client.reactions_add(**at)
    assert ann.dm.shown()[0].reactions == {"eyes": ["U0BOT"]}
    assert await error_of(server, "reactions.add", **at) == "already_reacted"
    await client.reactions_remove(**at)
    assert ann.dm.shown()[0].reactions == {}
    assert await error_of(server, "reactions.remove", **at) == "no_reaction"
    assert await error_of(server, "reactions.add", **{**at, "name": ":eyes:"}) == "invalid_name"
    await client.chat_postEphemeral(channel=ann.dm.id, user="U0ANN", text="*just* you")
    assert (ann.whispers(), ann.dm.bot_texts()) == (["just you"], [])
    body = {"channel": ann.dm.id, "user": "U0BOB", "text": "x"}
    assert await error_of(server, "chat.postEphemeral", **body) == "user_not_in_channel"


async def test_rate_limits(server: FakeSlack, clock: FakeClock, ann: User) -> None:
    server.world.rates.enabled = True
    root = ann.writes("hi").ts
    status = {"channel_id": ann.dm.id, "thread_ts": root, "status": "busy"}
    for _ in range(50):
        assert (await raw(server, "assistant.threads.setStatus", **status))["ok"]
    assert await error_of(server, "assistant.threads.setStatus", **status) == "ratelimited"
    bob = server.user("U0BOB", "Bob")
    post: dict[str, Any] = {"channel": ann.dm.id, "text": "x"}
    for _ in range(4):
        assert (await raw(server, "chat.postMessage", **post))["ok"]
    with pytest.raises(SlackApiError) as refused:
        await client_for(server).chat_postMessage(**post)
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "1"
    assert (await raw(server, "chat.postMessage", channel=bob.dm.id, text="x"))["ok"]
    assert server.calls_in_penalty == 0
    assert await error_of(server, "chat.postMessage", **post) == "ratelimited"
    assert (server.calls_in_penalty, server.log[-1].in_penalty) == (1, True)
    await clock.advance(1.5)
    assert (await raw(server, "chat.postMessage", **post))["ok"]


async def test_faults_speak_like_slack(server: FakeSlack, ann: User) -> None:
    server.faults.add(RateLimit(5), path="chat.postMessage", nth=1)
    server.faults.add(Answer(503), path="chat.update")
    post = {"channel": ann.dm.id, "text": "x"}
    assert await error_of(server, "chat.postMessage", **post) == "ratelimited"
    assert (await raw(server, "chat.postMessage", **post))["ok"]
    assert server.calls_in_penalty == 1
    assert await error_of(server, "chat.update", **post, ts="1.000001") == "internal_error"
