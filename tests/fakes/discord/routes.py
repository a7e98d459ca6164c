"""Every call that the fake knows: its name in the log, its path, what it may carry.

Facts: https://discord.com/developers/docs/resources and the pages under it (API v10)
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.discord import account, commands, messages, reactions, responses, threads
from tests.fakes.discord.calls import Call
from tests.fakes.discord.world import World

Handler = Callable[[World, Call], Any]

_NEW = (
    "content nonce tts embeds allowed_mentions message_reference components sticker_ids "
    "attachments flags enforce_nonce poll"
)
_CHANGE = "content embeds flags allowed_mentions components attachments tts"
"""`tts` is no field of an edit: discord.py sends it all the same, and nobody minds."""
_CHANNEL = (
    "name archived auto_archive_duration locked invitable rate_limit_per_user flags "
    "applied_tags topic position parent_id permission_overwrites nsfw type"
)


@dataclass(frozen=True, slots=True)
class Route:
    """One kind of call."""

    name: str
    method: str
    pattern: re.Pattern[str]
    handle: Handler
    fields: frozenset[str]
    query: frozenset[str]
    status: int
    needs_token: bool

    @property
    def bucket(self) -> str | None:
        """What limits it; answers to interactions are not limited."""
        return None if self.name == "respond" else self.name


def _route(
    name: str,
    where: str,
    handle: Handler,
    fields: str = "",
    query: str = "",
    *,
    status: int = 200,
    needs_token: bool = True,
) -> Route:
    method, _, path = where.partition(" ")
    pattern = re.sub(r"\{(token|emoji)\}", r"(?P<\1>[^/]+)", path)
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>\\d+)", pattern)
    known = frozenset(fields.split()), frozenset(query.split())
    return Route(name, method, re.compile(pattern), handle, *known, status, needs_token)


_MESSAGE = "/channels/{channel}/messages/{message}"
_HOOK = "/webhooks/{application}/{token}"

ROUTES = (
    _route("me", "GET /users/@me", account.me),
    _route("user", "GET /users/{user}", account.user),
    _route("application", "GET /oauth2/applications/@me", account.application),
    _route("application", "GET /applications/@me", account.application),
    _route("gateway", "GET /gateway", account.gateway, needs_token=False),
    _route("gateway", "GET /gateway/bot", account.gateway_bot),
    _route(
        "guilds", "GET /users/@me/guilds", account.guilds, query="limit with_counts after before"
    ),
    _route("guild", "GET /guilds/{guild}", account.guild, query="with_counts"),
    _route("guild_channels", "GET /guilds/{guild}/channels", account.guild_channels),
    _route("member", "GET /guilds/{guild}/members/{user}", account.member),
    _route("direct", "POST /users/@me/channels", account.direct, "recipient_id"),
    _route("channel", "GET /channels/{channel}", account.channel),
    _route("change_channel", "PATCH /channels/{channel}", threads.change, _CHANNEL),
    _route("send", "POST /channels/{channel}/messages", messages.send, _NEW),
    _route(
        "history",
        "GET /channels/{channel}/messages",
        messages.get_many,
        query="around before after limit",
    ),
    _route("message", f"GET {_MESSAGE}", messages.get_one),
    _route("edit", f"PATCH {_MESSAGE}", messages.edit, _CHANGE),
    _route("delete", f"DELETE {_MESSAGE}", messages.delete, status=204),
    _route("typing", "POST /channels/{channel}/typing", messages.show_typing, status=204),
    _route("react", f"PUT {_MESSAGE}/reactions/{{emoji}}/@me", reactions.add, status=204),
    _route("unreact", f"DELETE {_MESSAGE}/reactions/{{emoji}}/@me", reactions.remove, status=204),
    _route(
        "open_thread",
        f"POST {_MESSAGE}/threads",
        threads.open_on_message,
        "name auto_archive_duration rate_limit_per_user",
        status=201,
    ),
    _route(
        "open_thread",
        "POST /channels/{channel}/threads",
        threads.open_in_channel,
        "name auto_archive_duration rate_limit_per_user type invitable message applied_tags",
        "use_nested_fields",
        status=201,
    ),
    _route("active_threads", "GET /guilds/{guild}/threads/active", threads.active),
    _route(
        "archived_threads",
        "GET /channels/{channel}/threads/archived/public",
        threads.archived,
        query="before limit",
    ),
    _route("join_thread", "PUT /channels/{channel}/thread-members/@me", threads.join, status=204),
    _route("commands", "GET /applications/{application}/commands", commands.get),
    _route("set_commands", "PUT /applications/{application}/commands", commands.put),
    _route("commands", "GET /applications/{application}/guilds/{guild}/commands", commands.get),
    _route("set_commands", "PUT /applications/{application}/guilds/{guild}/commands", commands.put),
    _route(
        "respond",
        "POST /interactions/{interaction}/{token}/callback",
        responses.respond,
        "type data",
        "with_response",
        status=204,
        needs_token=False,
    ),
    _route(
        "followup",
        f"POST {_HOOK}",
        responses.follow_up,
        f"{_NEW} username avatar_url thread_name applied_tags",
        "wait with_components thread_id",
        needs_token=False,
    ),
    _route(
        "followup", f"GET {_HOOK}/messages/@original", responses.get_original, needs_token=False
    ),
    _route(
        "edit_answer",
        f"PATCH {_HOOK}/messages/@original",
        responses.edit_original,
        _CHANGE,
        "with_components thread_id",
        needs_token=False,
    ),
    _route(
        "delete_answer",
        f"DELETE {_HOOK}/messages/@original",
        responses.delete_original,
        status=204,
        needs_token=False,
    ),
    _route(
        "edit_answer",
        f"PATCH {_HOOK}/messages/{{message}}",
        responses.edit_followup,
        _CHANGE,
        "with_components thread_id",
        needs_token=False,
    ),
    _route(
        "delete_answer",
        f"DELETE {_HOOK}/messages/{{message}}",
        responses.delete_followup,
        query="thread_id",
        status=204,
        needs_token=False,
    ),
)


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the route of a path below `/api/v10`, with what it names."""
    for route in ROUTES:
        match = route.pattern.fullmatch(path)
        if match is not None and route.method == method:
            return route, match.groupdict()
    return None


def is_known(path: str) -> bool:
    return any(route.pattern.fullmatch(path) for route in ROUTES)
