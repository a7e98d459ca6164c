"""What the owner may ask of the running process, and what it then does."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.control import ask
from gateway.commands.pair import WELCOME_WORDS
from gateway.control.verbs import identity_parts
from gateway.errors import AccountRejected, Refused, RetryLater, SendRefused
from tests.fakes.gateway import FakeGateway, gateways


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeGateway]:
    async with gateways(tmp_path, monkeypatch) as make:
        made = make("bot", "other", access={"direct_messages": "pairing"})
        async with made.running():
            yield made


async def told(served: FakeGateway, verb: str, **args: str) -> Any:
    return await served.gateway._control().verbs()[verb](args)


async def code_of(served: FakeGateway, user: str) -> str:
    """Let a stranger write, and return the code they are told."""
    await served.writes("hello", user)
    await served.reads("good for an hour", user)
    return served.texts(user)[-1].split("`")[1]


async def test_status_tells_how_it_is(served: FakeGateway) -> None:
    assert served.bot.health is not None
    served.bot.health.alive()
    served.accounts["other"].break_off(AccountRejected("the token is revoked"))
    await served.passes(10.0)
    status = await told(served, "status")
    assert status["agents"] == ["main"]
    assert status["waiting"] == 0
    assert [(one["account"], one["state"], one["reason"]) for one in status["adapters"]] == [
        ("bot", "running", ""),
        ("other", "stopped", "the token is revoked"),
    ]


async def test_the_command_line_is_answered_through_the_socket(served: FakeGateway) -> None:
    asking = asyncio.create_task(asyncio.to_thread(ask, served.settings.data_dir, "status"))
    await served.until(asking.done)
    assert (await asking)["agents"] == ["main"]


async def test_a_stranger_is_listed_and_let_in_by_their_code(served: FakeGateway) -> None:
    code = await code_of(served, "ann")
    (request,) = (await told(served, "pair.list"))["requests"]
    assert (request["identity"], request["name"], request["account"]) == ("fake:ann", "Ann", "bot")
    assert (await told(served, "pair.approve", code=code))["identity"] == "fake:ann"
    await served.reads(WELCOME_WORDS)
    listed = await told(served, "pair.list")
    assert listed["requests"] == []
    assert [(one["identity"], one["role"]) for one in listed["people"]] == [("fake:ann", "member")]
    await served.asks("hello")


@pytest.mark.parametrize("trouble", [SendRefused("blocked"), RetryLater("out of reach", 60.0)])
async def test_a_welcome_that_cannot_be_said_costs_no_approval(
    served: FakeGateway, trouble: Exception
) -> None:
    code = await code_of(served, "ann")
    served.bot.trouble = trouble
    assert (await told(served, "pair.approve", code=code))["identity"] == "fake:ann"
    await served.passes(1.0)
    served.bot.trouble = None
    await served.asks("hello")


async def test_t5_a_code_is_good_once(served: FakeGateway) -> None:
    code = await code_of(served, "ann")
    await told(served, "pair.approve", code=code)
    for wrong in (code, "AAAAAAAA", ""):
        with pytest.raises(Refused, match="wrong, used or expired"):
            await told(served, "pair.approve", code=wrong)


async def test_a_person_is_let_in_and_sent_off_by_their_id(served: FakeGateway) -> None:
    await told(served, "pair.admit", identity="fake:bob")
    await served.asks("hello", user="bob")
    await told(served, "pair.dismiss", identity="fake:bob")
    await code_of(served, "bob")
    with pytest.raises(Refused, match="fake:eve is not known here"):
        await told(served, "pair.dismiss", identity="fake:eve")


async def test_who_has_asked_and_is_let_in_by_id_is_told_so_and_asks_no_longer(
    served: FakeGateway,
) -> None:
    code = await code_of(served, "ann")
    await told(served, "pair.admit", identity="fake:ann")
    await served.reads(WELCOME_WORDS, "ann")
    listed = await told(served, "pair.list")
    assert listed["requests"] == []
    assert [(one["identity"], one["name"]) for one in listed["people"]] == [("fake:ann", "Ann")]
    with pytest.raises(Refused, match="wrong, used or expired"):
        await told(served, "pair.approve", code=code)


async def test_an_owner_is_listed_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with gateways(tmp_path, monkeypatch) as make:
        made = make("bot", access={"direct_messages": "pairing", "owners": ["fake:owner"]})
        async with made.running():
            await made.asks("hello", user="owner")
            (listed,) = (await told(made, "pair.list"))["people"]
            assert (listed["identity"], listed["role"]) == ("fake:owner", "owner")


@pytest.mark.parametrize("identity", ["", "ann", "fake:", ":ann", "fake:@ann"])
def test_t10_a_name_is_no_identity(identity: str) -> None:
    with pytest.raises(Refused, match="platform:user_id"):
        identity_parts(identity)


def test_an_id_may_hold_colons() -> None:
    assert identity_parts("matrix:ann:example.org") == ("matrix", "ann:example.org")
