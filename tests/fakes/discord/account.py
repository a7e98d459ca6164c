"""The bot itself, the application behind it, people, servers and channels."""

from typing import Any

from tests.fakes.discord.calls import Call
from tests.fakes.discord.payloads import channel_payload, guild_payload, member_payload
from tests.fakes.discord.places import THREADS, Guild
from tests.fakes.discord.refusal import Form, refused
from tests.fakes.discord.world import World

_IDENTIFIES_A_DAY = 1000


def me(world: World, _: Call) -> Any:
    return {**world.bot, "mfa_enabled": False, "locale": "en-US", "verified": True, "email": None}


def user(world: World, call: Call) -> Any:
    known = world.users.get(call.id("user"))
    if known is None:
        raise refused(10013)
    return known


def application(world: World, _: Call) -> Any:
    return {
        "id": str(world.application_id),
        "name": world.bot["username"],
        "icon": None,
        "description": "",
        "summary": "",
        "type": None,
        "flags": world.flags(),
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "integration_types_config": {"0": {}},
        "interactions_endpoint_url": None,
        "owner": {
            "id": "1",
            "username": "owner",
            "discriminator": "0",
            "global_name": "Owner",
            "avatar": None,
        },
        "team": None,
        "bot": world.bot,
    }


def gateway(world: World, _: Call) -> Any:
    return {"url": world.gateway_url}


def gateway_bot(world: World, _: Call) -> Any:
    used = world.gateway.identifies
    start = {
        "total": _IDENTIFIES_A_DAY,
        "remaining": max(0, _IDENTIFIES_A_DAY - used),
        "reset_after": 86_400_000,
        "max_concurrency": 1,
    }
    return {"url": world.gateway_url, "shards": 1, "session_start_limit": start}


def guilds(world: World, _: Call) -> Any:
    return [
        {"id": str(one.id), "name": one.name, "icon": None, "owner": False, "features": []}
        for one in world.guilds.values()
    ]


def find_guild(world: World, call: Call) -> Guild:
    """Return a server that the bot is in."""
    found = world.guilds.get(call.id("guild"))
    if found is None:
        raise refused(10004)
    return found


def guild(world: World, call: Call) -> Any:
    return guild_payload(find_guild(world, call))


def guild_channels(world: World, call: Call) -> Any:
    channels = find_guild(world, call).channels.values()
    return [channel_payload(one) for one in channels if one.kind not in THREADS]


def member(world: World, call: Call) -> Any:
    found = find_guild(world, call)
    if call.id("user") not in found.members:
        raise refused(10013)
    return member_payload(found, call.id("user"))


def direct(world: World, call: Call) -> Any:
    given = call.fields.get("recipient_id")
    if not str(given or "").isdigit():
        form = Form()
        form.required("recipient_id")
        form.check()
    if int(str(given)) not in world.users:
        raise refused(10013)
    return channel_payload(world.direct(int(str(given))))


def channel(world: World, call: Call) -> Any:
    return channel_payload(world.place(call.id("channel")))
