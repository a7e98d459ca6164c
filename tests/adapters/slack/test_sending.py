"""What people see of what is sent, and what is known after each failure."""

import traceback

import pytest

from adapters.slack.adapter import SlackAdapter
from adapters.slack.settings import SlackSettings
from gateway.errors import (
    AccountRejected,
    GatewayError,
    NotSupported,
    RetryLater,
    SendRefused,
    SendUncertain,
)
from gateway.ids import AccountName, MessageId
from gateway.messages import Choice, Mark, OutgoingMessage
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Answer, Drop, Effect, Hang, RateLimit, Reset, Truncate
from tests.fakes.slack import FakeSlack, User
from tests.fakes.slack_address import at


def saying(text: str, **more: object) -> OutgoingMessage:
    return OutgoingMessage(key="out_1", text=text, **more)  # type: ignore[arg-type] # by name


async def test_markdown_goes_as_markdown_with_words_for_notifications(
    adapter: SlackAdapter, ann: User
) -> None:
    sent = await adapter.send(at(ann.dm), saying("# Hi\n\n**Ann** & `a < b`"))
    [message] = ann.dm.shown()
    assert message.blocks == [{"type": "markdown", "text": "# Hi\n\n**Ann** & `a &lt; b`"}]
    assert message.text == "Hi\n\nAnn &amp; a &lt; b"
    assert message.metadata == {"event_type": "parley_message", "event_payload": {"key": "out_1"}}
    assert sent == f"{ann.dm.id}:{message.ts}"


async def test_n35_every_call_names_the_thread(
    adapter: SlackAdapter, server: FakeSlack, ann: User
) -> None:
    team = server.channel("team", [ann])
    here = at(team, ann.writes("hi", place=team).ts)
    await adapter.send(here, saying("hello", choices=(Choice("Yes", "yes"),)))
    await adapter.show_typing(here)
    assert {one.thread_ts for one in team.shown() if one.is_from_bot} == {here.place.thread}
    assert list(team.statuses) == [here.place.thread]


@pytest.mark.threat("T21")
async def test_t21_links_are_not_unfolded(
    adapter: SlackAdapter, server: FakeSlack, settings: SlackSettings, account: Account, ann: User
) -> None:
    await adapter.send(at(ann.dm), saying("https://example.org/?secret=1"))
    assert server.world.unfurls == []
    open_hearted = SlackAdapter(
        AccountName("other"), settings.model_copy(update={"link_previews": True}), account.kit
    )
    await open_hearted.open()
    await open_hearted.send(at(ann.dm), saying("https://example.org/"))
    await open_hearted.close()
    assert len(server.world.unfurls) == 1


async def test_n16_buttons_shorten_nothing(adapter: SlackAdapter, ann: User) -> None:
    text = "a " * 5000 + "z"
    long = "L" * 200
    choices = (Choice(long, "one"), Choice(long + "!", "two", is_danger=True))
    await adapter.send(at(ann.dm), saying(text, choices=choices))
    [message] = ann.dm.shown()
    assert message.shown == text
    [first, second] = message.blocks[-1]["elements"]
    assert first["action_id"] != second["action_id"]
    assert len(first["text"]["text"]) == 75
    assert (first["value"], second["value"]) == ("one", "two")
    assert (first.get("style"), second["style"]) == (None, "danger")


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long"])
async def test_a13_words_arrive_without_blocks_that_were_refused(
    adapter: SlackAdapter, server: FakeSlack, ann: User, error: str
) -> None:
    server.faults.add(Answer(200, {"ok": False, "error": error}), path="postMessage", times=1)
    await adapter.send(at(ann.dm), saying("**hello**"))
    [message] = ann.dm.shown()
    assert message.text == "**hello**"
    assert not message.blocks


async def test_who_called_by_a_command_is_told_in_a_channel(
    adapter: SlackAdapter, server: FakeSlack, ann: User
) -> None:
    team = server.channel("team", [ann])
    asked = MessageId("command:1.2.x")
    sent = await adapter.send(at(team), saying("Yes…", reply_to=asked, is_growing=True))
    await adapter.edit(at(team), sent, saying("Yes.", reply_to=asked))
    assert team.bot_texts() == ["Ann asked\nYes."]
    await adapter.send(at(ann.dm), saying("Yes.", reply_to=asked))
    assert ann.dm.bot_texts() == ["Yes."]


async def test_a_message_that_is_gone_is_taken_back(adapter: SlackAdapter, ann: User) -> None:
    sent = await adapter.send(at(ann.dm), saying("a mistake"))
    for _ in range(2):
        await adapter.delete(at(ann.dm), sent)
    assert ann.dm.shown() == []
    with pytest.raises(SendRefused, match="no longer exists"):
        await adapter.edit(at(ann.dm), sent, saying("more"))


async def test_typing_is_a_status_that_can_be_ended(adapter: SlackAdapter, ann: User) -> None:
    thread = ann.writes("hi").ts
    await adapter.show_typing(at(ann.dm, thread))
    assert ann.dm.status(thread) == "is thinking…"
    await adapter.end_typing(at(ann.dm, thread))
    assert ann.dm.status(thread) == ""
    with pytest.raises(NotSupported, match="only in threads"):
        await adapter.show_typing(at(ann.dm))


async def test_a_mark_takes_the_place_of_the_last(
    adapter: SlackAdapter, server: FakeSlack, ann: User
) -> None:
    message = ann.writes("hi")
    name = MessageId(f"{ann.dm.id}:{message.ts}")
    for mark in (Mark.SEEN, Mark.SEEN, Mark.DONE, Mark.DONE):
        await adapter.mark(at(ann.dm), name, mark)
    assert [sign for sign, users in message.reactions.items() if users] == ["white_check_mark"]
    await adapter.mark(at(ann.dm), MessageId("command:1.2.x"), Mark.SEEN)
    server.world.scopes.discard("reactions:write")
    before = len(server.log)
    for mark in (Mark.FAILED, Mark.FAILED):
        await adapter.mark(at(ann.dm), name, mark)
    assert len(server.log) == before + 2


async def test_r6_a_message_is_found_by_its_key(
    adapter: SlackAdapter, server: FakeSlack, clock: FakeClock, ann: User
) -> None:
    thread = ann.writes("hi").ts
    for here in (at(ann.dm), at(ann.dm, thread)):
        since = clock.now()
        server.faults.add(Drop(), path="postMessage", times=1)
        with pytest.raises(SendUncertain):
            await adapter.send(here, saying("hello"))
        found = await adapter.find_sent(here, saying("hello"), since)
        assert found == f"{ann.dm.id}:{ann.dm.shown()[-1].ts}"
        assert await adapter.find_sent(here, OutgoingMessage("out_2", "hello"), since) is None
        await clock.advance(120)
    server.world.scopes.discard("im:history")
    server.world.scopes.discard("channels:history")
    server.world.scopes.discard("groups:history")
    server.world.scopes.discard("mpim:history")
    with pytest.raises(NotSupported, match=r"im:history|channels:history"):
        await adapter.find_sent(at(ann.dm), saying("hello"), clock.now())


@pytest.mark.promise("R6")
@pytest.mark.parametrize("in_thread", [False, True])
async def test_r6_a_message_is_found_behind_everything_that_others_wrote(
    adapter: SlackAdapter, server: FakeSlack, clock: FakeClock, ann: User, *, in_thread: bool
) -> None:
    team, since = server.channel("team", [ann]), clock.now()
    thread = ann.writes("hi", place=team).ts if in_thread else None
    here = at(team, thread)
    for number in range(250):
        ann.writes(f"{number}", place=team, thread=thread)
    sent = await adapter.send(here, saying("hello"))
    assert await adapter.find_sent(here, saying("hello"), since) == sent
    never = OutgoingMessage("out_2", "never said")
    assert await adapter.find_sent(here, never, since) is None
    for number in range(800):
        ann.writes(f"{number}", place=team, thread=thread)
    with pytest.raises(NotSupported):
        await adapter.find_sent(here, never, since)


FAILURES: list[tuple[Effect, type[GatewayError], str]] = [
    (RateLimit(7), RetryLater, "asks to wait"),
    (Answer(200, {"ok": False, "error": "ratelimited"}), RetryLater, "asks to wait"),
    (Answer(200, {"ok": False, "error": "service_unavailable"}), RetryLater, "asks to wait"),
    (Answer(503, "down"), SendUncertain, "in trouble"),
    (Answer(429, "no"), RetryLater, "asks to wait"),
    (Answer(200, "<html>"), SendUncertain, "cannot be read"),
    (Answer(500, {"ok": False, "error": "fatal_error"}), SendUncertain, "fatal_error"),
    (Answer(200, {"ok": False, "error": "internal_error"}), SendUncertain, "in trouble"),
    (Reset("before"), SendUncertain, "no answer"),
    (Reset("middle"), SendUncertain, "answer"),
    (Drop(), SendUncertain, "no answer"),
    (Truncate(), SendUncertain, "answer"),
    (Answer(200, {"ok": False, "error": "invalid_auth"}), AccountRejected, "copy it anew"),
    (Answer(200, {"ok": False, "error": "account_inactive"}), AccountRejected, "was removed"),
    (Answer(200, {"ok": False, "error": "token_revoked"}), AccountRejected, "revoked"),
    (Answer(200, {"ok": False, "error": "is_archived"}), SendRefused, "archived"),
    (Answer(200, {"ok": False, "error": "not_in_channel"}), SendRefused, "invite it"),
    (Answer(200, {"ok": False, "error": "unheard_of"}), SendRefused, "unheard_of"),
    (
        Answer(200, {"ok": False, "error": "missing_scope", "needed": "chat:write"}),
        SendRefused,
        "lacks the scope chat:write",
    ),
    (Answer(404, "<html>no</html>", {"Content-Type": "text/html"}), SendRefused, "HTTP 404"),
]


@pytest.mark.parametrize(("effect", "kind", "words"), FAILURES, ids=str)
async def test_a_failure_says_whether_it_may_be_repeated(
    adapter: SlackAdapter,
    server: FakeSlack,
    ann: User,
    effect: Effect,
    kind: type[GatewayError],
    words: str,
) -> None:
    server.faults.add(effect, path="postMessage", times=1)
    with pytest.raises(kind, match=words) as raised:
        await adapter.send(at(ann.dm), saying("hello"))
    assert type(raised.value) in {kind, *kind.__subclasses__()}
    told = "".join(traceback.format_exception(raised.value))
    assert server.world.bot_token not in told


@pytest.mark.parametrize(
    ("error", "is_gone"),
    [("is_archived", True), ("channel_not_found", True), ("msg_too_long", False)],
)
async def test_a_refusal_says_whether_anything_is_taken_there_any_more(
    adapter: SlackAdapter, server: FakeSlack, ann: User, error: str, is_gone: bool
) -> None:
    server.faults.add(Answer(200, {"ok": False, "error": error}), path="postMessage")
    with pytest.raises(SendRefused) as refused:
        await adapter.send(at(ann.dm), saying("hello"))
    assert refused.value.is_gone == is_gone


async def test_no_call_is_made_while_a_penalty_lasts(
    adapter: SlackAdapter, server: FakeSlack, clock: FakeClock, ann: User
) -> None:
    ben = server.user("U0BEN", "Ben")
    server.faults.add(RateLimit(7), path="postMessage", times=1)
    with pytest.raises(RetryLater) as raised:
        await adapter.send(at(ann.dm), saying("hello"))
    assert raised.value.after == 7
    await clock.advance(6)
    with pytest.raises(RetryLater) as raised:
        await adapter.send(at(ann.dm), saying("hello"))
    assert raised.value.after == pytest.approx(1)
    await adapter.send(at(ben.dm), saying("hello"))
    await clock.advance(1)
    await adapter.send(at(ann.dm), saying("hello"))
    assert len(server.calls("chat.postMessage")) == 3


async def test_a_server_that_cannot_be_reached_has_got_nothing(
    settings: SlackSettings, account: Account, ann: User
) -> None:
    nowhere = settings.model_copy(update={"api_base": "http://127.0.0.1:1/api/"})
    adapter = SlackAdapter(AccountName("helper"), nowhere, account.kit)
    await adapter.open()
    with pytest.raises(RetryLater, match="cannot be reached"):
        await adapter.send(at(ann.dm), saying("hello"))
    await adapter.close()
    with pytest.raises(RetryLater):
        await adapter.check()


async def test_an_edit_in_doubt_may_be_made_again(
    adapter: SlackAdapter, server: FakeSlack, ann: User
) -> None:
    sent = await adapter.send(at(ann.dm), saying("one"))
    server.faults.add(Drop(), path="chat.update", times=1)
    with pytest.raises(RetryLater):
        await adapter.edit(at(ann.dm), sent, saying("two"))
    await adapter.edit(at(ann.dm), sent, saying("two"))
    assert ann.dm.bot_texts() == ["two"]


async def test_it_says_who_it_is_and_what_it_lacks(
    adapter: SlackAdapter, server: FakeSlack
) -> None:
    assert await adapter.check() == "@parley in Team (T0TEAM), an agent, mode socket"
    server.world.scopes -= {"assistant:write", "files:read"}
    assert (await adapter.check()).endswith(
        "a plain app, mode socket, without the scopes assistant:write, files:read"
    )
    server.world.token_refusal = "token_revoked"
    with pytest.raises(AccountRejected, match="revoked"):
        await adapter.check()


async def test_a_call_that_is_not_answered_is_given_up(
    adapter: SlackAdapter, server: FakeSlack, monkeypatch: pytest.MonkeyPatch, ann: User
) -> None:
    server.faults.add(Hang(applies=True), path="postMessage")
    session = adapter._api.connections.session
    monkeypatch.setattr(session, "_timeout", session.timeout.__class__(total=0.2))
    with pytest.raises(SendUncertain):
        await adapter.send(at(ann.dm), saying("hello"))
