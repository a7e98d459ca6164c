"""`parley sessions`, `usage` and `places`: beside a running gateway, and without one."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import main
from gateway.messages import Place
from tests.fakes.gateway import FakeGateway, gateways

GROUP = Place("-100", space="9")
ELSEWHERE = Place("-200")
ACCESS = {
    "direct_messages": "open",
    "groups": {"fake:9": {"answer": "always"}, "fake:-300": {"agent": "clerk"}},
    "owners": ["fake:owner"],
}
AGENTS = {
    "main": {"provider": "fake", "model": "big", "prices": {"big": {"input": 3, "output": 15}}},
    "clerk": {"provider": "fake"},
}
BUDGETS = {"total_day": {"tokens": 1_000_000, "money": 5.0}, "per_person_day": {"tokens": 900_000}}


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeGateway]:
    """Lend a gateway on which three have talked: directly, in a group, and in vain."""
    config = tmp_path / "config.yaml"
    config.write_text(
        json.dumps({
            "data_dir": "data",
            "agents": {
                "main": {"provider": "demo"},
                "clerk": {"provider": "demo"},
            },
            "access": ACCESS,
            "budgets": BUDGETS,
        })
    )
    config.chmod(0o600)
    monkeypatch.setenv("PARLEY_CONFIG", str(config))
    async with gateways(tmp_path, monkeypatch) as make:
        made = make(access=ACCESS, agents=AGENTS, budgets=BUDGETS)
        await made.start()
        await made.asks("tell me of\x1b[2J tomatoes", user="ann")
        await made.writes("hello all", "bob", place=GROUP)
        await made.reads("Well!", "-100")
        for _ in range(2):
            await made.writes("anybody there?", "eve", place=ELSEWHERE)
        await made.idle()
        yield made


async def parley(served: FakeGateway, *arguments: str) -> Result:
    asking = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, main, arguments))
    if served.is_serving:
        await served.until(asking.done)
    return await asking


async def told(served: FakeGateway, *arguments: str) -> Any:
    result = await parley(served, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(params=["running", "stopped"])
async def either(served: FakeGateway, request: pytest.FixtureRequest) -> FakeGateway:
    if request.param == "stopped":
        await served.stop()
    return served


async def test_sessions_are_listed_with_whose_they_are(either: FakeGateway) -> None:
    of_group, of_ann = await told(either, "sessions", "list")
    assert (of_ann["whose"], of_ann["agent"], of_ann["entries"]) == (["fake:ann"], "main", 2)
    assert (of_group["whose"], of_group["is_group"]) == (["fake:-100"], True)
    assert (of_ann["state"], of_ann["is_group"]) == ("active", False)
    assert of_ann["id"].endswith(of_ann["handle"])
    assert [
        one["id"] for one in await told(either, "sessions", "list", "--person", "fake:ann")
    ] == [of_ann["id"]]
    assert await told(either, "sessions", "list", "--agent", "clerk") == []
    shown = (await parley(either, "sessions", "list")).stdout
    assert of_ann["handle"] in shown
    assert "tell me of\\x1b[2J" in shown
    nobody = await parley(either, "sessions", "list", "--person", "fake:nobody")
    assert (nobody.exit_code, "fake:nobody is not known here" in nobody.stderr) == (1, True)


async def test_a_session_is_shown_without_its_words_unless_they_are_asked_for(
    either: FakeGateway,
) -> None:
    (_, of_ann) = await told(either, "sessions", "list")
    facts = await told(either, "sessions", "show", of_ann["handle"])
    assert "words" not in facts
    assert facts["usage"][0]["calls"] == 1
    plain = (await parley(either, "sessions", "show", of_ann["handle"])).stdout
    assert "whose        fake:ann" in plain
    assert "Well!" not in plain
    assert not any(row["action"] == "session.read" for row in await told(either, "people", "audit"))
    read = (await parley(either, "sessions", "show", of_ann["handle"], "--words")).stdout
    assert "tell me of\\x1b[2J tomatoes" in read
    assert "assistant\nWell!" in read
    newest = (await told(either, "people", "audit"))[0]
    assert (newest["action"], newest["facts"]) == ("session.read", {"session": of_ann["id"]})


async def test_t71_a_session_is_put_aside_and_that_is_noted(either: FakeGateway) -> None:
    (_, of_ann) = await told(either, "sessions", "list")
    done = await parley(either, "sessions", "archive", of_ann["handle"])
    assert done.stdout.endswith("is archived; the next message there begins anew.\n")
    again = await parley(either, "sessions", "archive", of_ann["id"])
    assert (again.exit_code, "is archived already" in again.stderr) == (1, True)
    nowhere = await parley(either, "sessions", "archive", "fffffff0f")
    assert (nowhere.exit_code, "There is no session" in nowhere.stderr) == (1, True)
    newest = (await told(either, "people", "audit"))[0]
    assert (newest["action"], newest["facts"]) == ("session.archived", {"session": of_ann["id"]})
    if not either.is_serving:
        await either.start()
    await either.asks("and now?", user="ann")
    assert len(either.model.requests[-1].entries) == 1
    everything = await told(either, "sessions", "list", "--all", "--person", "fake:ann")
    assert [one["state"] for one in everything] == ["active", "archived"]


async def test_what_may_be_several_sessions_is_none(either: FakeGateway) -> None:
    result = await parley(either, "sessions", "show", "main:")
    assert result.exit_code == 1
    assert "main: may be any of these:" in result.stderr


async def test_usage_is_summed_by_person_place_agent_and_model(either: FakeGateway) -> None:
    by_person = await told(either, "usage")
    assert {tuple(row["accounts"]): row["calls"] for row in by_person["rows"]} == {
        ("fake:ann",): 1,
        ("fake:bob",): 1,
    }
    total = by_person["total"]
    assert total["calls"] == 2
    assert total["total_tokens"] == total["input_tokens"] + total["output_tokens"] > 0
    assert total["cost"] > 0
    (budget,) = by_person["budgets"]  # what one person may spend is no budget of all
    assert (budget["span"], budget["tokens"], budget["cost"]) == ("day", 1_000_000, 5.0)
    for by, name in (("place", "fake:-100"), ("agent", "main"), ("model", "big")):
        assert name in {row["name"] for row in (await told(either, "usage", "--by", by))["rows"]}
    shown = (await parley(either, "usage", "--by", "place")).stdout
    assert "direct messages" in shown
    assert shown.splitlines()[-2].startswith("total")
    assert "Left for all today: " in shown
    assert " of 1,000,000 tokens and " in shown


async def test_the_place_that_called_in_vain_is_told_with_its_id(either: FakeGateway) -> None:
    found = {place["place"]: place for place in (await told(either, "places", "list"))["places"]}
    here, named, elsewhere = found["fake:-100"], found["fake:-300"], found["fake:-200"]
    assert (here["is_allowed"], here["answer"], here["sessions"]) == (True, "always", 1)
    assert (here["accounts"], here["agents"], here["calls"]) == (["bot"], ["main"], 1)
    assert (named["answer"], named["agents"], named["sessions"]) == ("mention", ["clerk"], 0)
    assert (elsewhere["is_allowed"], elsewhere["refused"]) == (False, 2)
    assert (elsewhere["refused_by"], elsewhere["accounts"]) == ("fake:eve", ["bot"])
    shown = (await parley(either, "places", "list")).stdout
    (unused,) = [line for line in shown.splitlines() if line.startswith("fake:-300")]
    assert unused.split()[-2:] == ["0", "-"]
    assert "fake:-200    bot      2 times  fake:eve" in shown
    assert "Name a place in access.groups" in shown


async def test_where_nothing_was_there_is_nothing_to_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gateways(tmp_path, monkeypatch) as make:
        made = make(access={"groups": "off"})
        monkeypatch.setenv("PARLEY_DATA_DIR", str(made.settings.data_dir))
        async with made.running():
            shown = [
                (await parley(made, *arguments)).stdout
                for arguments in (("sessions", "list"), ("usage",), ("places", "list"))
            ]
    assert shown == [
        "There are no such sessions.\n",
        "Nothing was used in the last 30 days.\n",
        "No group or channel has written to the bot, and the settings name none.\n",
    ]
