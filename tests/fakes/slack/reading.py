"""What the app looks up: itself, people, conversations and what was said in them.

Facts: https://docs.slack.dev/reference/methods/conversations.history and its siblings
"""

import base64
from collections.abc import Sequence
from typing import Any, TypeVar

from tests.fakes.slack.calls import Call
from tests.fakes.slack.conversation import Conversation, Message
from tests.fakes.slack.payloads import bot_profile, conversation_payload, message_payload
from tests.fakes.slack.refusal import Refusal, invalid
from tests.fakes.slack.world import World

Item = TypeVar("Item")

_KINDS = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
_HISTORY, _REPLIES, _LIST = 999, 1_000, 1_000


def auth_test(world: World, _: Call) -> Any:
    return {
        "url": f"https://{world.team['domain']}.slack.com/",
        "team": world.team["name"],
        "user": world.bot_name,
        "team_id": world.team["id"],
        "user_id": world.bot_user,
        "bot_id": world.bot_id,
        "is_enterprise_install": False,
    }


def team_info(world: World, _: Call) -> Any:
    return {"team": {**world.team, "email_domain": "", "icon": {}}}


def bots_info(world: World, call: Call) -> Any:
    if call.text("bot") != world.bot_id:
        raise Refusal("bot_not_found")
    return {"bot": {**bot_profile(world), "user_id": world.bot_user, "icons": {}}}


def users_info(world: World, call: Call) -> Any:
    user = world.users.get(call.needed("user"))
    if user is None:
        raise Refusal("user_not_found")
    return {"user": user}


def history(world: World, call: Call) -> Any:
    """Answer conversations.history: newest first, replies left out.

    With `oldest` alone the page nearest to it comes first, else the one nearest to now.
    """
    place = world.place_of(call)
    limit = _limit(call, 100, _HISTORY)
    found = _between(call, place.top())
    forward = call.has("oldest") and not call.has("latest")
    items, cursor = _page(call, found if forward else found[::-1], limit)
    items = sorted(items, key=lambda one: one.ts, reverse=True)
    return _messages(world, call, place, items, cursor)


def replies(world: World, call: Call) -> Any:
    """Answer conversations.replies: the root, then what answers it, oldest first."""
    place = world.place_of(call)
    ts = call.needed("ts")
    asked = place.messages.get(ts)
    if asked is None or asked.is_deleted:
        raise Refusal("thread_not_found")
    thread = asked.thread_ts or ts
    root = place.messages[thread]
    limit = _limit(call, _REPLIES, _REPLIES)
    found = _between(call, [one for one in place.shown(thread) if one is not root])
    items, cursor = _page(call, found, limit)
    head = [] if root.is_deleted else [root]
    return _messages(world, call, place, [*head, *items], cursor)


def _messages(
    world: World, call: Call, place: Conversation, items: Sequence[Message], cursor: str
) -> Any:
    all_of_it = call.flag("include_all_metadata")
    shown = [message_payload(world, place, one, with_metadata=all_of_it) for one in items]
    return {
        "messages": shown,
        "has_more": bool(cursor),
        "pin_count": 0,
        "response_metadata": {"next_cursor": cursor},
    }


def _between(call: Call, messages: list[Message]) -> list[Message]:
    oldest, latest = call.text("oldest") or "0", call.text("latest") or "9999999999.999999"
    inclusive = call.flag("inclusive")
    try:
        low, high = _moment(oldest), _moment(latest)
    except ValueError:
        raise Refusal("invalid_ts_oldest") from None
    return [
        one
        for one in messages
        if low < _moment(one.ts) < high or (inclusive and _moment(one.ts) in {low, high})
    ]


def _moment(ts: str) -> tuple[int, int]:
    seconds, _, rest = ts.partition(".")
    return int(seconds), int(rest.ljust(6, "0") or 0)


def _limit(call: Call, default: int, most: int) -> int:
    limit = call.integer("limit", default)
    if not 1 <= limit <= most:
        raise Refusal("invalid_limit")
    return limit


def _page(call: Call, items: Sequence[Item], limit: int) -> tuple[list[Item], str]:
    """Cut the page that a cursor names out of all; return it and the next cursor."""
    start = 0
    if call.has("cursor"):
        try:
            start = int(base64.b64decode(call.text("cursor")).decode().removeprefix("next:"))
        except ValueError:
            raise Refusal("invalid_cursor") from None
    rest = items[start + limit :]
    cursor = base64.b64encode(f"next:{start + limit}".encode()).decode() if rest else ""
    return list(items[start : start + limit]), cursor


def conversation_info(world: World, call: Call) -> Any:
    place = world.conversations.get(call.channel)
    if place is None or (not place.has_bot and place.kind != "channel"):
        raise Refusal("channel_not_found")
    return {"channel": conversation_payload(world, place)}


def conversation_members(world: World, call: Call) -> Any:
    place = world.place_of(call)
    items, cursor = _page(call, sorted({*place.members, world.bot_user}), _limit(call, 100, _LIST))
    return {"members": items, "response_metadata": {"next_cursor": cursor}}


def list_conversations(world: World, call: Call) -> Any:
    """Answer conversations.list, and users.conversations for those the app is in."""
    kinds = {_KINDS.get(one.strip()) for one in (call.text("types") or "public_channel").split(",")}
    if None in kinds:
        raise Refusal("invalid_types")
    found = [
        one
        for one in world.conversations.values()
        if one.kind in kinds
        and not (one.is_archived and call.flag("exclude_archived"))
        and (one.has_bot or (one.kind == "channel" and call.method == "conversations.list"))
    ]
    items, cursor = _page(call, found, _limit(call, 100, _LIST))
    return {
        "channels": [conversation_payload(world, one) for one in items],
        "response_metadata": {"next_cursor": cursor},
    }


def open_conversation(world: World, call: Call) -> Any:
    if call.has("channel"):
        place = world.place_of(call)
    else:
        users = [one.strip() for one in call.text("users").split(",") if one.strip()]
        if not users:
            raise invalid("channel or users")
        if not set(users) <= world.users.keys():
            raise Refusal("user_not_found")
        place = world.dm(users[0]) if len(users) == 1 else _group(world, set(users))
    whole = conversation_payload(world, place) if call.flag("return_im") else {"id": place.id}
    return {"channel": whole}


def _group(world: World, users: set[str]) -> Conversation:
    for place in world.conversations.values():
        if place.kind == "mpim" and place.members == users:
            return place
    return world.open("mpim", users, name=f"mpdm-{'--'.join(sorted(users))}")
