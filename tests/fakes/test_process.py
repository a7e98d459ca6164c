"""The fakes in processes of their own, steered through their control paths."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parent.parent.parent


@asynccontextmanager
async def running(name: str, *options: str) -> AsyncIterator[str]:
    """Run a fake; give its address, and stop it as an operator would."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.fakes.{name}", *options, cwd=ROOT, stdout=-1
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        assert await process.wait() == 0


async def told(session: aiohttp.ClientSession, url: str, body: Any = None) -> Any:
    async with session.post(url, json=body) as answer:
        return await answer.json()


async def test_telegram_in_its_own_process() -> None:
    async with running("telegram", "--token", "1:T") as url, aiohttp.ClientSession() as session:
        bot, control = f"{url}/bot1:T", f"{url}/_control"
        written = [{"user": user, "text": "hi", "name": "Ann"} for user in (42, 43)]
        assert await told(session, f"{control}/writes", written) == [1, 2]
        updates = (await told(session, f"{bot}/getUpdates"))["result"]
        markup = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
        for update in updates:
            chat_id = update["message"]["chat"]["id"]
            body = {"chat_id": chat_id, "text": "hello END", "reply_markup": markup}
            assert (await told(session, f"{bot}/sendMessage", body))["ok"]
        wait = {"messages": 2, "contains": "END", "timeout": 5}
        assert (await told(session, f"{control}/wait", wait)) == {"ok": True, "messages": 2}
        shown = await told(session, f"{control}/chat", {"chat": 42})
        assert [(one["who"], one["text"]) for one in shown] == [
            ("Ann", "hi"),
            ("bot", "hello END"),
        ]
        await told(session, f"{control}/press", {"user": 42, "label": "Yes"})
        state = await told(session, f"{control}/state")
        assert (state["pending"], state["calls"], state["calls_in_penalty"]) == (3, 2, 0)
        log = await told(session, f"{control}/log", {"since": 1})
        assert [(one["method"], one["applied"]) for one in log] == [("sendMessage", True)]
        late = {"messages": 3, "timeout": 0.01}
        assert not (await told(session, f"{control}/wait", late))["ok"]


async def test_telegram_groups_and_limits_through_the_control_path() -> None:
    async with running("telegram", "--token", "1:T") as url, aiohttp.ClientSession() as session:
        bot, control = f"{url}/bot1:T", f"{url}/_control"
        made = {"title": "Team", "kind": "supergroup", "is_forum": True, "users": [42]}
        team = await told(session, f"{control}/group", made)
        news = await told(session, f"{control}/topic", {"chat": team, "name": "News"})
        await told(
            session,
            f"{control}/writes",
            {"user": 42, "text": "hi", "chat": team, "thread": news},
        )
        await told(session, f"{control}/update", {"telepathy": {}})
        await told(session, f"{control}/rates", {"enabled": True, "group_burst": 1})
        body = {"chat_id": team, "text": "x", "message_thread_id": news}
        assert (await told(session, f"{bot}/sendMessage", body))["ok"]
        assert (await told(session, f"{bot}/sendMessage", body))["error_code"] == 429
        chats = await told(session, f"{control}/chats")
        assert [one["thread"] for one in chats[str(team)]] == [news, news]
        assert "error" in await told(session, f"{control}/dance")


async def test_models_in_their_own_processes() -> None:
    body = {"model": "test-model", "messages": [{"role": "user", "content": "hi"}]}
    for name, path in (("openai", "/v1/chat/completions"), ("anthropic", "/v1/messages")):
        headers = {"Authorization": "Bearer sk-1", "anthropic-version": "2026-10-21"}
        options = ("--key", "sk-1", "--pieces", "20", "--latency", "0.001")
        async with (
            running(name, *options) as url,
            aiohttp.ClientSession(headers=headers) as session,
        ):
            control = f"{url}/_control"
            said = [{"text": "looking", "calls": [{"name": "look", "arguments": {"a": 1}}]}]
            assert await told(session, f"{control}/say", said) == 1
            rules = [{"effect": "rate_limit", "retry_after": 1, "nth": 1}]
            assert await told(session, f"{control}/faults", rules) == 1
            whole = {**body, "max_tokens": 9}
            assert "error" in await told(session, f"{url}{path}", whole)
            assert "looking" in str(await told(session, f"{url}{path}", whole))
            assert await told(session, f"{control}/state") == {"asked": 1, "unsaid": 0}
            asked = await told(session, f"{control}/asked")
            assert asked[0]["body"]["messages"][0]["content"] == "hi"
            assert await told(session, f"{control}/pace", {"first": 0.0}) == {"first": 0.0}
