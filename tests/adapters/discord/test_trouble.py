"""Connections that break, half open lines, refusals: it goes on, or stops and says why."""

import asyncio
import threading
from itertools import pairwise
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.bookmark import Bookmark
from adapters.discord.connection import _SILENT_AT_MOST, Connection
from adapters.discord.settings import DiscordSettings
from adapters.discord.transport import Rest
from gateway.errors import AccountRejected, RetryLater
from gateway.ids import AccountName
from gateway.messages import OutgoingMessage
from tests.adapters.discord.conftest import Receiving, at
from tests.fakes.account import Account
from tests.fakes.discord import Channel, FakeDiscord, Guild, User
from tests.fakes.discord.session import Intent
from tests.fakes.faults import Answer, RateLimit, Reset

pytestmark = pytest.mark.usefixtures("general")

SHAPELESS: list[Any] = [{}, {"id": 7}, {"ids": 3, "threads": 4, "channels": [5]}, [], None]


async def heard(account: Account, *texts: str) -> None:
    await account.gate.until(lambda gate: gate.texts == list(texts))


async def connected(server: FakeDiscord, *, identifies: int = 0, resumes: int = 0) -> None:
    """Wait for a connection after so many sessions begun, or gone on with."""
    gateway = server.gateway
    await server.until(
        lambda _: (
            gateway.is_connected and gateway.identifies >= identifies and gateway.resumes >= resumes
        )
    )


async def ends(adapter: DiscordAdapter, account: Account) -> None:
    """Run until it gives up; fail where it never does."""
    async with asyncio.timeout(5):
        await adapter.run(account.gate)


@pytest.mark.parametrize("code", [1000, 1001, 4000, 4001, 4008])
@pytest.mark.fault("lost session", "discord gateway")
async def test_a_closed_connection_is_resumed(
    receiving: Receiving, server: FakeDiscord, account: Account, ann: User, code: int
) -> None:
    async with receiving():
        ann.writes("one")
        await heard(account, "one")
        server.gateway.closes(code)
        ann.writes("two")
        await heard(account, "one", "two")
        assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)
    assert account.gate.attempts == 2
    assert account.health.troubles == []


@pytest.mark.parametrize("code", [4007, 4009])
@pytest.mark.fault("lost session", "discord gateway")
async def test_a_closed_session_is_begun_anew_and_nothing_is_missed(
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    general: Channel,
    ann: User,
    code: int,
) -> None:
    async with receiving():
        ann.writes("one", channel=general)
        await heard(account, "one")
        server.gateway.closes(code)
        ann.writes("two", channel=general)
        await heard(account, "one", "two")
        assert server.gateway.identifies == 2


@pytest.mark.fault("lost session", "discord gateway")
async def test_discord_may_ask_for_a_new_connection(
    receiving: Receiving, server: FakeDiscord, account: Account, ann: User
) -> None:
    async with receiving():
        for text in ("one", "two", "three"):
            known = server.gateway.resumes
            server.gateway.asks_reconnect()
            ann.writes(text)
            await connected(server, resumes=known + 1)
        await heard(account, "one", "two", "three")
        assert server.gateway.identifies == 1
    assert account.gate.attempts == 3


@pytest.mark.fault("lost session", "discord gateway")
async def test_a_session_that_can_go_on_is_resumed(
    receiving: Receiving, server: FakeDiscord, account: Account, ann: User
) -> None:
    async with receiving():
        server.gateway.invalidates(resumable=True)
        ann.writes("one")
        await heard(account, "one")
        assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)


async def test_a_session_that_is_unknown_is_begun_anew(
    receiving: Receiving, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    async with receiving():
        ann.writes("one", channel=general)
        await heard(account, "one")
        server.gateway.forgets()
        server.gateway.breaks_off()
        ann.writes("two", channel=general)
        await heard(account, "one", "two")
        assert (server.gateway.identifies, server.gateway.resumes) == (2, 1)


@pytest.mark.fault("lost session", "discord gateway")
async def test_sessions_that_fail_again_and_again_are_begun_less_and_less_often(
    receiving: Receiving, server: FakeDiscord, account: Account, ann: User
) -> None:
    async with receiving():
        begun = []
        for number in range(2, 6):
            server.gateway.invalidates()
            await connected(server, identifies=number)
            begun.append(account.kit.clock.monotonic())
        pauses = [later - earlier for earlier, later in pairwise(begun)]
        assert all(pause > 5.0 for pause in pauses)
        assert pauses[-1] > pauses[0]
        ann.writes("still here")
        await heard(account, "still here")
    assert "the connection ended" in account.health.troubles


@pytest.mark.fault("half-open line", "discord gateway")
async def test_lesson_37_a_line_that_is_half_open_is_left(
    entry: dict[str, Any], server: FakeDiscord, account: Account
) -> None:
    server.gateway.heartbeat_ms = 50
    settings = DiscordSettings.model_validate(entry)
    rest = Rest(settings.api_base, server.token, account.kit.clock)
    await rest.open()
    told: list[str] = []
    connection = Connection(
        settings,
        rest,
        account.kit,
        lambda event, *_: told.append(event),
        Bookmark(),
        silent_at_most=0.3,
    )
    keeping = asyncio.ensure_future(connection.keep_up())
    await account.health.until(lambda _: "READY" in told)
    server.gateway.goes_silent()
    server.gateway.push("CHANNEL_CREATE", {})
    await account.health.until(lambda _: "CHANNEL_CREATE" in told)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    await rest.close()
    assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)
    assert told.count("CHANNEL_CREATE") == 1


@pytest.mark.fault("half-open line", "discord gateway")
async def test_a_line_that_answers_no_heartbeat_is_left_whatever_else_comes(
    entry: dict[str, Any], server: FakeDiscord, account: Account
) -> None:
    assert 1.5 * server.gateway.heartbeat_ms / 1000 >= _SILENT_AT_MOST
    server.gateway.heartbeat_ms = 50
    settings = DiscordSettings.model_validate(entry)
    rest = Rest(settings.api_base, server.token, account.kit.clock)
    await rest.open()
    told: list[str] = []
    connection = Connection(
        settings,
        rest,
        account.kit,
        lambda event, *_: told.append(event),
        Bookmark(),
        silent_at_most=0.3,
    )
    keeping = asyncio.ensure_future(connection.keep_up())
    await account.health.until(lambda _: "READY" in told)
    server.gateway.acks = False
    async with asyncio.timeout(5):
        while not server.gateway.resumes:
            server.gateway.push("CHANNEL_CREATE", {})
            await asyncio.sleep(0.02)
    keeping.cancel()
    await asyncio.wait([keeping])
    await rest.close()
    assert server.gateway.identifies == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [(4004, "Reset Token"), (4014, "Message Content Intent"), (4013, "intents"), (4011, "sharded")],
)
@pytest.mark.fault("lost session", "discord gateway")
@pytest.mark.fault("revoked token", "discord gateway")
async def test_what_is_closed_for_good_stops_the_account_with_what_to_do(
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    code: int,
    words: str,
) -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(AccountRejected, match=words)):
        async with receiving():
            server.gateway.closes(code)
            await account.health.until(lambda _: not server.gateway.is_connected)
            await asyncio.Event().wait()
    assert server.gateway.identifies == 1


async def test_an_intent_that_is_not_allowed_is_said_once_and_plainly(
    adapter: DiscordAdapter, server: FakeDiscord, account: Account
) -> None:
    server.gateway.allowed = Intent(0)
    with pytest.raises(AccountRejected, match="message_content: false"):
        await ends(adapter, account)
    assert server.gateway.identifies == 1


@pytest.mark.parametrize("more", [{"message_content": False, "threads": True}])
async def test_without_the_intent_only_what_is_meant_for_the_bot_is_read(
    adapter: DiscordAdapter,
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    team: Guild,
    general: Channel,
    ann: User,
) -> None:
    """What Discord withholds says nothing, also where it is an answer, or in the bot's thread."""
    server.gateway.allowed = Intent(0)
    async with receiving():
        ann.writes("among ourselves", channel=general)
        asked = ann.writes(f"{server.mention} hi", channel=general)
        await account.gate.until(lambda gate: gate.texts == ["hi"])
        await adapter.send(account.gate.messages[0].address, OutgoingMessage("k", "Hello, Ann."))
        [thread] = team.threads
        ann.writes("what else?", channel=thread)
        ann.edits(asked, "hi")  # without the name
        ann.writes(f"{server.mention} and you?", channel=thread)
        ann.writes("hello")
        await account.gate.until(lambda gate: sorted(gate.texts) == ["and you?", "hello", "hi"])
        assert account.gate.attempts == 3


async def test_a_wrong_token_is_not_tried_again(
    entry: dict[str, Any], server: FakeDiscord, account: Account
) -> None:
    settings = DiscordSettings.model_validate({**entry, "token": "MTA.wrong.token"})
    adapter = DiscordAdapter(AccountName("helper"), settings, account.kit)
    await adapter.open()
    with pytest.raises(AccountRejected, match="Reset Token"):
        await ends(adapter, account)
    await adapter.close()
    assert len(server.log) == 1
    assert server.gateway.identifies == 0


@pytest.mark.parametrize("effect", [Answer(503), Reset(), RateLimit(retry_after=1)])
@pytest.mark.parametrize("path", ["/users/@me", "/gateway"])
async def test_n22_a_first_connection_that_fails_is_to_be_tried_later(
    adapter: DiscordAdapter,
    server: FakeDiscord,
    account: Account,
    receiving: Receiving,
    path: str,
    effect: Answer | Reset | RateLimit,
) -> None:
    trouble = server.faults.add(effect, path=path)
    with pytest.raises(RetryLater):
        await ends(adapter, account)
    trouble.times = 0
    await account.kit.clock.sleep(1.0)
    async with receiving():
        assert server.gateway.identifies == 1


async def test_a_gateway_that_is_away_is_dialled_until_it_is_back(
    receiving: Receiving, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    async with receiving():
        away = server.faults.add(Answer(502), path="/gateway")
        server.gateway.forgets()
        server.gateway.breaks_off()
        await account.health.until(lambda health: len(health.troubles) > 1)
        ann.writes("missed", channel=general)
        away.times = 0
        await heard(account, "missed")
        await account.health.until(lambda health: health.is_alive)


async def test_a_session_whose_own_address_is_gone_goes_on_at_the_common_one(
    receiving: Receiving, server: FakeDiscord, account: Account, ann: User
) -> None:
    server.world.gateway_url = "ws://127.0.0.1:1/gateway"
    async with receiving():
        ann.writes("one")
        await heard(account, "one")
        server.gateway.breaks_off()
        ann.writes("two")
        await heard(account, "one", "two")
        assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)


@pytest.mark.parametrize("code", [4006, 4007, 4009])
async def test_a_session_that_is_refused_is_not_asked_for_again(
    receiving: Receiving, server: FakeDiscord, account: Account, ann: User, code: int
) -> None:
    async with receiving():
        ann.writes("one")
        await heard(account, "one")
        server.gateway.closes(code)
        await connected(server, identifies=2)
        assert server.gateway.resumes == 0


async def test_lesson_12_a_second_run_leaves_one_connection(
    receiving: Receiving, server: FakeDiscord, account: Account, ann: User
) -> None:
    for number in (1, 2):
        async with receiving():
            ann.writes(str(number))
            await heard(account, *map(str, range(1, number + 1)))
            open_now = [one for one in server.gateway.sessions.values() if one.connection]
            assert len(open_now) == 1
    await server.until(lambda server: not server.gateway.is_connected)
    for thread in threading.enumerate():
        if thread.name.startswith("keep-alive"):
            await asyncio.to_thread(thread.join, 5.0)
            assert not thread.is_alive()


@pytest.mark.fault("garbage", "discord gateway")
async def test_events_that_are_malformed_or_unknown_end_nothing(
    receiving: Receiving, server: FakeDiscord, account: Account, ann: User
) -> None:
    async with receiving():
        for name in (
            "MESSAGE_CREATE",
            "MESSAGE_UPDATE",
            "MESSAGE_DELETE",
            "MESSAGE_DELETE_BULK",
            "INTERACTION_CREATE",
            "GUILD_CREATE",
            "GUILD_DELETE",
            "CHANNEL_CREATE",
            "CHANNEL_DELETE",
            "THREAD_UPDATE",
            "THREAD_LIST_SYNC",
            "NEVER_HEARD_OF",
        ):
            for data in SHAPELESS:
                server.gateway.push(name, data)
        ann.writes("hello")
        await heard(account, "hello")
        assert server.gateway.identifies == 1


_UNREADABLE: list[str | bytes] = [
    *('{"op":0,"t":"MESSAGE_CR', "", "null", "[]", "7", "[" * 100_000, b"\xff\xfe"),
    *('{"op":10,"d":{}}', '{"op":9'),
]


@pytest.mark.fault("garbage", "discord gateway")
@pytest.mark.parametrize("frame", _UNREADABLE, ids=lambda frame: str(frame)[:20])
async def test_what_cannot_be_read_costs_the_line_and_not_the_session(
    receiving: Receiving, server: FakeDiscord, account: Account, ann: User, frame: str | bytes
) -> None:
    async with receiving():
        server.gateway.says(frame)
        ann.writes("hello")
        await heard(account, "hello")
        assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)
    assert account.health.troubles == []


@pytest.mark.fault("garbage", "discord gateway")
async def test_what_cannot_be_read_however_often_it_is_told_is_left_behind(
    receiving: Receiving, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    async with receiving():
        server.gateway.says('{"op":0,"t":"MESSAGE_CR', again=True)
        ann.writes("hello", channel=general)
        await heard(account, "hello")
        assert (server.gateway.identifies, server.gateway.resumes) == (2, 1)


@pytest.mark.fault("garbage", "discord gateway")
async def test_half_characters_and_unknown_kinds_are_only_words(
    receiving: Receiving, server: FakeDiscord, account: Account, ann: User
) -> None:
    async with receiving():
        for frame in (
            '{"op":99,"d":{"a":[null]}}',
            '{"op":0,"t":"NEVER_HEARD_OF","s":null,"d":{"x":"\\ud800"}}',
            '{"op":"zero","t":null,"d":null}',
        ):
            server.gateway.says(frame)
        ann.writes("a \ud83d lone one")
        await account.gate.until(lambda gate: len(gate.texts) == 1)
        assert account.gate.texts[0].encode()
        assert (server.gateway.identifies, server.gateway.resumes) == (1, 0)


async def test_ending_to_receive_lets_sending_go_on(
    adapter: DiscordAdapter, receiving: Receiving, server: FakeDiscord, ann: User
) -> None:
    async with receiving():
        pass
    await server.until(lambda server: not server.gateway.is_connected)
    await adapter.send(at(ann.dm), OutgoingMessage("out_1", "still here"))
    assert ann.dm.bot_texts() == ["still here"]


async def test_the_token_is_in_no_word_that_is_logged_or_raised(
    adapter: DiscordAdapter,
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    ann: User,
) -> None:
    secret = server.token.rpartition(".")[2]
    raised = []
    with capture_logs() as logged:
        async with receiving():
            server.gateway.push("MESSAGE_CREATE", {"author": server.token})
            ann.writes("one")
            await heard(account, "one")
            server.gateway.invalidates()
            ann.writes("two")
            await heard(account, "one", "two")
        for effect in (Answer(502), Answer(403, {"code": 50013}), Reset(), Answer(401)):
            fault = server.faults.add(effect, path="/messages")
            with pytest.raises(Exception) as caught:  # noqa: PT011 - whichever; its words count
                await adapter.send(at(ann.dm), OutgoingMessage("out_1", "hello"))
            raised.append(repr(caught.value) + repr(caught.value.__cause__))
            fault.times = 0
    assert len(raised) == 4
    assert secret not in repr(logged) + repr(raised) + repr(account.health.troubles)
    assert secret not in str(account.cursor.position)
