"""Each message has its own sender's rights, whoever spoke before and in whichever place."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.messages import Place
from tests.fakes.gateway import Make, gateways

GROUP = Place("-1")
READING = ["list_files", "now", "read_file", "search_files"]


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    async with gateways(tmp_path, monkeypatch) as made:
        yield made


async def test_t15_a_guests_text_after_an_admins_has_a_guests_rights(make: Make) -> None:
    served = make(access={"groups": "open", "owners": ["fake:owner"], "admins": ["fake:admin"]})
    async with served.running():
        for user in ("admin", "guest", "owner", "guest"):
            await served.writes(f"{user} speaks", user, place=GROUP)
        await served.until(lambda: len(served.texts("-1")) == 4)
        offered = [[tool.name for tool in asked.tools] for asked in served.model.requests]
        assert "write_file" in offered[0]
        assert offered[1] == offered[3] == READING
        assert offered[2] == offered[0]
        spoken = [asked.entries[-1] for asked in served.model.requests]
        assert [getattr(entry, "content", "") for entry in spoken] == [
            "admin speaks",
            "guest speaks",
            "owner speaks",
            "guest speaks",
        ]


async def test_t22_a_place_narrows_the_tools_of_its_agent_for_everybody(make: Make) -> None:
    groups = {"fake:-1": {"tools": ["now", "write_file"]}}
    served = make(access={"groups": groups, "owners": ["fake:owner"]})
    async with served.running():
        for user in ("owner", "guest"):
            await served.writes("hello", user, place=GROUP)
        await served.until(lambda: len(served.texts("-1")) == 2)
        offered = [[tool.name for tool in asked.tools] for asked in served.model.requests]
        assert offered == [["now", "write_file"], ["now"]]
