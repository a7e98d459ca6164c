"""The real slack-sdk against the fake: what is posted, updated, looked up, refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import ActionsBlock, ButtonElement, MarkdownBlock, SectionBlock
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.clock import FakeClock
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


def button(text: str = "Yes", action: str = "yes", **more: Any) -> dict[str, Any]:
    shown = {"type": "plain_text", "text": text}
    return {"type": "button", "text": shown, "action_id": action, **more}


def actions(*buttons: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(buttons), **more}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def markdown(text: str) -> dict[str, Any]:
    return {"type": "markdown", "text": text}


async def error_of(server: FakeSlack, method: str, **body: Any) -> str:
    envelope = await raw(server, method, **body)
    assert not envelope["ok"], envelope
    return str(envelope["error"])


async def test_posts_and_shows(server: FakeSlack, client: AsyncWebClient, ann: User) -> None:
    root = ann.writes("hi")
    sent = await client.chat_postMessage(
        channel=ann.dm.id,
        text="in short",
        blocks=[
            MarkdownBlock(text="**Long** &lt;ly&gt;"),
            SectionBlock(text="*more*"),
            ActionsBlock(elements=[ButtonElement(text="Yes", action_id="yes", value="y")]),
        ],
        thread_ts=root.ts,
        unfurl_links=False,
        unfurl_media=False,
        metadata={"event_type": "parley", "event_payload": {"key": "out_1"}},
    )
    first, second = ann.dm.shown()
    assert (first.who, second.who, second.shown) == ("Ann", "bot", "Long <ly>\nmore")
    assert (second.ts, second.thread_ts, second.text) == (sent["ts"], root.ts, "in short")
    assert second.labels == ["Yes"]
    assert ann.dm.shown(root.ts) == [first, second]
    assert ann.dm.top() == [first]
    [call] = server.calls("chat.postMessage", ann.dm)
    assert (call.applied, call.ts) == (True, second.ts)
    assert not server.unknown_arguments
    assert not server.unfurls


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"markdown_text": "x", "text": "x"}, "markdown_text_conflict"),
        ({"markdown_text": "x", "blocks": [markdown("x")]}, "markdown_text_conflict"),
        ({"text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"text": "x", "metadata": {"event_type": "x"}}, "invalid_metadata_schema"),
        ({"text": "x", "metadata": "{"}, "invalid_metadata_format"),
        ({"blocks": "[{"}, "invalid_blocks_format"),
        ({"blocks": {"type": "divider"}}, "invalid_blocks_format"),
        ({"blocks": [markdown("x" * 7_000)] * 2}, "msg_blocks_too_long"),
    ],
)
async def test_refuses_messages(
    server: FakeSlack, ann: User, body: dict[str, Any], error: str
) -> None:
    assert await error_of(server, "chat.postMessage", channel=ann.dm.id, **body) == error
    assert ann.dm.shown() == []
    assert server.calls("chat.postMessage")[0].refused


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([markdown("x" * 12_001)], "less than 12001 characters [json-pointer:/blocks/0/text]"),
        ([section("x" * 3_001)], "less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        ([section("")], "more than 0 characters"),
        ([{"type": "section"}], "missing required field: text"),
        ([section("x")] * 51, "no more than 50 items allowed"),
        ([{"type": "soap"}], "unsupported type: soap"),
        ([{**section("x"), "colour": "red"}], "invalid additional property: colour"),
        (["section"], "must be an object with a type"),
        ([actions()], "at least 1 item"),
        ([actions(*(button(action=f"a{n}") for n in range(26)))], "no more than 25 items"),
        ([actions(button(), button())], '`action_id`: "yes" already exists'),
        ([actions(button("x" * 76))], "less than 76 characters"),
        ([actions(button(value="x" * 2_001))], "less than 2001 characters"),
        ([actions(button(action="x" * 256))], "less than 256 characters"),
        ([actions(button(style="shiny"))], "must be primary or danger"),
        ([actions(button(callback="x"))], "invalid additional property: callback"),
        (
            [{**section("x"), "block_id": "b"}, {**section("x"), "block_id": "b"}],
            '`block_id`: "b" already exists',
        ),
        ([{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}] * 2, "only one table"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "of type plain_text"),
    ],
)
async def test_refuses_blocks(server: FakeSlack, ann: User, blocks: Any, words: str) -> None:
    envelope = await raw(server, "chat.postMessage", channel=ann.dm.id, blocks=blocks)
    assert envelope["error"] == "invalid_blocks"
    assert any(words in one for one in envelope["response_metadata"]["messages"])


async def test_takes_what_just_fits(client: AsyncWebClient, ann: User) -> None:
    many = [button(str(n), f"a{n}", value="v" * 2_000) for n in range(25)]
    await client.chat_postMessage(channel=ann.dm.id, text="x" * 40_000)
    await client.chat_postMessage(channel=ann.dm.id, markdown_text="x" * 12_000)
    await client.chat_postMessage(
        channel=ann.dm.id,
        text="x",
        blocks=[markdown("x" * 12_000), markdown("x" * 1_200), actions(*many)],
    )
    assert [len(one) for one in ann.dm.bot_texts()] == [40_000, 12_000, 13_201]
    assert len(ann.dm.shown()[-1].labels) == 25


async def test_an_update_keeps_the_blocks_it_does_not_name(
    client: AsyncWebClient, server: FakeSlack, ann: User
) -> None:
    sent = await client.chat_postMessage(
        channel=ann.dm.id, text="a", blocks=[section("first"), actions(button())]
    )
    where = {"channel": ann.dm.id, "ts": sent["ts"]}
    await client.chat_update(**where, text="second")
    [message] = ann.dm.shown()
    assert (message.text, message.shown, message.labels) == ("second", "first", ["Yes"])
    await client.chat_update(**where, text="third", blocks=[])
    assert (message.shown, message.labels) == ("third", [])
    await client.chat_update(**where, markdown_text="**fourth**")
    assert message.shown == "fourth"
    assert message.earlier == ["first", "first", "third"]
    assert await error_of(server, "chat.update", **where, text="x" * 4_001) == "msg_too_long"


async def test_only_own_messages_change(
    server: FakeSlack, client: AsyncWebClient, ann: User
) -> None:
    theirs = {"channel": ann.dm.id, "ts": ann.writes("mine").ts}
    assert await error_of(server, "chat.update", **theirs, text="x") == "cant_update_message"
    assert await error_of(server, "chat.delete", **theirs) == "cant_delete_message"
    gone = {"channel": ann.dm.id, "ts": "1.000001"}
    assert await error_of(server, "chat.update", **gone, text="x") == "message_not_found"
    sent = await client.chat_postMessage(channel="U0ANN", text="x")
    await client.chat_delete(channel=ann.dm.id, ts=str(sent["ts"]))
    assert ann.dm.bot_texts() == []
    mine = {"channel": ann.dm.id, "ts": sent["ts"]}
    assert await error_of(server, "chat.delete", **mine) == "message_not_found"


async def test_where_the_app_may_not_be(server: FakeSlack, ann: User) -> None:
    team, secret = server.channel("team", [ann]), server.channel("secret", [ann], kind="group")
    team.has_bot = secret.has_bot = False
    post = "chat.postMessage"
    assert await error_of(server, post, channel="C0NONE", text="x") == "channel_not_found"
    assert await error_of(server, post, channel=secret.id, text="x") == "channel_not_found"
    assert await error_of(server, post, channel=team.id, text="x") == "not_in_channel"
    team.has_bot = team.is_archived = True
    assert await error_of(server, post, channel=team.id, text="x") == "is_archived"
    assert await error_of(server, post, text="x") == "invalid_arguments"


async def test_tokens_and_scopes(server: FakeSlack, client: AsyncWebClient, ann: User) -> None:
    told = await client.auth_test()
    assert (told["user_id"], told["bot_id"], told["team_id"]) == ("U0BOT", "B0BOT", "T0TEAM")
    assert "chat:write" in told.headers["x-oauth-scopes"]
    for token, error in (("xoxb-wrong", "invalid_auth"), (server.world.app_token, "not_allowed")):
        with pytest.raises(SlackApiError, match=error):
            await client_for(server, token).auth_test()
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await client.apps_connections_open(app_token=server.world.bot_token)
    server.world.scopes.discard("reactions:write")
    with pytest.raises(SlackApiError) as refused:
        await client.reactions_add(channel=ann.dm.id, name="eyes", timestamp="1.000001")
    assert refused.value.response["needed"] == "reactions:write"
    assert "chat:write" in refused.value.response["provided"]
    server.world.token_refusal = "token_revoked"
    with pytest.raises(SlackApiError, match="token_revoked"):
        await client.auth_test()


async def test_unknown_arguments_are_counted(server: FakeSlack, ann: User) -> None:
    await raw(server, "chat.postMessage", channel=ann.dm.id, text="x", team_id="T1", color="red")
    assert dict(server.unknown_arguments) == {("chat.postMessage", "color"): 1}
    assert await error_of(server, "chat.sing") == "unknown_method"


async def test_what_is_live_is_noted(server: FakeSlack, client: AsyncWebClient, ann: User) -> None:
    post, channel = client.chat_postMessage, ann.dm.id
    await post(channel=channel, text="&lt;!channel&gt; `<!here>` @here", unfurl_links=False)
    assert (server.pings, server.unfurls) == ([], [])
    await post(channel=channel, text="<!channel>", blocks=[section("<@U0ANN>")])
    await post(channel=channel, markdown_text="<!here>")
    await post(channel=channel, text="@everyone", link_names=True)
    assert [ping.token for ping in server.pings] == [
        "<!channel>",
        "<@U0ANN>",
        "<!here>",
        "@everyone",
    ]
    assert {ping.method for ping in server.pings} == {"chat.postMessage"}
    await post(channel=channel, text="see https://x.y", unfurl_links=False, unfurl_media=False)
    await post(channel=channel, text="see https://x.y", unfurl_links=False)
    assert len(server.unfurls) == 1


async def test_history_and_replies(server: FakeSlack, client: AsyncWebClient, ann: User) -> None:
    roots = [ann.writes(str(number)) for number in range(5)]
    for number in range(3):
        await client.chat_postMessage(
            channel=ann.dm.id,
            text=f"r{number}",
            thread_ts=roots[1].ts,
            metadata={"event_type": "parley", "event_payload": {"key": number}},
        )
    newest = await client.conversations_history(channel=ann.dm.id, limit=2)
    assert [one["text"] for one in newest["messages"]] == ["4", "3"]
    assert newest["has_more"]
    cursor = newest["response_metadata"]["next_cursor"]
    rest = await client.conversations_history(channel=ann.dm.id, limit=5, cursor=cursor)
    assert [one["text"] for one in rest["messages"]] == ["2", "1", "0"]
    assert not rest["has_more"]
    later = await client.conversations_history(channel=ann.dm.id, oldest=roots[1].ts, limit=2)
    assert [one["text"] for one in later["messages"]] == ["3", "2"]
    whole = await client.conversations_history(
        channel=ann.dm.id, oldest=roots[1].ts, latest=roots[3].ts, inclusive=True
    )
    assert [one["text"] for one in whole["messages"]] == ["3", "2", "1"]
    assert whole["messages"][-1]["reply_count"] == 3
    thread = await client.conversations_replies(channel=ann.dm.id, ts=roots[1].ts)
    assert [one["text"] for one in thread["messages"]] == ["1", "r0", "r1", "r2"]
    assert "metadata" not in thread["messages"][1]
    last = thread["messages"][2]["ts"]
    newer = await client.conversations_replies(
        channel=ann.dm.id, ts=roots[1].ts, oldest=last, include_all_metadata=True
    )
    assert [one["text"] for one in newer["messages"]] == ["1", "r2"]
    assert newer["messages"][1]["metadata"]["event_payload"] == {"key": 2}
    assert newer["messages"][1]["parent_user_id"] == "U0ANN"
    missing = {"channel": ann.dm.id, "ts": "1.000001"}
    assert await error_of(server, "conversations.replies", **missing) == "thread_not_found"
    too_many = {"channel": ann.dm.id, "limit": 1_000}
    assert await error_of(server, "conversations.history", **too_many) == "invalid_limit"


async def test_looks_up_people_and_places(
    server: FakeSlack, client: AsyncWebClient, ann: User
) -> None:
    guest = server.user("W0EVE", "Eve", team="T0FAR")
    team = server.channel("team", [ann, guest])
    ann.writes("hi")
    shown = await client.conversations_info(channel=team.id)
    assert shown["channel"]["is_ext_shared"]
    listed = await client.users_conversations(types="im,public_channel")
    assert {one["id"] for one in listed["channels"]} == {team.id, ann.dm.id}
    assert (await client.conversations_list(types="im"))["channels"][0]["user"] == "U0ANN"
    assert (await client.users_info(user="W0EVE"))["user"]["team_id"] == "T0FAR"
    assert (await client.team_info())["team"]["id"] == "T0TEAM"
    opened = await client.conversations_open(users="U0ANN")
    assert opened["channel"]["id"] == ann.dm.id
    group = await client.conversations_open(users=["U0ANN", "W0EVE"])
    again = await client.conversations_open(users=["W0EVE", "U0ANN"])
    assert group["channel"]["id"] == again["channel"]["id"]
    assert await error_of(server, "users.info", user="U0NONE") == "user_not_found"
    assert not server.unknown_arguments
