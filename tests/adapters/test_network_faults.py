"""What the network may do to one call, on every platform: told to wait, lost, late, garbled."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.errors import (
    GatewayError,
    Refused,
    RetryLater,
    SendRefused,
    SendUncertain,
)
from gateway.messages import OutgoingMessage
from tests.adapters.bench import FILE, PLATFORMS, Bench, bench
from tests.fakes.faults import Answer, Drip, Effect, EndlessLine, Hang, RateLimit, Reset, Truncate

HELLO = OutgoingMessage("out_1", "hello")
AGAIN = OutgoingMessage("out_2", "hello again")
FIVE_MINUTES = 300.0
HASTE = 0.3
"""Seconds after which a hasty adapter gives up."""


@pytest.fixture(params=PLATFORMS)
async def there(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(request.param, tmp_path) as made:
        yield made


@pytest.fixture
async def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have adapters give up within moments."""
    for name in (
        *("telegram.api._ANSWER_SECONDS", "telegram.transport._SLOW_ANSWER_SECONDS"),
        *("telegram.transport._CONNECT_SECONDS", "slack.transport.ANSWER_SECONDS"),
        *("slack.transport._CONNECT_SECONDS", "slack.files._ANSWER_SECONDS"),
        *("discord.transport._ANSWER_SECONDS", "discord.transport.CONNECT_SECONDS"),
    ):
        monkeypatch.setattr(f"adapters.{name}", HASTE / 3)
    within = aiohttp.ClientTimeout(total=HASTE)
    monkeypatch.setattr("adapters.discord.files._FETCHED_WITHIN", within)


# Told to wait.

_NOT_TOLD = 30.0
"""As long as any platform is left alone that does not say for how long."""


@pytest.mark.fault("penalty", "telegram", "discord", "slack")
@pytest.mark.promise("R11")
@pytest.mark.parametrize(
    ("told", "least", "most"),
    [
        (0, 0, 1),  # Slack's shortest is a second
        (1, 1, 1),
        (30, 30, 30),
        (None, 1, _NOT_TOLD),
        (10**9, FIVE_MINUTES, FIVE_MINUTES),
        (2.5, 2.5, 3),
    ],
)
async def test_r11_a_penalty_is_kept_to_in_one_place_and_believed_within_reason(
    there: Bench, told: float | None, least: float, most: float
) -> None:
    fault = there.server.faults.add(RateLimit(told), **there.send, times=1)
    with pytest.raises(RetryLater) as first:
        await there.adapter.send(there.ann, HELLO)
    assert least <= first.value.after <= most
    if told is not None:  # else the whole bot may be meant
        await there.adapter.send(there.bob, AGAIN)
    if first.value.after > 1:
        await there.clock.advance(first.value.after - 1)
        with pytest.raises(RetryLater) as second:
            await there.adapter.send(there.ann, HELLO)
        assert second.value.after == pytest.approx(1)
    await there.clock.advance(1)
    await there.adapter.send(there.ann, HELLO)
    assert fault.used == 1
    assert there.texts() == ["hello"]


@pytest.mark.fault("penalty", "telegram", "discord", "slack")
async def test_no_account_is_kept_from_its_start_for_longer_than_five_minutes(
    there: Bench,
) -> None:
    fault = there.server.faults.add(RateLimit(10**9), path=there.who_am_i, times=1)
    asking = asyncio.ensure_future(there.adapter.check())
    with pytest.raises(RetryLater) as raised:
        await asking
    assert raised.value.after <= FIVE_MINUTES
    await there.clock.advance(raised.value.after)
    await there.adapter.check()
    assert fault.used == 1


@pytest.mark.fault("penalty", "files")
@pytest.mark.parametrize("told", ["0", "1", "30", "", "1000000000", "2.5", "soon"])
async def test_a_file_that_may_not_be_fetched_now_may_be_soon(there: Bench, told: str) -> None:
    headers = {"Retry-After": told} if told else {}
    there.server.faults.add(Answer(429, b"no", headers), path=there.download, times=1)
    with pytest.raises(RetryLater) as raised:
        await there.adapter.fetch(there.file, 1000)
    assert 0 <= raised.value.after <= FIVE_MINUTES
    await there.clock.advance(raised.value.after)
    assert await there.adapter.fetch(there.file, 1000) == FILE


# Lost, and late.


@pytest.mark.fault("lost answer", "telegram", "discord", "slack")
@pytest.mark.promise("R6")
@pytest.mark.usefixtures("haste")
@pytest.mark.parametrize(
    ("effect", "is_applied"),
    [
        (Hang(), False),
        (Hang(applies=True), True),
        (Drip(every=1.0), True),
        (Reset("before"), False),
        (Reset("middle"), True),
        (Truncate(), True),
    ],
    ids=repr,
)
async def test_r6_a_send_without_an_answer_is_in_doubt(
    there: Bench, effect: Effect, *, is_applied: bool
) -> None:
    there.server.faults.add(effect, **there.send, times=1)
    with pytest.raises(SendUncertain):
        await there.adapter.send(there.ann, HELLO)
    assert there.texts() == ["hello"] * is_applied
    await there.adapter.send(there.ann, AGAIN)
    assert there.texts()[-1] == "hello again"


@pytest.mark.fault("lost answer", "telegram", "discord", "slack")
@pytest.mark.usefixtures("haste")
@pytest.mark.parametrize("effect", [Reset("after"), Hang(), Hang(applies=True)], ids=repr)
async def test_an_edit_without_an_answer_is_made_again(there: Bench, effect: Effect) -> None:
    sent = await there.adapter.send(there.ann, HELLO)
    fault = there.server.faults.add(effect, times=1)
    try:
        await there.adapter.edit(there.ann, sent, AGAIN)
    except RetryLater:
        await there.adapter.edit(there.ann, sent, AGAIN)
    assert fault.used == 1
    assert there.texts() == ["hello again"]


# Slow, and without an end.


@pytest.mark.fault("trickle", "files")
@pytest.mark.promise("R14")
@pytest.mark.usefixtures("haste")
@pytest.mark.parametrize(
    ("effect", "error"),
    [
        (Drip(), RetryLater),
        (Hang(applies=True), RetryLater),
        (Reset("middle"), RetryLater),
        (EndlessLine(), Refused),
    ],
    ids=repr,
)
async def test_r14_a_file_that_does_not_end_in_time_is_given_up(
    there: Bench, effect: Effect, error: type[GatewayError]
) -> None:
    there.server.faults.add(effect, path=there.download, times=1)
    fetching = asyncio.ensure_future(there.adapter.fetch(there.file, 1000))
    for _ in range(60):  # a byte comes every 10 milliseconds: never a silence, never an end
        await there.clock.advance(1)
        await asyncio.wait([fetching], timeout=0.01)
    with pytest.raises(error):
        await fetching
    assert await there.adapter.fetch(there.file, 1000) == FILE


@pytest.mark.fault("trickle", "telegram", "discord", "slack")
async def test_an_answer_of_a_gigabyte_is_not_kept_in_memory(there: Bench) -> None:
    there.server.faults.add(EndlessLine(), **there.send, times=1)
    async with asyncio.timeout(10):
        with pytest.raises(SendUncertain):
            await there.adapter.send(there.ann, HELLO)
    await there.adapter.send(there.ann, AGAIN)


# Garbled.

_DEEP = "[" * 100_000 + "]" * 100_000
_GARBLED: list[Any] = [
    *('{"ok":tr', "null", "7", '"words"', "[]", "{}", _DEEP, b"\xff\xfe{", "<html>", ""),
    *('{"ok":true}', '{"ok":true,"result":null}', '{"ok":true,"result":{}}'),
    *('{"ok":true,"result":[7]}', '{"ok":true,"ts":null,"id":null}', '{"ok":"\\ud800"}'),
    '{"ok":true,"ts":{},"id":[],"channel":{},"result":{"message_id":{},"chat":[]}}',
]


@pytest.mark.fault("garbage", "telegram", "discord", "slack")
@pytest.mark.parametrize("status", [200, 400, 429, 500])
async def test_an_answer_that_cannot_be_read_is_trouble_and_no_accident(
    there: Bench, status: int
) -> None:
    for body in _GARBLED:
        fault = there.server.faults.add(Answer(status, body), **there.send, times=1)
        with pytest.raises((SendUncertain, RetryLater, SendRefused)) as raised:
            await there.adapter.send(there.ann, HELLO)
        assert fault.used == 1
        assert status != HTTPStatus.OK or isinstance(raised.value, SendUncertain), body
        await there.clock.advance(_NOT_TOLD)
    await there.adapter.send(there.ann, HELLO)
    assert there.texts() == ["hello"]


@pytest.mark.fault("garbage", "telegram", "discord", "slack")
async def test_a_refusal_of_the_wrong_types_is_a_refusal(there: Bench) -> None:
    for body in (
        '{"message":[],"code":{"a":1}}',
        '{"error":7,"code":"x"}',
        '{"description":{},"code":1e999}',
    ):
        there.server.faults.add(Answer(400, body), **there.send, times=1)
        with pytest.raises(SendRefused):
            await there.adapter.send(there.ann, HELLO)
        await there.clock.advance(1)
    await there.adapter.send(there.ann, HELLO)


@pytest.mark.fault("garbage", "telegram", "discord", "slack")
async def test_who_we_are_is_asked_again_when_the_answer_cannot_be_read(there: Bench) -> None:
    for body in _GARBLED:
        there.server.faults.add(Answer(200, body), path=there.who_am_i, times=1)
        with pytest.raises(RetryLater):
            await there.adapter.check()
    await there.adapter.check()
