"""`/people`, `/places` and `/audit`: what an owner sees from their own chat."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.contracts.adapter import Adapter
from gateway.messages import Place
from tests.fakes.gateway import FakeAccount, FakeGateway, gateways

ACCESS = {
    "direct_messages": "open",
    "groups": {"fake:-100": {"answer": "always"}},
    "owners": ["fake:owner"],
    "admins": ["fake:bob"],
}


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeGateway]:
    async with gateways(tmp_path, monkeypatch) as make:
        made = make(access=ACCESS)
        async with made.running():
            yield made


async def answer(served: FakeGateway, command: str) -> str:
    before = len(served.texts("owner"))
    await served.writes(command, "owner")
    await served.until(lambda: len(served.texts("owner")) > before)
    await served.idle()
    return "\n".join(served.texts("owner")[before:])  # long ones come in parts


async def told(served: FakeGateway, verb: str, **args: str) -> Any:
    return await served.gateway._verbs()[verb](args)


async def test_people_come_by_role_and_their_names_are_only_shown(served: FakeGateway) -> None:
    await served.asks("hello", user="ann", sender_name="**Ann** [x](http://evil)")
    await served.asks("hello", user="bob", sender_name="Bob")
    await told(served, "pair.admit", identity="fake:carol")
    await told(served, "people.role", identity="fake:carol", role="admin")
    lines = (await answer(served, "/people")).splitlines()
    assert lines[2].endswith("(`fake:owner`), owner by the settings")
    assert {line.partition(" ")[2] for line in lines[3:5]} == {
        "Bob (`fake:bob`), admin by the settings",
        " (`fake:carol`), admin",
    }
    assert lines[5] == "4. \\*\\*Ann\\*\\* \\[x\\](http://evil) (`fake:ann`), guest"


async def test_places_tell_the_id_that_the_settings_need(served: FakeGateway) -> None:
    assert "- `fake:-100`: always, agent `main`" in await answer(served, "/places")
    await served.writes("hello all", "ann", place=Place("-100"))
    await served.reads("Well!", "-100")
    for _ in range(2):
        await served.writes("and here?", "ann", place=Place("-200"))
    shown = await answer(served, "/places")
    assert "1 session, last " in shown
    assert "**I may not answer in**\n\n- `fake:-200`: called 2 times, last by `fake:ann`" in shown
    assert "Name a place in `access.groups`" in shown


async def test_the_newest_in_the_audit_trail_comes_first(served: FakeGateway) -> None:
    assert await answer(served, "/audit") == "Nothing was noted yet."
    for number in range(20):
        await told(served, "pair.admit", identity=f"fake:{number}")
    await told(served, "people.role", identity="fake:7", role="admin")
    shown = (await answer(served, "/audit")).splitlines()
    lines = [line for line in shown if line.startswith("- ")]
    assert len(lines) == 15
    assert lines[0].endswith(
        "`role.given` by `command line`: account `fake:7`, before `member`, role `admin`"
    )
    assert lines[1].endswith("`pairing.admitted` by `command line`: account `fake:19`")


@pytest.mark.parametrize("command", ["/people", "/places", "/audit"])
async def test_t16_nobody_else_looks_over_others(served: FakeGateway, command: str) -> None:
    for user in ("ann", "bob"):
        await served.asks(command, f"{command} is not for you here.", user=user)
    await served.writes(command, "owner", place=Place("-100"))
    await served.reads(f"{command} is for direct messages.", "-100")


async def test_commands_are_named_as_people_have_to_type_them(
    served: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(_: Adapter, command: str, place: Place) -> str:
        return f"/bot_{command}" if place.is_direct else f"@bot /{command}"

    monkeypatch.setattr(FakeAccount, "written", written)
    assert "- /bot_new: Start a new conversation" in await answer(served, "/help")
    assert "/bot_new starts afresh, /bot_stop ends" in await answer(served, "/start")
    await served.writes("/help", "ann", place=Place("-100"))
    await served.reads("- @bot /stop: ", "-100")
