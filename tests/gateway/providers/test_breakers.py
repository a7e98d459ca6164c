"""Calls are kept from a server that is down, and its breaker is told what became of the others."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from pydantic import SecretStr
from typing_extensions import override

from gateway.contracts.provider import ModelRequest, Part, Provider, TextPart
from gateway.errors import ModelResting, ProviderFailed, ProviderUnavailable
from gateway.ids import AgentId
from gateway.providers.breaker import IN_A_ROW, REST
from gateway.providers.breakers import Breakers
from gateway.settings import AgentSettings
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeProvider, says

pytestmark = pytest.mark.promise("R15")
MAIN = AgentId("main")
SETTINGS = AgentSettings(provider="fake", model="big", api_key=SecretStr("sk-1"))


def request(session: str = "s1", model: str = "big") -> ModelRequest:
    return ModelRequest(model, "", (), (), lambda _: b"", session)


async def heard(provider: Provider, asked: ModelRequest) -> list[Part]:
    return [part async for part in provider.stream(asked)]


def down(after: float | None = None) -> ProviderUnavailable:
    return ProviderUnavailable("overloaded", after)


class Scene:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.released: list[AgentId] = []
        self.breakers = Breakers(self.clock, self.released.append)
        self.inner = FakeProvider(otherwise=lambda _: [down()])
        self.provider = self.breakers.guard(MAIN, SETTINGS, self.inner)

    async def open(self) -> None:
        for number in range(IN_A_ROW):
            with pytest.raises(ProviderUnavailable, match="overloaded"):
                await heard(self.provider, request(f"s{number}"))

    def state(self) -> object:
        (one,) = self.breakers.describe()
        return one["state"]


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_an_open_breaker_fails_at_once_and_asks_nobody(scene: Scene) -> None:
    await scene.open()
    asked = len(scene.inner.requests)
    with pytest.raises(ModelResting) as raised:
        await heard(scene.provider, request())
    assert raised.value.after == REST
    assert len(scene.inner.requests) == asked
    assert scene.breakers.describe() == [
        {
            "model": "big",
            "provider": "fake",
            "agents": ["main"],
            "state": "open",
            "calls": IN_A_ROW,
            "failed": IN_A_ROW,
            "seconds_open": 0.0,
        }
    ]


async def test_the_first_word_of_a_probe_closes_it_and_releases_who_waits(scene: Scene) -> None:
    other = scene.breakers.guard(AgentId("other"), SETTINGS, scene.inner)
    await scene.open()
    with pytest.raises(ModelResting):
        await heard(other, request())
    await scene.clock.advance(REST)
    scene.inner.script = [says("well ", "again")]
    stream = scene.provider.stream(request())
    assert isinstance(stream, AsyncGenerator)
    await anext(stream)
    assert scene.state() == "closed"
    assert sorted(scene.released) == ["main", "other"]
    await stream.aclose()
    assert scene.inner.streaming == 0


async def test_a_probe_that_is_stopped_before_its_first_word_decides_nothing(scene: Scene) -> None:
    await scene.open()
    await scene.clock.advance(REST)
    scene.inner.script = [[]]
    assert await heard(scene.provider, request("s7")) == []
    assert scene.state() == "half_open"
    scene.inner.script = [says("here")]
    await heard(scene.provider, request("s8"))
    assert scene.state() == "closed"


async def test_models_and_keys_have_breakers_of_their_own(scene: Scene) -> None:
    await scene.open()
    scene.inner.script = [says("here"), says("here")]
    await heard(scene.provider, request(model="small"))
    other_key = SETTINGS.model_copy(update={"api_key": SecretStr("sk-2")})
    await heard(scene.breakers.guard(MAIN, other_key, scene.inner), request())
    assert [one["state"] for one in scene.breakers.describe()] == ["open", "closed", "closed"]
    assert "sk-" not in repr(scene.breakers.describe())


@pytest.mark.parametrize(
    "error",
    [ProviderFailed("the key is wrong"), ProviderUnavailable("conflict", is_server_down=False)],
)
async def test_requests_that_are_refused_do_not_open_it(
    scene: Scene, error: ProviderFailed
) -> None:
    scene.inner.script = [[error]] * 30
    for number in range(30):
        with pytest.raises(ProviderFailed):
            await heard(scene.provider, request(f"s{number}"))
    assert scene.state() == "closed"
    assert scene.breakers.describe()[0]["calls"] == 0


async def test_answers_that_break_off_count_as_failures_too(scene: Scene) -> None:
    scene.inner.script = [[TextPart("Good mo"), down()]] * 10
    for number in range(10):
        with pytest.raises(ProviderUnavailable):
            await heard(scene.provider, request(f"s{number}"))
    assert scene.state() == "open"


async def test_two_silences_are_enough(scene: Scene) -> None:
    class Silent(FakeProvider):
        @override
        async def stream(self, request: ModelRequest) -> AsyncGenerator[Part, None]:
            await scene.clock.sleep(30.0)
            raise down()
            yield  # an async generator

    provider = scene.breakers.guard(MAIN, SETTINGS, Silent())
    for session in ("s1", "s2"):
        asking = asyncio.ensure_future(heard(provider, request(session)))
        await scene.clock.until_sleeping()
        await scene.clock.advance(30.0)
        with pytest.raises(ProviderUnavailable):
            await asking
    with pytest.raises(ModelResting):
        await heard(provider, request("s3"))


async def test_what_the_provider_decides_it_still_decides(scene: Scene) -> None:
    assert await scene.provider.check() == "fake: good"
    assert scene.provider.default_model == scene.inner.default_model
    await scene.provider.warm_up()
    await scene.provider.close()
    assert scene.inner.is_closed
