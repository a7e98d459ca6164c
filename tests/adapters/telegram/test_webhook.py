"""Updates by webhook: only Telegram is heard, and 200 is said only of what is kept."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.settings import TelegramSettings
from gateway.errors import AccountRejected, ConfigInvalid
from gateway.ids import AccountName
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Answer
from tests.fakes.telegram import FakeTelegram, User

SECRET = "s3cret_of-Telegram"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
HELLO = {
    "update_id": 5,
    "message": {
        "message_id": 1,
        "chat": {"id": 42, "type": "private"},
        "from": {"id": 42, "is_bot": False, "first_name": "Ann"},
        "date": 1_800_000_000,
        "text": "hello",
    },
}


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        chosen: int = free.getsockname()[1]
        return chosen


@pytest.fixture
def url(port: int) -> str:
    return f"http://127.0.0.1:{port}/updates"


@pytest.fixture
def settings(server: FakeTelegram, port: int, url: str) -> TelegramSettings:
    return TelegramSettings.model_validate({
        "token": server.token,
        "api_base": server.url,
        "mode": "webhook",
        "webhook": {"url": url, "port": port, "secret": SECRET},
    })


@pytest.fixture
async def caller() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@asynccontextmanager
async def listening(
    adapter: TelegramAdapter, account: Account, server: FakeTelegram
) -> AsyncIterator[None]:
    async with account.receiving(adapter):
        await server.until(lambda server: bool(server.webhook.url))
        yield


async def post(caller: aiohttp.ClientSession, url: str, body: bytes, **headers: str) -> int:
    async with caller.post(url, data=body, headers={HEADER: SECRET, **headers}) as answer:
        return answer.status


async def test_r1_a_message_is_kept_and_then_confirmed(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    account.gate.open.clear()
    async with listening(adapter, account, server):
        ann.writes("hello")
        await account.gate.until(lambda gate: gate.attempts == 1)
        assert len(server.updates.pending) == 1
        account.gate.open.set()
        await server.until(lambda server: not server.updates.pending)
    assert account.gate.texts == ["hello"]
    assert account.health.is_alive
    assert server.webhook.secret == SECRET


async def test_r1_what_cannot_be_kept_is_not_confirmed(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    caller: aiohttp.ClientSession,
    url: str,
) -> None:
    account.gate.busy_for = [2.5]
    async with listening(adapter, account, server):
        async with caller.post(url, json=HELLO, headers={HEADER: SECRET}) as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"] == "3"
        assert account.gate.texts == []
        assert await post(caller, url, json.dumps(HELLO).encode()) == 200
    assert account.gate.texts == ["hello"]


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], f"{SECRET}x", "\u00fc"])
async def test_t53_a_caller_without_the_secret_is_not_read(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    caller: aiohttp.ClientSession,
    url: str,
    secret: str,
) -> None:
    async with listening(adapter, account, server):
        forged = json.dumps(HELLO).encode()
        assert await post(caller, url, forged, **{HEADER: secret}) == 401
        assert await post(caller, url, b"{", **{HEADER: secret}) == 401
    assert account.gate.attempts == 0


async def test_t53_a_secret_is_made_when_none_is_set(
    server: FakeTelegram, account: Account, ann: User, port: int, url: str
) -> None:
    settings = TelegramSettings.model_validate({
        "token": server.token,
        "api_base": server.url,
        "mode": "webhook",
        "webhook": {"url": url, "port": port},
    })
    seen = []
    for _ in range(2):
        adapter = TelegramAdapter(AccountName("helper"), settings, account.kit)
        await adapter.open()
        server.webhook.url = ""
        async with listening(adapter, account, server):
            ann.writes("hello")
            await server.until(lambda server: not server.updates.pending)
        await adapter.close()
        seen.append(server.webhook.secret)
    assert len(set(seen)) == 2
    assert all(len(secret) >= 43 for secret in seen), "256 bits"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b" " * 1_000_001, 413),
        (b"[" * 100_000, 200),
        (b'{"update_id":1,"a":' + b"[" * 64 + b"]" * 64 + b"}", 200),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[]", 400),
        (b'{"update_id":1,"message":{"text":"half"}}', 200),
        (b"{}", 200),
    ],
    ids=["long", "deep", "deeper than 64", "cut", "no text", "no object", "malformed", "empty"],
)
@pytest.mark.fault("garbage", "telegram webhook")
async def test_t55_what_is_too_long_is_turned_away_and_what_is_too_deep_is_skipped(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    caller: aiohttp.ClientSession,
    url: str,
    body: bytes,
    status: int,
) -> None:
    async with listening(adapter, account, server):
        assert await post(caller, url, body) == status
        assert await post(caller, url, json.dumps(HELLO).encode()) == 200
    assert account.gate.texts == ["hello"]


async def test_t55_a_body_of_untold_length_is_cut_off(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    caller: aiohttp.ClientSession,
    url: str,
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(400):
            yield b" " * 10_000

    async with listening(adapter, account, server):
        headers = {HEADER: SECRET}
        try:
            async with caller.post(url, data=endless(), headers=headers) as answer:
                assert answer.status == 413
        except aiohttp.ClientOSError:
            pass  # the server may have hung up before the last piece was sent
    assert account.gate.attempts == 0


async def heard(stream: asyncio.StreamReader, clock: FakeClock) -> bytes:
    """Read until the other side ends, while time passes."""
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(stream.read())
        for _ in range(11):
            await clock.advance(1)
            await asyncio.sleep(0)
    return reading.result()


async def test_t55_those_who_say_nothing_are_cut_off(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    clock: FakeClock,
    caller: aiohttp.ClientSession,
    url: str,
    port: int,
) -> None:
    async with listening(adapter, account, server):
        assert await post(caller, url, json.dumps(HELLO).encode()) == 200
        silent, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /updates HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        await writer.drain()
        assert await heard(silent, clock) == b""
        writer.close()
        second = {**HELLO, "update_id": 6}
        assert await post(caller, url, json.dumps(second).encode()) == 200, "Telegram stays"


@pytest.mark.fault("trickle", "telegram webhook")
async def test_t55_a_body_that_drips_is_cut_off(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    clock: FakeClock,
    port: int,
) -> None:
    async with listening(adapter, account, server):
        answer, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"POST /updates HTTP/1.1\r\nHost: x\r\n{HEADER}: {SECRET}\r\n"
            'Content-Length: 500\r\n\r\n{"up'.encode()
        )
        await writer.drain()
        assert b"408" in await heard(answer, clock)
        writer.close()


async def test_t55_one_caller_too_many_is_hung_up_on(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    caller: aiohttp.ClientSession,
    url: str,
    port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.telegram.webhook._MOST_CALLERS", 2)
    async with listening(adapter, account, server):
        assert await post(caller, url, json.dumps(HELLO).encode()) == 200
        _, second = await asyncio.open_connection("127.0.0.1", port)
        third, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await third.read() == b""
        again = {**HELLO, "update_id": 6}
        assert await post(caller, url, json.dumps(again).encode()) == 200
        second.close()
        writer.close()


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "", 405), ("POST", "/x", 404)])
async def test_other_requests_are_turned_away(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    caller: aiohttp.ClientSession,
    url: str,
    method: str,
    path: str,
    status: int,
) -> None:
    async with (
        listening(adapter, account, server),
        caller.request(method, f"{url}{path}", headers={HEADER: SECRET}) as answer,
    ):
        assert answer.status == status


async def test_a_port_in_use_is_one_clear_error(
    adapter: TelegramAdapter, account: Account, port: int
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(ConfigInvalid, match=f"127.0.0.1:{port}") as raised:
            await adapter.run(account.gate)
    assert raised.value.path == "adapters.helper.webhook.port"


async def test_a_webhook_that_cannot_be_set_is_tried_again(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    clock: FakeClock,
    ann: User,
) -> None:
    server.faults.add(Answer(502), path="setWebhook", times=2)
    async with account.receiving(adapter):
        while not server.webhook.url:
            await clock.advance(1)
            await asyncio.sleep(0)
        ann.writes("hello")
        await server.until(lambda server: not server.updates.pending)
    assert account.gate.texts == ["hello"]


async def until_asked(server: FakeTelegram, clock: FakeClock, times: int) -> None:
    """Let a minute pass, after which Telegram is asked how delivering goes."""
    await clock.until_sleeping()
    await clock.advance(60)
    await server.until(lambda server: len(server.calls("getWebhookInfo")) == times)


async def test_deliveries_that_fail_are_told_and_so_is_their_end(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, clock: FakeClock
) -> None:
    async with listening(adapter, account, server):
        server.webhook.last_error = "SSL error: certificate verify failed"
        server.webhook.last_error_at = int(clock.now()) + 30
        await until_asked(server, clock, 1)
        await account.health.until(lambda health: not health.is_alive)
        assert account.health.troubles == [
            f"Telegram cannot deliver to {server.webhook.url}: SSL error: certificate verify failed"
        ]
        await until_asked(server, clock, 2)
        await account.health.until(lambda health: health.is_alive)


async def test_a_webhook_that_another_program_took_is_set_anew(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, clock: FakeClock, url: str
) -> None:
    async with listening(adapter, account, server):
        server.webhook.url = "https://elsewhere.example/updates"
        await until_asked(server, clock, 1)
        await server.until(lambda server: server.webhook.url == url)
        await account.health.until(lambda health: health.is_alive)
    assert account.health.troubles == ["another program took the webhook; it is set anew"]


@pytest.mark.fault("revoked token", "telegram webhook")
async def test_a_token_that_is_revoked_stops_a_bot_that_is_only_told(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, clock: FakeClock
) -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(AccountRejected, match="BotFather")):
        async with account.receiving(adapter) as running:
            await server.until(lambda server: bool(server.webhook.url))
            server.faults.add(Answer(401))
            await clock.until_sleeping()
            await clock.advance(60)
            await running
