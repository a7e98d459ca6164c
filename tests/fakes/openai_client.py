"""The real OpenAI SDK, pointed at the fake."""

from typing import Any

from openai import AsyncOpenAI

from tests.fakes.openai import FakeOpenAI

MODEL = "gpt-4.1-mini"


def client_for(server: FakeOpenAI) -> AsyncOpenAI:
    """Give a client that retries nothing and waits five seconds at most."""
    return AsyncOpenAI(api_key=server.key, base_url=server.base_url, max_retries=0, timeout=5)


def said_by_user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


async def stream(client: AsyncOpenAI, **body: Any) -> list[Any]:
    body = {"model": MODEL, "messages": said_by_user("hi"), **body}
    opened = await client.chat.completions.create(stream=True, **body)
    return [chunk async for chunk in opened]


def text_of(chunks: list[Any]) -> str:
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
