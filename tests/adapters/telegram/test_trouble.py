"""Whatever goes wrong while receiving is told, waited out, and forgotten."""

import asyncio
import itertools
import logging
from typing import Any

import pytest
import structlog

from adapters.telegram.adapter import TelegramAdapter
from gateway.errors import AccountRejected, GatewayError
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Answer, Drop, Effect, RateLimit, Reset, Truncate
from tests.fakes.telegram import FakeTelegram, User


async def until_confirmed(server: FakeTelegram) -> None:
    await server.until(lambda server: not server.updates.pending)


async def ended(adapter: TelegramAdapter, account: Account) -> GatewayError:
    with pytest.raises(GatewayError) as raised:
        await adapter.run(account.gate)
    return raised.value


@pytest.mark.parametrize(
    "update",
    [
        {"message": {"message_id": "x"}},
        {"message": None},
        {"message": []},
        {"message": {"chat": 5, "message_id": 1}},
        {"message": {"chat": {"id": [1], "type": "private"}, "message_id": 1, "text": "x"}},
        {"message": {"chat": {"id": 42, "type": "private"}, "message_id": 1, "text": 7}},
        {"edited_message": {"text": "no chat"}},
        {"callback_query": {"id": "1"}},
        {"callback_query": "pressed"},
        {"stopped_message_generation": {}},
        {"unheard_of": {"chat": None}},
    ],
    ids=str,
)
@pytest.mark.fault("garbage", "telegram polling")
async def test_a_malformed_update_blocks_nothing(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    ann: User,
    update: dict[str, Any],
) -> None:
    server.updates.allow([])
    server.push(update)
    ann.writes("hello")
    async with account.receiving(adapter):
        await until_confirmed(server)
    assert account.gate.texts == ["hello"]


_TROUBLES: list[Effect] = [
    Answer(500),
    Answer(502, "<html>"),
    Answer(200, "null"),
    RateLimit(3),
    Reset("before"),
    Reset("middle"),
    Truncate(),
    Drop(),
]
_ODD_UPDATES: list[Effect] = [
    Answer(400),
    Answer(200, '{"ok":true,"result":{"odd":1}}'),
    Answer(200, '{"ok":true,"result":[1,null,{"update_id":"x"}]}'),
]


@pytest.mark.parametrize(
    ("method", "effect"),
    [
        *itertools.product(["getMe", "deleteWebhook"], _TROUBLES),
        *itertools.product(["getUpdates"], _TROUBLES + _ODD_UPDATES),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.fault("trouble", "telegram")
async def test_l9_trouble_is_waited_out(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    clock: FakeClock,
    ann: User,
    method: str,
    effect: Effect,
) -> None:
    fault = server.faults.add(effect, path=method, times=2)
    ann.writes("hello")
    async with account.receiving(adapter):
        while not account.gate.texts:
            await clock.advance(1)
            await asyncio.sleep(0)
        await until_confirmed(server)
        await account.health.until(lambda health: health.is_alive)
    assert fault.used == 2
    assert account.gate.texts == ["hello"]


@pytest.mark.fault("second reader", "telegram polling")
async def test_lesson_36_another_poller_means_unhealthy_and_growing_pauses(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, clock: FakeClock
) -> None:
    fault = server.faults.add(Answer(409), path="getUpdates")
    async with account.receiving(adapter):
        for _ in range(600):
            await clock.advance(1)
            await asyncio.sleep(0)
        assert not account.health.is_alive
        assert "another program" in account.health.troubles[-1]
        assert 5 <= fault.used <= 30
        server.faults.clear()
        while not account.health.is_alive:
            await clock.advance(1)
            await asyncio.sleep(0)
    assert server.updates.conflicts == 0


async def test_a_webhook_set_meanwhile_is_removed_with_a_word_about_it(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, clock: FakeClock, ann: User
) -> None:
    async with account.receiving(adapter):
        await server.until(lambda server: server.updates.is_polled)
        server.webhook.url = "https://elsewhere.example"
        server.updates.has_webhook = True
        server.updates.end_polls()
        while server.updates.has_webhook:
            await clock.advance(1)
            await asyncio.sleep(0)
        ann.writes("hello")
        await until_confirmed(server)
    assert any("webhook" in trouble for trouble in account.health.troubles)
    assert account.gate.texts == ["hello"]


@pytest.mark.parametrize("method", ["getMe", "getUpdates"])
@pytest.mark.parametrize("status", [401, 404])
async def test_a_refused_token_ends_the_account(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, method: str, status: int
) -> None:
    server.faults.add(Answer(status), path=method)
    error = await ended(adapter, account)
    assert isinstance(error, AccountRejected)
    assert "token" in str(error)
    assert server.token not in str(error)


async def test_t45_neither_token_nor_words_are_logged(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    clock: FakeClock,
    ann: User,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.faults.add(Answer(200, '{"ok":tru private words'), path="getUpdates", nth=1)
    server.faults.add(Answer(502), path="getUpdates", nth=1)
    server.push({"message": {"text": "private words"}})
    ann.writes("private words")
    with structlog.testing.capture_logs() as logs:
        async with account.receiving(adapter):
            while not account.gate.texts:
                await clock.advance(1)
                await asyncio.sleep(0)
            await until_confirmed(server)
    told = f"{caplog.text} {logs} {account.health.troubles}"
    assert "update.skipped" in told
    assert server.token not in told
    assert server.token.partition(":")[2] not in told
    assert "private words" not in told
