"""Messages that were given up, as the operator sees and revives them in a running gateway."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import ProviderFailed, ProviderUnavailable, Refused
from tests.fakes.gateway import OPEN, FakeGateway, gateways
from tests.fakes.provider import says


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeGateway]:
    async with gateways(tmp_path, monkeypatch) as make:
        made = make("bot", access=OPEN)
        async with made.running():
            yield made


async def told(served: FakeGateway, verb: str, **args: str) -> Any:
    return await served.gateway._verbs()[verb](args)


async def number_of_the_dead(served: FakeGateway) -> str:
    await served.idle()
    (letter,) = await told(served, "dead.list")
    return str(letter["number"])


@pytest.mark.promise("R9")
async def test_why_a_turn_failed_is_kept(served: FakeGateway) -> None:
    served.model.script = [[ProviderFailed("The model declined to answer this.")]]
    await served.writes("hello")
    await served.reads("declined")
    await served.idle()
    (letter,) = await told(served, "dead.list")
    assert letter["reason"] == "The model declined to answer this."
    assert (letter["account"], letter["agent"], letter["attempts"]) == ("bot", "main", 1)
    assert "hello" not in repr(letter)


@pytest.mark.promise("R9")
async def test_what_is_retried_is_answered_at_once(served: FakeGateway) -> None:
    served.model.script = [[ProviderFailed("Not now.")], says("But now.")]
    await served.writes("hello")
    await served.reads("Not now.")
    await told(served, "dead.retry", number=await number_of_the_dead(served))
    await served.reads("But now.")
    assert await told(served, "dead.list") == []


@pytest.mark.promise("R3")
async def test_what_a_later_message_has_overtaken_stays_as_it_is(served: FakeGateway) -> None:
    down = ProviderUnavailable("The model is down.", 200.0)
    served.model.script = [[ProviderFailed("Not now.")], [down], says("Both, then.")]
    await served.writes("one")
    await served.reads("Not now.")
    number = await number_of_the_dead(served)
    await served.writes("two")
    await served.reads("as soon as the model is back")
    with pytest.raises(Refused, match="a later message"):
        await told(served, "dead.retry", number=number)
    await served.reads("Both, then.")
    told_to_the_model = repr(served.model.requests[-1].entries)
    assert told_to_the_model.index("one") < told_to_the_model.index("two")


async def test_what_is_dropped_is_gone(served: FakeGateway) -> None:
    served.model.script = [[ProviderFailed("Not now.")]]
    await served.writes("hello")
    await served.reads("Not now.")
    number = await number_of_the_dead(served)
    assert await told(served, "dead.drop", number=number) == {"number": int(number)}
    for verb in ("dead.drop", "dead.retry"):
        with pytest.raises(Refused, match="stays as it is"):
            await told(served, verb, number=number)


@pytest.mark.parametrize("number", ["", "-1", "one", "9" * 19, "²"])
async def test_what_is_no_number_is_refused(served: FakeGateway, number: str) -> None:
    with pytest.raises(Refused, match="parley dead list"):
        await told(served, "dead.retry", number=number)
