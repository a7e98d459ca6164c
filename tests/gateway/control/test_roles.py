"""Roles that are given to somebody while they talk."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.messages import Place
from tests.fakes.gateway import FakeGateway, gateways
from tests.fakes.provider import FakeProvider, Gate, says

GROUP = Place("-1")


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeGateway]:
    async with gateways(tmp_path, monkeypatch) as make:
        made = make(access={"direct_messages": "pairing", "groups": "open"})
        async with made.running():
            yield made


async def told(served: FakeGateway, verb: str, **args: str) -> Any:
    return await served.gateway._verbs()[verb](args)


async def give(served: FakeGateway, role: str) -> None:
    await told(served, "people.role", identity="fake:ann", role=role)


async def says_in_group(served: FakeGateway, text: str, words: str) -> None:
    before = len(served.texts("-1"))
    await served.writes(text, "ann", place=GROUP)
    await served.until(lambda: len(served.texts("-1")) > before)
    await served.idle()
    assert words in served.texts("-1")[-1]


async def test_t12_a_role_holds_from_the_next_message_on(served: FakeGateway) -> None:
    await told(served, "pair.admit", identity="fake:ann")
    await says_in_group(served, "/new", "/new is not for you here.")
    await give(served, "admin")
    await says_in_group(served, "/new", "new conversation")
    await served.asks("/whoami", "Role: admin")
    await give(served, "member")
    await says_in_group(served, "/new", "/new is not for you here.")
    await give(served, "guest")
    await served.writes("hello")
    await served.reads("good for an hour")


async def test_t12_a_role_that_is_taken_away_is_missed_when_the_turn_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    model = FakeProvider([gate, *says("One.")], otherwise=lambda _: says("Two."))
    async with gateways(tmp_path, monkeypatch) as make:
        served = make(access={"groups": "open"}, model=model)
        async with served.running():
            await told(served, "pair.admit", identity="fake:ann")
            await give(served, "admin")
            await served.writes("one", "ann", place=GROUP)
            await served.until(gate.reached.is_set)
            await served.writes("/new", "ann", place=GROUP)  # waits behind the answer
            await give(served, "member")
            gate.open()
            await served.until(lambda: served.texts("-1")[1:] == ["/new is not for you here."])
