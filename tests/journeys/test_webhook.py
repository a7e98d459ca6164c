"""Telegram tells of messages instead of being asked for them."""

import asyncio
import socket

import aiohttp
import pytest

from tests.journeys.on_telegram import Telegram
from tests.journeys.world import World


@pytest.fixture
def port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number: int = found.getsockname()[1]
        return number


@pytest.fixture
def url(world: World, port: int) -> str:
    address = f"http://127.0.0.1:{port}/hook/parley"
    entry = world.config["adapters"]["telegram"]
    entry |= {"mode": "webhook", "webhook": {"url": address, "port": port}}
    return address


async def test_messages_by_webhook_are_answered(world: World, telegram: Telegram, url: str) -> None:
    await world.start()
    assert telegram.server.webhook.url == url
    ann, bob = telegram.person("Ann"), telegram.person("Bob")
    await ann.asks("hello", "hello")
    await bob.asks("hello too", "hello too")
    ann.sends("sun.png", b"\x89PNG\r\n\x1a\n", "and this?")
    await ann.reads("and this?")
    assert telegram.server.updates.polls == 0
    assert telegram.server.webhook.attempts == 3


async def test_t5_whoever_does_not_show_the_secret_is_not_heard(
    world: World, telegram: Telegram, url: str
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    await ann.asks("hello", "hello")
    forged = {
        "update_id": 1,
        "message": {
            "message_id": 77,
            "date": 1,
            "chat": {"id": ann.chat.id, "type": "private", "first_name": "Ann"},
            "from": ann.user.payload,
            "text": "/new",
        },
    }
    header = "X-Telegram-Bot-Api-Secret-Token"
    async with aiohttp.ClientSession() as stranger:
        for headers in ({}, {header: "guessed"}, {header: ""}):
            async with stranger.post(url, json=forged, headers=headers) as answer:
                assert answer.status == 401
                assert await answer.text() == ""
        own = {header: telegram.server.webhook.secret}
        async with stranger.post(url, data=b"{", headers=own) as answer:
            assert answer.status == 400
        async with stranger.get(url, headers=own) as answer:
            assert answer.status == 405
    await ann.asks("still the old one?", "still the old one?")
    assert "hello" in world.model.asked[-1].prompt
    assert telegram.server.webhook.secret not in world.log.getvalue()


async def test_lesson_2_what_is_told_while_it_is_down_comes_after_the_restart(
    world: World, telegram: Telegram, url: str
) -> None:
    assert url
    await world.start()
    ann = telegram.person("Ann")
    await ann.asks("one", "one")
    await world.stop()
    ann.writes("two")
    ann.writes("three")
    await world.start()
    await ann.reads("three")
    await world.stop()
    assert ann.texts() == ["one", "two", "three"]


async def test_it_can_turn_from_webhook_to_polling(
    world: World, telegram: Telegram, url: str
) -> None:
    assert url
    await world.start()
    ann = telegram.person("Ann")
    await ann.asks("one", "one")
    await world.stop()
    world.config["adapters"]["telegram"] = telegram.entry
    await world.start()
    await ann.asks("two", "two")
    assert telegram.server.webhook.url == ""


async def test_many_at_once_by_webhook(world: World, telegram: Telegram, url: str) -> None:
    assert url
    await world.start()
    people = [telegram.person(f"P{number}") for number in range(30)]
    for person in people:
        person.writes(f"I am {person.name}.")
    async with asyncio.TaskGroup() as reading:
        for person in people:
            reading.create_task(person.reads(f"I am {person.name}."))
