"""Where journeys take place: each platform in turn, with a gateway that is ready to start."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gateway.clock import Clock
from tests.fakes.fast_clock import FastClock
from tests.journeys.in_terminal import Terminal
from tests.journeys.on_discord import Discord, DiscordServer, DiscordThread
from tests.journeys.on_slack import Slack, SlackChannel, SlackHttp, SlackPlain
from tests.journeys.on_telegram import (
    Telegram,
    TelegramGroup,
    TelegramWebhook,
    TelegramWithoutDrafts,
)
from tests.journeys.platform import Person, Platform
from tests.journeys.world import World

PLATFORMS: dict[str, type[Platform]] = {
    "telegram": Telegram,
    "telegram without drafts": TelegramWithoutDrafts,
    "telegram group": TelegramGroup,
    "telegram webhook": TelegramWebhook,
    "terminal": Terminal,
    "discord": Discord,
    "discord server": DiscordServer,
    "discord thread": DiscordThread,
    "slack": Slack,
    "slack plain": SlackPlain,
    "slack channel": SlackChannel,
    "slack http": SlackHttp,
}

_EVERYWHERE = [
    "telegram",
    "telegram group",
    "terminal",
    "discord",
    "discord server",
    "slack",
    "slack channel",
]
_SEEN: Counter[str] = Counter()
_KNOWN = ("telegram", "discord", "slack")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take a journey to every platform, or to those it names, or to the one it knows."""
    if "pair" in metafunc.fixturenames:
        return  # it goes to two platforms at once
    named = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "platform" in metafunc.fixturenames and not any("platform" in names for names in named):
        known = [name for name in _KNOWN if name in metafunc.fixturenames]
        metafunc.parametrize("platform", known or _EVERYWHERE, indirect=True)


@pytest.fixture
def speed() -> float:
    """Say how much faster than life a journey goes; slower where much happens at once."""
    return 50


@pytest.fixture(scope="session")
def seen() -> Counter[str]:
    """Return what random kills have met, which is shown at the end."""
    return _SEEN


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _SEEN:
        told = ", ".join(f"{count} {what}" for what, count in sorted(_SEEN.items()))
        terminalreporter.write_line(f"random kills: {told}")


@pytest.fixture
def clock(speed: float) -> Clock:
    return FastClock(speed)


@pytest.fixture
def provider() -> str:
    return "openai"


@pytest.fixture
async def platform(
    request: pytest.FixtureRequest, clock: Clock, tmp_path: Path
) -> AsyncIterator[Platform]:
    if "pair" in request.fixturenames:
        name: str = request.getfixturevalue("pair")[0]
    else:
        name = request.param
    async with PLATFORMS[name](clock, tmp_path) as met:
        yield met


@pytest.fixture
async def world(
    platform: Platform, clock: Clock, tmp_path: Path, provider: str
) -> AsyncIterator[World]:
    async with World(tmp_path, platform, clock, provider=provider) as made:
        yield made
    made.check()


@pytest.fixture
async def others(world: World, clock: Clock) -> AsyncIterator[list[Platform]]:
    """Have the gateway serve Discord and Slack as well."""
    async with AsyncExitStack() as stack:
        met: list[Platform] = [
            await stack.enter_async_context(Discord(clock, world.folder)),
            await stack.enter_async_context(Slack(clock, world.folder)),
        ]
        for platform in met:
            world.add(platform)
        world.config["access"]["owners"] = [one.owner for one in world.platforms]
        yield met
        await world.stop()


@pytest.fixture
def ann(world: World) -> Person:
    return world.person("Ann")


@pytest.fixture
def telegram(platform: Platform) -> Telegram:
    """Return the platform, in journeys that only Telegram knows."""
    assert isinstance(platform, Telegram)
    return platform


@pytest.fixture
def discord(platform: Platform) -> Discord:
    """Return the platform, in journeys that only Discord knows."""
    assert isinstance(platform, Discord)
    return platform


@pytest.fixture
def slack(platform: Platform) -> Slack:
    """Return the platform, in journeys that only Slack knows."""
    assert isinstance(platform, Slack)
    return platform
