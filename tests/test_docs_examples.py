"""The examples in the docs are complete: they are installed from the page, and they work."""

import importlib
import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.cli.examination import examine
from gateway.config import load_settings
from gateway.contracts.adapter import RepeatsSafely
from tests.contracts.adapter_contract import AdapterContract, Stage, on_stage
from tests.fakes.fast_clock import FastClock
from tests.fakes.letters import Letters
from tests.fakes.model import call
from tests.fakes.packages import install
from tests.journeys.on_telegram import Telegram
from tests.journeys.world import World

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GROUP = "parley."


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text()
    return [block for kind, block in BLOCK.findall(text) if kind == language]


def source_of(page: str, module: str) -> str:
    [source] = [one for one in blocks(page, "python") if one.startswith(f"# {module}.py\n")]
    return source


def entry_points_of(page: str, module: str) -> dict[str, str]:
    """Return the groups that name the module, as lines of an `entry_points.txt`."""
    found: dict[str, str] = {}
    for block in blocks(page, "toml"):
        for group, entries in tomllib.loads(block)["project"].get("entry-points", {}).items():
            for name, target in entries.items():
                if target.startswith(f"{module}:"):
                    found[group.removeprefix(GROUP)] = f"{name} = {target}"
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place for a gateway, apart from the packages."""
    made = tmp_path / "world"
    made.mkdir()
    return made


def install_from(page: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install an example as a package."""
    groups = entry_points_of(page, module)
    assert groups, f"no entry point names {module}"
    install(tmp_path, monkeypatch, module, source_of(page, module), **groups)


def settings_of(page: str, word: str) -> dict[str, Any]:
    """Return the example of settings that names this."""
    [settings] = [block for block in blocks(page, "yaml") if word in block]
    return dict(yaml.safe_load(settings))


async def answered(world: World, text: str, answer: str) -> str:
    """Let a gateway answer one message; return the whole answer."""
    await world.start()
    ann = world.person("Ann")
    await ann.asks(text, answer)
    await world.stop()
    world.check()
    return ann.texts()[-1]


async def test_the_tool_is_used_by_an_agent_that_names_it(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_from("extending.md", "parley_dice", tmp_path, monkeypatch)
    settings = settings_of("extending.md", "roll_dice")
    clock = FastClock()
    async with Telegram(clock, folder) as platform, World(folder, platform, clock) as world:
        world.agent["tools"] = settings["agents"]["main"]["tools"]
        world.model.say(call("roll_dice", sides=6, count=3))
        world.model.say(call("roll_dice", sides=6, count=101))
        world.model.say(call("roll_dice", sides="six"))
        world.model.say("There they are.")
        shown = await answered(world, "Roll!", "There they are.")
        told = world.model.asked[-1].prompt
    assert re.search(r"Rolled [1-6], [1-6], [1-6]\.", told)
    assert "At most 100 dice fit into the hand." in told
    assert "Wrong arguments" in told
    assert "roll_dice \u00d73 (2 failed)" in shown


async def test_the_provider_answers_and_its_refusal_is_shown(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_from("extending.md", "parley_parrot", tmp_path, monkeypatch)
    settings = settings_of("extending.md", "parrot")
    clock = FastClock()
    async with Telegram(clock, folder) as platform, World(folder, platform, clock) as world:
        world.agent.clear()
        world.agent |= settings["agents"]["main"]
        await world.start()
        ann = world.person("Ann")
        await ann.asks("pieces of eight", "pieces of eight")
        await ann.asks("what about the cat", "The parrot does not talk about that.")
        await world.stop()
        findings = await examine(load_settings(world.write_config(), {}))
        assert world.model.asked_count == 0
        world.check()
    [found] = [finding for finding in findings if finding.subject == "agents.main"]
    assert (found.state, found.words) == ("ok", "the parrot is awake")


async def test_the_hook_sees_and_adjusts_a_turn(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_from("extending.md", "parley_brief", tmp_path, monkeypatch)
    clock = FastClock()
    async with Telegram(clock, folder) as platform, World(folder, platform, clock) as world:
        world.model.say(call("write_file", path="archive/1.txt", content="changed"))
        world.model.say("I could not.")
        await answered(world, "Change the archive", "I could not.")
        asked = world.model.asked[-1]
        counted = world.logged("tokens.counted")
    assert "Answer in one sentence." in str(asked.body["messages"][0])
    assert "The archive is only for reading." in asked.prompt
    assert [line["agent"] for line in counted] == ["main"]
    assert counted[0]["output"] > 0


async def test_the_adapter_carries_a_conversation(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_from("adapters.md", "parley_letters", tmp_path, monkeypatch)
    settings = settings_of("adapters.md", "letters")
    clock = FastClock()
    async with Letters(clock, folder) as platform, World(folder, platform, clock) as world:
        assert settings["adapters"]["letters"].keys() == platform.entry.keys()
        world.config["access"] = {"direct_messages": "allowlist", **settings["access"]}
        await world.start()
        world.model.say("Dear Ann, all is well.")
        await world.person("Ann").asks("How are you?", "Dear Ann, all is well.")
        await world.person("Bob").asks("And me?", "letters:bob")
        await world.stop()
        world.check()
    assert list((folder / "in").iterdir()) == []


class TestLettersAdapter(AdapterContract):
    """The example keeps every adapter's promises, as the page says it can be shown."""

    @pytest.fixture(params=[(), (RepeatsSafely,)], ids=["plain", "repeats safely"])
    async def stage(
        self,
        request: pytest.FixtureRequest,
        tmp_path: Path,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> AsyncIterator[Stage]:
        install_from("adapters.md", "parley_letters", tmp_path, monkeypatch)
        plain = importlib.import_module("parley_letters").LettersAdapter
        kind = type("LettersAdapter", (plain, *request.param), {"repeat_window": 86_400.0})
        async with Letters(FastClock(), folder) as platform, on_stage(platform, kind) as it:
            yield it


def test_every_example_module_is_installed_by_a_test() -> None:
    tests = Path(__file__).read_text()
    for page in ("adapters.md", "extending.md"):
        for block in blocks(page, "python"):
            name = block.splitlines()[0].removeprefix("# ").removesuffix(".py")
            assert f'"{name}"' in tests or name == "test_contract", name
