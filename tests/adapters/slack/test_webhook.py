"""Signed requests: only Slack is heard, and 200 is said only of what is kept."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest

from adapters.slack.adapter import SlackAdapter
from adapters.slack.settings import SlackSettings
from gateway.errors import AccountRejected, ConfigInvalid
from gateway.ids import AccountName
from gateway.messages import Receipt
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Answer
from tests.fakes.slack import FakeSlack, Requests, User

FIVE_MINUTES = 300


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        chosen: int = free.getsockname()[1]
        return chosen


@pytest.fixture
def url(port: int) -> str:
    return f"http://127.0.0.1:{port}/slack/events"


@pytest.fixture
def settings(server: FakeSlack, port: int) -> SlackSettings:
    return SlackSettings.model_validate({
        "bot_token": server.world.bot_token,
        "signing_secret": server.world.signing_secret,
        "mode": "http",
        "http": {"port": port},
        "api_base": f"{server.url}/api/",
    })


@pytest.fixture
async def requests(
    adapter: SlackAdapter, server: FakeSlack, account: Account, url: str
) -> AsyncIterator[Requests]:
    """Slack's side, once the app listens."""
    async with account.receiving(adapter):
        made = server.posts_to(url)
        await account.health.until(lambda health: health.is_alive)
        yield made


async def until_told(server: FakeSlack) -> None:
    await server.until(lambda server: not server.pending)


async def pass_time(clock: FakeClock, seconds: int) -> None:
    for _ in range(seconds // 10):
        await clock.advance(10)
        await asyncio.sleep(0.01)  # lets the loop read what has come


@pytest.mark.promise("R8")
@pytest.mark.usefixtures("requests")
async def test_r8_what_never_got_through_is_found_once_something_comes_late(
    server: FakeSlack,
    account: Account,
    clock: FakeClock,
    url: str,
    ann: User,
) -> None:
    """What stands before the gateway is down for longer than Slack tries."""
    ann.writes("one")
    await until_told(server)
    server.posts_to(url.replace("/slack/events", "/nowhere"))
    ann.writes("two")
    await pass_time(clock, 400)
    lost = server.world.deliveries.lost
    assert [one.event["text"] for one in lost] == ["two"]
    ann.writes("three")
    await pass_time(clock, 10)
    server.posts_to(url)
    await pass_time(clock, 70)
    await account.gate.until(lambda gate: gate.texts == ["one", "two", "three"])
    asked = len(server.calls("conversations.history"))
    server.world.deliveries.again(server.deliveries[-1])
    ann.writes("four")
    await account.gate.until(lambda gate: gate.texts == ["one", "two", "three", "four"])
    assert len(server.calls("conversations.history")) == asked


async def test_slack_is_shown_that_the_address_is_ours(requests: Requests) -> None:
    assert await requests.verify()


async def test_events_commands_and_presses_come_by_one_address(
    requests: Requests, server: FakeSlack, account: Account, ann: User
) -> None:
    ann.writes("hello")
    await until_told(server)
    ann.commands("/parley", "new")
    await until_told(server)
    account.gate.receipt = Receipt(is_taken=False, words="Not now.")
    ann.commands("/parley", "what is up?")
    await until_told(server)
    assert account.gate.texts == ["hello", "/new"]
    assert ann.whispers() == ["Not now."]
    assert len(requests.sent) == 3


@pytest.mark.threat("T51")
@pytest.mark.parametrize("way", ["flipped", "aged", "future", "unsigned", "forged", "reencoded"])
async def test_t51_l10_a_forged_request_is_not_read(
    requests: Requests, server: FakeSlack, account: Account, ann: User, way: str
) -> None:
    ann.writes("hello")
    await until_told(server)
    genuine = requests.sent[-1]
    made = {
        "flipped": lambda: requests.flipped(genuine),
        "aged": lambda: requests.aged(genuine, FIVE_MINUTES + 1),
        "future": lambda: requests.aged(genuine, -FIVE_MINUTES - 2),
        "unsigned": lambda: requests.unsigned(genuine),
        "forged": lambda: requests.forged(genuine),
        "reencoded": lambda: requests.reencoded(genuine),
    }[way]()
    answer = await requests.post(made)
    assert (answer.status, answer.body) == (401, "")
    assert account.gate.attempts == 1


@pytest.mark.threat("T51")
async def test_t51_every_bit_counts(requests: Requests, account: Account, url: str) -> None:
    genuine = requests.signed(url, json.dumps({"type": "event_callback", "event": {}}).encode())
    for at in range(len(genuine.body)):
        answer = await requests.post(requests.flipped(genuine, at))
        assert answer.status == 401
    assert account.gate.attempts == 0


@pytest.mark.threat("T51")
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Request-Timestamp": "-5"},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0="},
    ],
    ids=str,
)
async def test_t51_headers_of_another_form_are_no_signature(
    requests: Requests, url: str, headers: dict[str, str]
) -> None:
    made = requests.signed(url, b"{}", more=headers)
    assert (await requests.post(made)).status == 401


@pytest.mark.threat("T52")
async def test_t52_a14_a_replay_is_one_turn_and_an_old_one_is_none(
    requests: Requests, server: FakeSlack, account: Account, clock: FakeClock, ann: User
) -> None:
    ann.writes("hello")
    await until_told(server)
    replayed = requests.sent[-1]
    assert (await requests.post(replayed)).status == 200
    assert account.gate.texts == ["hello"]
    await clock.advance(3600)
    assert (await requests.post(replayed)).status == 401


async def test_r1_what_cannot_be_kept_is_asked_for_again(
    requests: Requests, server: FakeSlack, account: Account, clock: FakeClock, ann: User
) -> None:
    account.gate.busy_for = [30.0]
    ann.writes("precious")
    await account.gate.until(lambda gate: gate.attempts == 1)
    await server.until(lambda server: server.deliveries[0].attempts[0].outcome == "http_error")
    await clock.advance(1.5)
    await until_told(server)
    assert account.gate.texts == ["precious"]
    assert requests.sent[-1].headers["x-slack-retry-num"] == "1"


@pytest.mark.threat("T55")
async def test_t55_what_is_too_large_is_not_read(requests: Requests, url: str) -> None:
    assert (await requests.post(requests.signed(url, b"x" * 1_000_001))).status == 413


@pytest.mark.threat("T55")
@pytest.mark.parametrize("body", [b"[" * 5000, b"nonsense", b'"text"', b"\xff"])
@pytest.mark.fault("garbage", "slack http")
async def test_t55_what_is_no_payload_is_refused_or_means_nothing(
    requests: Requests, server: FakeSlack, account: Account, ann: User, url: str, body: bytes
) -> None:
    assert (await requests.post(requests.signed(url, body))).status in {200, 400, 401}
    ann.writes("hello")
    await until_told(server)
    assert account.gate.texts == ["hello"]


async def test_another_path_and_another_method_are_not_ours(requests: Requests, url: str) -> None:
    assert (await requests.post(requests.signed(f"{url}/more", b"{}"))).status == 404


@pytest.mark.threat("T55")
@pytest.mark.fault("trickle", "slack http")
async def test_t55_a_caller_that_shows_nothing_is_cut_off(
    requests: Requests, clock: FakeClock, port: int
) -> None:
    assert requests.sent is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Le")
    await writer.drain()
    await clock.until_sleeping(2)
    await clock.advance(11)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_a_port_that_is_taken_is_said(
    adapter: SlackAdapter, settings: SlackSettings, account: Account, requests: Requests
) -> None:
    assert requests.sent is not None
    second = SlackAdapter(AccountName("second"), settings, account.kit)
    await second.open()
    with pytest.raises(ConfigInvalid, match="cannot listen"):
        await second.run(account.gate)
    await second.close()
    assert adapter.name == "helper"


async def test_an_app_that_is_only_told_asks_whether_slack_still_knows_it(
    adapter: SlackAdapter, server: FakeSlack, account: Account, clock: FakeClock
) -> None:
    async with account.receiving(adapter):
        await account.health.until(lambda health: health.is_alive)
        server.faults.add(Answer(503), path="auth.test", times=1)
        await clock.until_sleeping(2)
        await clock.advance(60)
        await account.health.until(lambda health: not health.is_alive)
        await clock.until_sleeping(2)
        await clock.advance(1)
        await account.health.until(lambda health: health.is_alive)


@pytest.mark.fault("revoked token", "slack http")
async def test_an_app_that_is_only_told_notices_that_its_token_was_revoked(
    adapter: SlackAdapter, server: FakeSlack, account: Account, clock: FakeClock
) -> None:
    running = asyncio.create_task(adapter.run(account.gate))
    await account.health.until(lambda health: health.is_alive)
    server.world.token_refusal = "token_revoked"
    await clock.until_sleeping(2)
    await clock.advance(60)
    with pytest.raises(AccountRejected, match="revoked"):
        await running
