"""The Events API over HTTP, with the real Bolt behind a real server; and what is not Slack."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request

from gateway.clock import SystemClock
from tests.fakes.fast_clock import FastClock
from tests.fakes.slack import FakeSlack, Requests, User
from tests.fakes.slack_app import bolt_for


@dataclass
class App:
    """A Bolt app at an address; `trouble` answers in its place while there is any."""

    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)
    retries: list[tuple[str | None, str | None]] = field(default_factory=list)
    trouble: list[web.Response] = field(default_factory=list)
    asked: int = 0


@pytest.fixture
async def server() -> AsyncIterator[FakeSlack]:
    """Live by the machine's time: Bolt looks at it when it checks a signature."""
    async with FakeSlack(clock=SystemClock()) as running:
        yield running


@pytest.fixture
async def app(server: FakeSlack) -> AsyncIterator[App]:
    made, bolt = App(), bolt_for(server)

    @bolt.event("message")
    async def hear(event: dict[str, Any]) -> None:
        made.heard.append(event)
        server.watch.changed()

    @bolt.action("yes")
    async def press(ack: Any, body: dict[str, Any]) -> None:
        made.heard.append(body)
        await ack()

    @bolt.command("/parley")
    async def status(ack: Any) -> None:
        await ack({"text": "all is *well*"})

    async def handle(request: web.Request) -> web.Response:
        made.asked += 1
        named = ("x-slack-retry-num", "x-slack-retry-reason")
        made.retries.append((request.headers.get(named[0]), request.headers.get(named[1])))
        if made.trouble:
            return made.trouble.pop(0)
        answer = await bolt.async_dispatch(await to_bolt_request(request))
        shown: web.Response = await to_aiohttp_response(answer)
        return shown

    site = web.Application()
    site.router.add_post("/slack/events", handle)
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield made
    await runner.cleanup()


@pytest.fixture
def requests(server: FakeSlack, app: App) -> Requests:
    return server.posts_to(app.url)


@pytest.fixture
def ann(server: FakeSlack) -> User:
    return server.user("U0ANN", "Ann")


async def test_the_address_is_verified(requests: Requests) -> None:
    assert await requests.verify()
    nowhere = Requests(requests._world, "http://127.0.0.1:9/slack/events")
    assert not await nowhere.verify()


async def test_events_come_signed_and_in_order(
    server: FakeSlack, requests: Requests, app: App, ann: User
) -> None:
    for words in ("one", "two", "three"):
        ann.writes(words)
    await server.until(lambda _: len(app.heard) == 3 and not server.pending)
    assert [one["text"] for one in app.heard] == ["one", "two", "three"]
    assert {one.outcome for told in server.deliveries for one in told.attempts} == {"acknowledged"}
    assert len(requests.sent) == 3


async def test_presses_and_commands_are_forms(
    server: FakeSlack, requests: Requests, app: App, ann: User
) -> None:
    shown = {"type": "plain_text", "text": "Yes"}
    element = {"type": "button", "text": shown, "action_id": "yes", "value": "\u00fc & +"}
    message = ann.writes("hi")
    message.blocks = [{"type": "actions", "elements": [element]}]
    ann.presses("Yes")
    ann.commands("/parley", "status")
    await server.until(lambda _: not server.pending)
    assert app.heard[-1]["actions"][0]["value"] == "\u00fc & +"
    assert ann.whispers() == ["all is well"]
    assert requests.sent[-1].headers["Content-Type"] == "application/x-www-form-urlencoded"


@pytest.mark.usefixtures("requests")
async def test_errors_are_tried_again(app: App) -> None:
    app.trouble = [web.Response(status=500), web.Response(status=404)]
    async with FakeSlack(clock=FastClock(100)) as fast:
        fast.posts_to(app.url)
        fast.user("U0ANN", "Ann").writes("hi")
        await fast.until(lambda _: app.asked >= 3)
        await fast.until(lambda _: len(fast.deliveries[0].attempts[-1].outcome) > 0)
    assert app.retries[:3] == [(None, None), ("1", "http_error"), ("2", "http_error")]


async def test_who_says_so_is_not_asked_again(
    server: FakeSlack, requests: Requests, app: App, ann: User
) -> None:
    assert requests.sent is not None
    app.trouble = [web.Response(status=500, headers={"X-Slack-No-Retry": "1"})]
    ann.writes("hi")
    await server.until(lambda _: not server.pending)
    assert app.asked == 1
    assert len(server.world.deliveries.lost) == 1


async def test_what_only_looks_like_slack_is_told_apart(
    server: FakeSlack, requests: Requests, app: App, ann: User
) -> None:
    ann.writes("hi")
    await server.until(lambda _: len(app.heard) == 1 and not server.pending)
    good = requests.sent[-1]
    wrong = [
        requests.unsigned(good),
        requests.forged(good),
        requests.aged(good, 301),
        requests.reencoded(good),
        *(requests.flipped(good, at) for at in (5, -3)),
    ]
    statuses = [(await requests.post(one)).status for one in wrong]
    assert set(statuses) == {401}
    assert len(app.heard) == 1
    assert (await requests.post(requests.aged(good, 200))).status == 200
    assert (await requests.post(good)).status == 200
    async with asyncio.timeout(5):
        while len(app.heard) < 3:
            await server.watch.next()


async def test_an_app_that_is_away(server: FakeSlack, ann: User) -> None:
    server.posts_to("http://127.0.0.1:9/slack/events")
    ann.writes("hi")
    await server.until(lambda _: any(one.outcome for one in server.deliveries[0].attempts))
    assert server.deliveries[0].attempts[0].outcome == "connection_failed"
