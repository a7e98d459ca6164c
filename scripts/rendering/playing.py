"""Every platform that is installed, played through all scenes with the real gateway."""

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from scripts.rendering.discord_eye import DiscordEye
from scripts.rendering.scenes import ACTS, APART, OTHER_MODEL, TOOLS, Scene
from scripts.rendering.slack_eye import SlackEye
from scripts.rendering.stage import Eye, Shots, Stage
from scripts.rendering.telegram_eye import TelegramEye
from scripts.rendering.weather import installed
from tests.fakes.fast_clock import FastClock
from tests.journeys.on_discord import Discord
from tests.journeys.on_slack import Slack
from tests.journeys.on_telegram import Telegram
from tests.journeys.platform import PATIENCE, Platform
from tests.journeys.world import World

_SPEED = 10
_PLATFORMS: dict[str, tuple[type[Platform], Callable[[Any], Eye]]] = {
    "telegram": (Telegram, TelegramEye),
    "slack": (Slack, SlackEye),
    "discord": (Discord, DiscordEye),
}


def platforms() -> list[str]:
    known = {entry.name for entry in entry_points(group="parley.adapters")}
    return [name for name in _PLATFORMS if name in known]


async def play(platform: str) -> Shots:
    """Play every scene, and return what was seen."""
    with tempfile.TemporaryDirectory() as folder, installed(Path(folder)):
        shots = await _play_acts(platform, ACTS)
        return shots | await _play_acts(platform, APART, reactions=True)


async def _play_acts(name: str, acts: Mapping[str, tuple[Scene, ...]], **entry: Any) -> Shots:
    platform, eye = _PLATFORMS[name]
    clock = FastClock(_SPEED)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        met = await stack.enter_async_context(platform(clock, folder))
        world = await stack.enter_async_context(World(folder, met, clock))
        world.config["adapters"][name] = met.entry | entry
        world.config["access"] |= {"direct_messages": "pairing"}
        world.agent |= {"models": [OTHER_MODEL], "approvals": ["edit_file"], "tools": TOOLS}
        await world.start()
        stage = Stage(world, eye)
        ann = world.person("Ann")
        for stage.act, scenes in acts.items():
            for scene in scenes:
                stage.enter(ann)
                async with asyncio.timeout(PATIENCE):
                    await scene(stage, ann)
        await world.stop()
        world.check()
    return stage.shots
