"""Whatever goes wrong while receiving is told, waited out, and made up for."""

import asyncio
import json
import logging

import pytest
import structlog

from adapters.slack.adapter import SlackAdapter
from adapters.slack.settings import SlackSettings
from gateway.errors import AccountRejected, GatewayError, RetryLater
from gateway.ids import AccountName
from gateway.messages import OutgoingMessage
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Answer, RateLimit
from tests.fakes.slack import FakeSlack, User
from tests.fakes.slack_address import at, connected


async def ended(adapter: SlackAdapter, account: Account) -> GatewayError:
    with pytest.raises(GatewayError) as raised:
        await adapter.run(account.gate)
    return raised.value


async def until_lines(server: FakeSlack, opened: int, *, left: int = 1) -> None:
    await server.until(
        lambda server: server.sockets.opened == opened and len(server.sockets.connections) == left
    )


async def pass_time(clock: FakeClock, seconds: float) -> None:
    """Move on step by step, so that what answers over real sockets keeps up."""
    for _ in range(int(seconds)):
        await clock.advance(1)
        await asyncio.sleep(0.005)  # lets the loop read what has come


async def heard(account: Account, *texts: str) -> None:
    await account.gate.until(lambda gate: gate.texts == list(texts))


@pytest.mark.parametrize("error", ["invalid_auth", "account_inactive", "token_revoked"])
async def test_a_dead_token_stops_the_account(
    adapter: SlackAdapter, server: FakeSlack, account: Account, error: str
) -> None:
    server.world.token_refusal = error
    trouble = await ended(adapter, account)
    assert isinstance(trouble, AccountRejected)
    assert server.world.bot_token not in str(trouble)


@pytest.mark.parametrize("error", ["missing_scope", "not_allowed_token_type", "invalid_auth"])
async def test_an_app_token_that_opens_no_socket_stops_it_and_says_why(
    adapter: SlackAdapter, server: FakeSlack, account: Account, error: str
) -> None:
    server.sockets.refuses = error
    trouble = await ended(adapter, account)
    assert isinstance(trouble, AccountRejected)
    assert "token" in str(trouble)


@pytest.mark.parametrize("method", ["auth.test", "apps.connections.open"])
async def test_without_a_network_it_starts_later(
    adapter: SlackAdapter, server: FakeSlack, account: Account, method: str
) -> None:
    server.faults.add(Answer(503), path=method)
    assert isinstance(await ended(adapter, account), RetryLater)


async def test_a_socket_that_does_not_open_is_trouble(
    adapter: SlackAdapter, server: FakeSlack, account: Account
) -> None:
    server.faults.add(
        Answer(200, {"ok": True, "url": f"{server.url.replace('http', 'ws')}/link/?ticket=x"}),
        path="apps.connections.open",
    )
    trouble = await ended(adapter, account)
    assert isinstance(trouble, RetryLater)
    assert "ticket" not in str(trouble)


@pytest.mark.fault("revoked token", "slack socket")
async def test_a_token_revoked_meanwhile_stops_it(
    adapter: SlackAdapter, server: FakeSlack, account: Account, clock: FakeClock
) -> None:
    running = asyncio.create_task(adapter.run(account.gate))
    await connected(server)
    server.world.token_refusal = "token_revoked"
    server.sockets.drop()
    await account.health.until(lambda health: not health.is_alive)
    await pass_time(clock, 3)
    with pytest.raises(AccountRejected, match="revoked"):
        await running


async def test_a_refresh_leaves_no_moment_without_a_line(
    adapter: SlackAdapter, server: FakeSlack, account: Account, clock: FakeClock, ann: User
) -> None:
    async with account.receiving(adapter):
        await connected(server)
        ann.writes("before")
        await heard(account, "before")
        await server.sockets.disconnect()
        await until_lines(server, opened=2)
        ann.writes("after")
        await heard(account, "before", "after")
        assert account.health.troubles == []
        await clock.advance(11)
        await server.until(lambda server: not server.pending)
    await server.until(lambda server: not server.sockets.connections)


async def test_a_lost_line_is_told_and_what_was_missed_is_found(
    adapter: SlackAdapter, server: FakeSlack, account: Account, clock: FakeClock, ann: User
) -> None:
    async with account.receiving(adapter):
        await connected(server)
        ann.writes("before")
        await heard(account, "before")
        server.sockets.drop()
        await account.health.until(lambda health: not health.is_alive)
        assert "lost" in account.health.troubles[-1]
        ann.writes("meanwhile")
        await pass_time(clock, 2)
        await heard(account, "before", "meanwhile")
        assert account.health.is_alive
        ann.writes("after")
        await heard(account, "before", "meanwhile", "after")


@pytest.mark.fault("half-open line", "slack socket")
async def test_l37_a_half_open_line_is_noticed(
    adapter: SlackAdapter, server: FakeSlack, account: Account, clock: FakeClock, ann: User
) -> None:
    async with account.receiving(adapter):
        await connected(server)
        ann.writes("before")
        await heard(account, "before")
        server.sockets.go_silent()
        ann.writes("unheard")
        await pass_time(clock, 25)
        await heard(account, "before", "unheard")
        assert len(server.sockets.connections) >= 1
        assert server.sockets.opened >= 2


_UNREADABLE: list[str | bytes] = [
    *('{"type":"events_ap', "", "null", "[]", "7", "[" * 100_000, b"\xff\xfe"),
    *('{"type":"events_api"}', '{"type":{},"envelope_id":[]}', '{"type":"never_heard_of"}'),
    *('{"type":"events_api","envelope_id":7,"payload":7}', '{"type":"hello","num":null}'),
    *('{"type":"interactive","envelope_id":"e1","payload":{"type":"\\ud800"}}',),
    *('{"type":"slash_commands","envelope_id":"e2","payload":[null]}',),
    *(
        '{"type":"events_api","envelope_id":"e3","payload":{"event":'
        + "[" * 500
        + "]" * 500
        + "}}",
    ),
]


@pytest.mark.fault("garbage", "slack socket")
@pytest.mark.parametrize("frame", _UNREADABLE, ids=lambda frame: str(frame)[:30])
async def test_what_cannot_be_read_ends_nothing(
    adapter: SlackAdapter,
    server: FakeSlack,
    account: Account,
    clock: FakeClock,
    ann: User,
    frame: str | bytes,
) -> None:
    async with account.receiving(adapter):
        await connected(server)
        await server.sockets.says(frame)
        ann.writes("hello")
        while not account.gate.texts:
            await pass_time(clock, 1)
        await heard(account, "hello")


async def test_a_line_that_answers_pings_stays(
    adapter: SlackAdapter, server: FakeSlack, account: Account, clock: FakeClock
) -> None:
    async with account.receiving(adapter):
        await connected(server)
        await pass_time(clock, 60)
        assert server.sockets.opened == 1
        assert server.sockets.connections[0].pings >= 10
    assert account.health.troubles == []


async def test_r8_what_was_written_while_it_was_down_is_answered_in_order(
    adapter: SlackAdapter,
    server: FakeSlack,
    settings: SlackSettings,
    account: Account,
    clock: FakeClock,
    ann: User,
) -> None:
    team = server.channel("team", [ann])
    async with account.receiving(adapter):
        await connected(server)
        root = ann.writes(f"{server.mention} first", place=team)
        await heard(account, "first")
        await adapter.send(at(team, root.ts), OutgoingMessage("out_1", "yes?"))
        await server.until(lambda server: not server.pending)
    assert json.loads(account.cursor.position or "")["threads"] == [[team.id, root.ts]]
    ben = server.user("U0BEN", "Ben")
    ann.writes("in the thread", place=team, thread=root.ts)
    ann.writes("not for us", place=team)
    ben.writes("by a stranger")
    ben.writes("twice")
    await pass_time(clock, 500)
    assert all(one.is_over for one in server.deliveries)
    later = SlackAdapter(AccountName("helper"), settings, account.kit)
    await later.open()
    async with account.receiving(later):
        await account.gate.until(lambda gate: len(gate.messages) == 5)
    await later.close()
    assert [(one.text, one.is_addressed) for one in account.gate.messages[1:]] == [
        ("in the thread", True),
        ("not for us", False),
        ("by a stranger", True),
        ("twice", True),
    ]
    assert len(account.gate.messages) == 5


async def test_r8_a_thread_from_long_before_in_which_the_bot_is_named_is_found(
    server: FakeSlack, settings: SlackSettings, account: Account, clock: FakeClock, ann: User
) -> None:
    team = server.channel("team", [ann])
    root, other = ann.writes("an old talk", place=team), ann.writes("another", place=team)
    ann.writes("among us", place=team, thread=root.ts)
    ann.writes("long settled", place=team, thread=other.ts)
    await pass_time(clock, 1)
    await clock.advance(7 * 86_400)
    account.cursor.position = json.dumps({"seen": f"{clock.now():.6f}"})
    ann.writes(f"{server.mention} what of it?", place=team, thread=root.ts)
    await pass_time(clock, 500)
    adapter = SlackAdapter(AccountName("helper"), settings, account.kit)
    await adapter.open()
    async with account.receiving(adapter):
        await account.gate.until(lambda gate: len(gate.messages) == 1)
    await adapter.close()
    assert account.gate.texts == ["what of it?"]
    assert account.gate.messages[0].address.place.thread == root.ts
    read = [one.arguments["ts"] for one in server.log if one.method == "conversations.replies"]
    assert read == [root.ts]


async def test_r8_what_is_too_old_is_told_of_and_not_answered(
    server: FakeSlack, settings: SlackSettings, account: Account, clock: FakeClock, ann: User
) -> None:
    team = server.channel("team", [ann])
    account.cursor.position = json.dumps({"seen": f"{clock.now() - 90_000:.6f}"})
    ann.writes("yesterday")
    ann.writes("this too")
    root = ann.writes("and this", place=team)
    await pass_time(clock, 1)
    await clock.advance(3_600)
    ann.writes("just now")
    ann.writes("in a thread", place=team, thread=root.ts)
    await clock.advance(600)
    adapter = SlackAdapter(AccountName("helper"), settings, account.kit)
    await adapter.open()
    async with account.receiving(adapter):
        await account.gate.until(lambda gate: len(gate.kept) == 4)
    await adapter.close()
    assert sorted(account.gate.texts) == ["in a thread", "just now"]
    assert sorted(account.gate.too_old) == [["and this"], ["yesterday", "this too"]]


@pytest.mark.promise("R8")
async def test_r8_what_was_missed_is_found_in_every_conversation_however_many_there_are(
    adapter: SlackAdapter, server: FakeSlack, account: Account, clock: FakeClock
) -> None:
    people = [server.user(f"U{number:05}", f"Person {number}") for number in range(230)]
    dms = [one.dm for one in people]
    account.cursor.position = json.dumps({"seen": f"{clock.now() - 60:.6f}"})
    people[-1].writes("Is anybody there?", place=dms[-1])
    await pass_time(clock, 500)  # Slack has given up telling of it
    async with account.receiving(adapter):
        await connected(server)
        await pass_time(clock, 270)  # at the rate at which Slack lets histories be read
        await heard(account, "Is anybody there?")


async def test_what_is_malformed_in_a_history_stops_nothing(
    server: FakeSlack, settings: SlackSettings, account: Account, clock: FakeClock, ann: User
) -> None:
    account.cursor.position = json.dumps({"seen": f"{clock.now() - 100:.6f}"})
    written = ann.writes("hello")
    broken = {"type": "message", "ts": f"{clock.now() - 5:.6f}", "user": ["?"], "text": 5}
    shown = {"type": "message", "ts": written.ts, "user": ann.id, "text": "hello"}
    history = {"ok": True, "messages": [shown, broken], "has_more": False}
    server.faults.add(Answer(200, history), path="conversations.history")
    await pass_time(clock, 500)
    adapter = SlackAdapter(AccountName("helper"), settings, account.kit)
    await adapter.open()
    async with account.receiving(adapter):
        await heard(account, "hello")
    await adapter.close()


@pytest.mark.parametrize(
    "position", [None, "", "nonsense", "[]", '{"seen": 5, "threads": [1], "conversations": 7}']
)
async def test_a_first_start_looks_for_nothing(
    adapter: SlackAdapter,
    server: FakeSlack,
    account: Account,
    ann: User,
    position: str | None,
) -> None:
    account.cursor.position = position
    ann.writes("long ago")
    async with account.receiving(adapter):
        await connected(server)
        ann.writes("hello")
        await heard(account, "hello")
    assert not server.calls("conversations.history")


async def test_a_history_that_is_limited_is_waited_for_in_the_background(
    adapter: SlackAdapter, server: FakeSlack, account: Account, clock: FakeClock, ann: User
) -> None:
    account.cursor.position = json.dumps({"seen": f"{clock.now() - 60:.6f}"})
    ann.writes("missed")
    await pass_time(clock, 500)
    server.faults.add(RateLimit(60), path="conversations.history", times=1)
    async with account.receiving(adapter):
        await connected(server)
        await server.until(lambda server: bool(server.calls("conversations.history")))
        ann.writes("new")
        await pass_time(clock, 20)
        assert account.gate.texts == []
        await pass_time(clock, 15)
        await heard(account, "new")
        await pass_time(clock, 60)
        await account.gate.until(lambda gate: "missed" in gate.texts)


async def test_histories_that_may_not_be_read_are_a_warning(
    adapter: SlackAdapter, server: FakeSlack, account: Account, clock: FakeClock, ann: User
) -> None:
    account.cursor.position = json.dumps({"seen": f"{clock.now() - 60:.6f}"})
    server.world.scopes -= {"im:read", "channels:read", "groups:read", "mpim:read"}
    with structlog.testing.capture_logs() as logs:
        async with account.receiving(adapter):
            await connected(server)
            await server.until(lambda server: bool(server.calls("users.conversations")))
            ann.writes("hello")
            await heard(account, "hello")
    assert [one["event"] for one in logs if one["log_level"] == "warning"] == ["history.not_read"]


async def test_nothing_is_left_running(
    adapter: SlackAdapter, server: FakeSlack, account: Account, ann: User
) -> None:
    before = asyncio.all_tasks()
    async with account.receiving(adapter):
        await connected(server)
        ann.writes("hello")
        await heard(account, "hello")
    await server.until(lambda server: not server.sockets.connections)
    ours = {task for task in asyncio.all_tasks() - before if "slack" in repr(task.get_coro())}
    assert {task for task in ours if "adapters" in repr(task.get_coro())} == set()
    await adapter.send(at(ann.dm), OutgoingMessage("out_1", "still here"))
    assert ann.dm.bot_texts() == ["still here"]


@pytest.mark.threat("T55")
async def test_no_secret_and_no_word_is_logged(
    adapter: SlackAdapter,
    server: FakeSlack,
    account: Account,
    clock: FakeClock,
    ann: User,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs:
        async with account.receiving(adapter):
            await connected(server)
            ann.writes("a private word")
            await heard(account, "a private word")
            ann.commands("/parley", "another private word")
            server.sockets.drop()
            await account.health.until(lambda health: not health.is_alive)
            await pass_time(clock, 2)
    written = caplog.text + json.dumps(logs, default=str)
    for secret in ("private", "ticket", server.world.bot_token, server.world.app_token):
        assert secret not in written
