"""What may befall the things that a platform tells, in one form for all of them."""

import random
from typing import Any

from tests.fakes.faults import Faults
from tests.journeys.on_discord import Discord
from tests.journeys.on_slack import Slack
from tests.journeys.on_telegram import Telegram
from tests.journeys.platform import PATIENCE, Platform

_DEEP: Any = []
for _ in range(60):
    _DEEP = [{"text": _DEEP}]
NONSENSE: tuple[Any, ...] = (
    *(None, 7, [], {}, "words", _DEEP, {"id": None, "text": None, "chat": None, "channel": None}),
    {"text": "\ud800", "id": "\ud800", "channel": {}, "user": [], "ts": "soon", "from": 7},
    {"id": {}, "channel_id": [], "author": None, "content": 9, "attachments": [None]},
)


def faults_of(platform: Platform) -> Faults:
    assert isinstance(platform, Telegram | Discord | Slack)
    return platform.server.faults


async def tell_again(platform: Platform, times: int) -> None:
    """Have all that was told be told so many times more, and return once it has been."""
    match platform:
        case Telegram():
            updates = platform.server.updates
            updates.redeliver(18, times)
            await platform.server.until(lambda _: not updates.again, timeout=PATIENCE)
        case Discord():
            platform.server.gateway.repeats_all(times)
        case Slack():
            server = platform.server
            for told in [*server.deliveries] * times:
                server.world.deliveries.again(told)
            await server.until(
                lambda _: all(
                    one.attempts and all(tried.outcome for tried in one.attempts)
                    for one in server.deliveries
                ),
                timeout=PATIENCE,
            )


async def has_told(platform: Platform) -> None:
    """Return once all that has happened was told, and the bot has said that it knows."""
    match platform:
        case Telegram():
            await platform.server.until(lambda it: not it.updates.pending, timeout=PATIENCE)
        case Slack():
            await platform.server.until(lambda it: not it.pending, timeout=PATIENCE)


def hold_back(platform: Platform) -> None:
    """Have nothing be told that happens from now on."""
    _line_of(platform).hold()


def let_through(platform: Platform, chance: random.Random) -> None:
    """Tell what was held back, in an order that chance makes."""
    _line_of(platform).release(chance)


def _line_of(platform: Platform) -> Any:
    match platform:
        case Telegram():
            return platform.server.updates
        case Discord():
            return platform.server.gateway
        case Slack():
            return platform.server.world.deliveries
    raise AssertionError(platform)


def tell_nonsense(platform: Platform) -> None:
    """Tell events of known and unknown kinds with nothing right in them."""
    for data in NONSENSE:
        match platform:
            case Telegram():
                for kind in ("message", "edited_message", "callback_query", "unheard_of"):
                    platform.server.updates.allow([])
                    platform.server.push({kind: data})
            case Discord():
                for kind in (
                    "MESSAGE_CREATE",
                    "MESSAGE_UPDATE",
                    "INTERACTION_CREATE",
                    "UNHEARD_OF",
                ):
                    platform.server.gateway.push(kind, data)
            case Slack():
                more = data if isinstance(data, dict) else {"blocks": data, "files": data}
                for kind in ("message", "app_mention", "file_shared", "unheard_of"):
                    platform.server.push({**more, "type": kind})
