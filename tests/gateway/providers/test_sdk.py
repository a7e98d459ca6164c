"""The way through the SDKs: what is closed is closed, what breaks is named."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.errors import ProviderUnavailable
from gateway.providers import anthropic_sdk, openai_sdk
from gateway.providers.exchange import Wire
from gateway.providers.failures import Rejected
from tests.fakes.faults import Answer
from tests.fakes.openai import FakeOpenAI

PATH = "/chat/completions"
BODY = json.dumps({
    "model": "test-model",
    "messages": [{"role": "user", "content": "hi"}],
    "stream": True,
}).encode()


@asynccontextmanager
async def wired(base_url: str, key: str = "sk-test", sdk: Any = openai_sdk) -> AsyncIterator[Wire]:
    wire = sdk.connect(base_url, key)
    try:
        yield wire
    finally:
        await wire.close()


async def test_closing_an_answer_drops_its_connection_at_once() -> None:
    async with FakeOpenAI() as server, wired(server.base_url) as wire:
        server.say("one ", asyncio.Event(), "two")
        answer = await wire.ask(PATH, BODY)
        assert await answer.read()
        await answer.close()
        # The answer is still held here: nothing but `close` can have closed it.
        await server.until(lambda server: server.asked[-1].outcome == "abandoned")
        assert answer is not None


async def test_a_refusal_keeps_status_headers_and_words() -> None:
    async with FakeOpenAI() as server, wired(server.base_url) as wire:
        server.faults.add(Answer(418, message="teapot", headers={"Retry-After": "3"}))
        with pytest.raises(Rejected) as raised:
            await wire.ask(PATH, BODY)
    assert raised.value.status == 418
    assert raised.value.headers["retry-after"] == "3"
    assert raised.value.complaint.words == "teapot"


@pytest.mark.parametrize("sdk", [openai_sdk, anthropic_sdk])
async def test_the_machines_variables_change_nothing(
    sdk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI", "ANTHROPIC"):
        monkeypatch.setenv(f"{name}_BASE_URL", "http://127.0.0.1:9/elsewhere")
        monkeypatch.setenv(f"{name}_API_KEY", "sk-other")
        monkeypatch.setenv(f"{name}_ADMIN_KEY", "sk-admin")
        monkeypatch.setenv(f"{name}_AUTH_TOKEN", "sk-token")
    async with FakeOpenAI() as server, wired(server.base_url, sdk=sdk) as wire:
        answer = await wire.ask(PATH, BODY)
        await answer.close()
        assert server.asked[-1].headers["authorization"] == "Bearer sk-test"


async def test_why_nobody_can_be_reached_is_named() -> None:
    async with wired("http://127.0.0.1:1/v1") as wire:
        with pytest.raises(ProviderUnavailable, match="the connection was refused"):
            await wire.look_up("/models")


async def test_a_server_that_speaks_no_tls_is_named() -> None:
    async with FakeOpenAI() as server:
        url = server.base_url.replace("http://", "https://")
        async with wired(url) as wire:
            with pytest.raises(ProviderUnavailable, match="cannot be reached"):
                await wire.look_up("/models")


def test_certificates_are_checked() -> None:
    wire: Any = openai_sdk.connect("https://127.0.0.1/v1", "sk-test")
    context = wire._client._client._transport.ssl_context
    assert context.verify_mode is ssl.CERT_REQUIRED
