"""Who the bot is, and what its owner has to know about it."""

from typing import Any

import discord

from adapters.discord.inbound import Me
from adapters.discord.transport import Rest, SaidNo, unreadable
from gateway.errors import reading

_READS_MESSAGES = (1 << 18) | (1 << 19)
"""Flags of an application whose Message Content Intent is on."""
_NEEDED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
    add_reactions=True,
)


def invite_link(application: str) -> str:
    """Return the address at which somebody adds the bot to a server of theirs."""
    return str(
        discord.utils.oauth_url(
            application,
            permissions=_NEEDED,
            scopes=("bot", "applications.commands"),
        )
    )


async def who_we_are(rest: Rest) -> Me:
    """Ask for the bot and its application; raises what a call raises."""
    user = await rest.call("GET", "/users/@me")
    application = await _application(rest)
    with reading(unreadable()):
        return Me(str(user["id"]), application.get("id") or user["id"], str(user["username"]))


async def describe(rest: Rest) -> str:
    """Say in one line who the bot is, what it may read, and how it is invited."""
    user = await rest.call("GET", "/users/@me")
    application = await _application(rest)
    servers = len(await rest.call("GET", "/users/@me/guilds"))
    with reading(unreadable()):
        name, number = user["username"], application.get("id") or user["id"]
        reads = bool(int(application.get("flags") or 0) & _READS_MESSAGES)
    intent = "on" if reads else "off"
    return (
        f"{name} ({user['id']}), in {servers} server{'s' * (servers != 1)}, "
        f"Message Content Intent {intent}, "
        f"invite it with {invite_link(number)}"
    )


async def _application(rest: Rest) -> Any:
    try:
        return await rest.call("GET", "/oauth2/applications/@me")
    except SaidNo:
        return {}
