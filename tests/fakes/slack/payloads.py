"""People, conversations and messages as the Web API and events write them."""

from typing import Any

from tests.fakes.slack.conversation import Conversation, Message
from tests.fakes.slack.files import StoredFile
from tests.fakes.slack.text import escaped, read_markdown
from tests.fakes.slack.world import World


def message_payload(
    world: World, place: Conversation, message: Message, *, with_metadata: bool = True
) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": _text(message),
        "team": world.team["id"],
        **message.extra,
    }
    if message.is_from_bot:
        shown |= {
            "bot_id": world.bot_id,
            "app_id": world.app_id,
            "bot_profile": bot_profile(world),
        }
    if message.blocks:
        shown["blocks"] = message.blocks
    if message.files:
        shown |= {"files": [file_payload(one) for one in message.files], "upload": False}
        shown.setdefault("subtype", "file_share")
    if message.stream is not None:
        grows = message.is_streaming(world.now())
        shown["streaming_state"] = "in_progress" if grows else "completed"
    if message.metadata is not None and with_metadata:
        shown["metadata"] = message.metadata
    if message.edited_ts is not None:
        shown["edited"] = {"user": message.edited_by, "ts": message.edited_ts}
    if message.reactions:
        shown["reactions"] = [
            {"name": name, "users": users, "count": len(users)}
            for name, users in message.reactions.items()
        ]
    return shown | _threading(place, message)


def _text(message: Message) -> str:
    """Return `text` as it is read back: without any given, Slack makes one of the blocks."""
    if message.text or not message.blocks:
        return message.text
    said = [one["text"] for one in message.blocks if one["type"] == "markdown"]
    return escaped(read_markdown("\n".join(said)))


def _threading(place: Conversation, message: Message) -> dict[str, Any]:
    if message.thread_ts is not None:
        root = place.messages.get(message.thread_ts)
        parent = {} if root is None else {"parent_user_id": root.user}
        broadcast = {"subtype": "thread_broadcast"} if message.is_broadcast else {}
        return {"thread_ts": message.thread_ts, **parent, **broadcast}
    replies = [one for one in place.shown(message.ts) if one is not message]
    if not replies:
        return {}
    users = list(dict.fromkeys(one.user for one in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "reply_users": users,
        "latest_reply": replies[-1].ts,
        "is_locked": False,
        "subscribed": False,
    }


def file_payload(stored: StoredFile) -> dict[str, Any]:
    return stored.stub() if stored.needs_info else stored.payload()


def bot_profile(world: World) -> dict[str, Any]:
    return {
        "id": world.bot_id,
        "app_id": world.app_id,
        "name": world.bot_name,
        "deleted": False,
        "team_id": world.team["id"],
    }


def conversation_payload(world: World, place: Conversation) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": place.id,
        "is_archived": place.is_archived,
        "is_im": place.kind == "im",
        "is_ext_shared": place.is_shared,
        "context_team_id": world.team["id"],
    }
    if place.kind == "im":
        return {**shown, "user": min(place.members), "is_user_deleted": False}
    return {
        **shown,
        "name": place.name,
        "is_channel": place.kind == "channel",
        "is_group": place.kind == "group",
        "is_mpim": place.kind == "mpim",
        "is_private": place.kind != "channel",
        "is_member": place.has_bot,
        "num_members": len(place.members) + place.has_bot,
    }
