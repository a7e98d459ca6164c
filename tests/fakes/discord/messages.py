"""Sending, editing, deleting and reading messages as the bot.

Facts: https://discord.com/developers/docs/resources/message
"""

from itertools import islice
from typing import Any

from tests.fakes.discord.body import take_in
from tests.fakes.discord.calls import Call
from tests.fakes.discord.message import REPLY, Message
from tests.fakes.discord.permissions import May
from tests.fakes.discord.places import CATEGORY, FORUM, Channel
from tests.fakes.discord.refusal import Form, refused
from tests.fakes.discord.world import World

_PAGE, _MOST = 50, 100


def send(world: World, call: Call) -> Any:
    channel = writable(world, call.id("channel"))
    body = call.fields
    repeated = _repeated(world, body)
    if repeated is not None:
        call.record.message_id = repeated.id
        return shown(world, world.channels[repeated.channel_id], repeated, with_nonce=True)
    message = post(world, channel, call)
    if message.nonce is not None and body.get("enforce_nonce"):
        world.nonces[str(message.nonce)] = (world.now(), message)
    return shown(world, channel, message, with_nonce=True)


def post(world: World, channel: Channel, call: Call, **fields: Any) -> Message:
    """Add a message of the bot's to a channel."""
    body = call.fields
    reply_to = _replied(world, channel, body.get("message_reference"))
    message = Message(
        id=fields.pop("id", None) or world.next_id(),
        channel_id=channel.id,
        who="bot",
        author=world.bot,
        at=world.now(),
        nonce=body.get("nonce"),
        reply_to=reply_to,
        **fields,
    )
    if reply_to is not None:
        message.kind = REPLY
        message.reference = {
            "type": 0,
            "message_id": str(reply_to.id),
            "channel_id": str(channel.id),
            **({"guild_id": str(channel.guild.id)} if channel.guild else {}),
        }
    take_in(world, channel, message, body, call.files)
    _check_permitted(world, channel, message)
    if channel.thread is not None:
        channel.thread.members.add(world.bot_id)
    call.record.message_id = message.id
    world.add(channel, message)
    return message


def _check_permitted(world: World, channel: Channel, message: Message) -> None:
    permitted = channel.permissions(world.bot_id)
    if message.files and not permitted & May.ATTACH_FILES:
        raise refused(50013)
    if message.embeds and not permitted & May.EMBED_LINKS:
        raise refused(50013)


def writable(world: World, channel_id: int) -> Channel:
    """Find a channel in which the bot may write; writing wakes an archived thread."""
    channel = world.place(channel_id)
    if channel.kind in {CATEGORY, FORUM}:
        raise refused(50008)
    if channel.thread is None:
        channel = world.place(channel_id, May.SEND_MESSAGES)
    else:
        channel = world.place(channel_id, May.SEND_MESSAGES_IN_THREADS)
    if channel.is_direct and not channel.is_reachable:
        raise refused(50007)
    if _is_locked(world, channel):
        raise refused(50083)
    if channel.thread is not None and channel.thread.archived:
        channel.thread.archived = False
        world.tell_channel("THREAD_UPDATE", channel)
    return channel


def _replied(world: World, channel: Channel, reference: Any) -> Message | None:
    if not isinstance(reference, dict) or reference.get("message_id") is None:
        return None
    if not channel.permissions(world.bot_id) & May.READ_MESSAGE_HISTORY:
        raise refused(160002)
    found = channel.messages.get(int(reference["message_id"]))
    if found is not None and not found.is_deleted and found.seen_by is None and found.is_talk:
        return found
    if reference.get("fail_if_not_exists", True):
        form = Form()
        is_system = found is not None and not found.is_talk and not found.is_deleted
        words = "Cannot reply to a system message" if is_system else "Unknown message"
        code = "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE"
        form.wrong("message_reference", code if is_system else "REPLIES_UNKNOWN_MESSAGE", words)
        form.check()
    return None


def _repeated(world: World, body: dict[str, Any]) -> Message | None:
    """Return what was sent under the same nonce a short while ago."""
    if not body.get("enforce_nonce") or body.get("nonce") is None:
        return None
    at, message = world.nonces.get(str(body["nonce"]), (0.0, None))
    if message is None or world.now() - at >= world.nonce_seconds:
        return None
    if (
        message.is_deleted
    ):  # it is not sent anew: https://github.com/discord/discord-api-docs/pull/6647
        raise refused(10008)
    return message


def shown(
    world: World, channel: Channel, message: Message, *, with_nonce: bool = False
) -> dict[str, Any]:
    """Write a message for REST; only the answer to its sending has its nonce."""
    written = world.writer.write(channel, message, world.now(), reads_content=world.reads_content())
    if with_nonce and message.nonce is not None:
        written["nonce"] = message.nonce
    return written


def edit(world: World, call: Call) -> Any:
    channel = world.place(call.id("channel"))
    message = world.message(channel, call.id("message"))
    if not message.is_talk:
        raise refused(50021)
    if not message.is_from_bot:
        raise refused(50005)
    check_awake(world, channel)
    revise(world, channel, message, call)
    return shown(world, channel, message)


def check_awake(world: World, channel: Channel) -> None:
    """Refuse to change anything in a thread that is archived, or locked for the bot."""
    if channel.thread is not None and (channel.thread.archived or _is_locked(world, channel)):
        raise refused(50083)


def _is_locked(world: World, channel: Channel) -> bool:
    may_manage = bool(channel.permissions(world.bot_id) & May.MANAGE_THREADS)
    return channel.thread is not None and channel.thread.locked and not may_manage


def revise(world: World, channel: Channel, message: Message, call: Call) -> None:
    """Change a message of the bot's, and tell of it."""
    before = message.content
    take_in(world, channel, message, call.fields, call.files, by_edit=True)
    message.earlier.append(before)
    message.edited_at = world.now()
    call.record.message_id = message.id
    world.tell_message("MESSAGE_UPDATE", channel, message)
    world.changed(channel)


def delete(world: World, call: Call) -> Any:
    channel = world.place(call.id("channel"))
    message = world.message(channel, call.id("message"))
    if not message.is_from_bot:
        if channel.is_direct:
            raise refused(50003)
        world.place(channel.id, May.MANAGE_MESSAGES)
    check_awake(world, channel)
    call.record.message_id = message.id
    take_away(world, channel, message)


def take_away(world: World, channel: Channel, message: Message) -> None:
    message.is_deleted = True
    if message.seen_by is None and world.bot_sees(channel):
        from_guild = {} if channel.guild is None else {"guild_id": str(channel.guild.id)}
        data = {"id": str(message.id), "channel_id": str(channel.id), **from_guild}
        world.tell("MESSAGE_DELETE", message_intent(channel), data)
    world.changed(channel)


def message_intent(channel: Channel) -> int:
    return 1 << 12 if channel.is_direct else 1 << 9


def get_one(world: World, call: Call) -> Any:
    channel = world.place(call.id("channel"), May.READ_MESSAGE_HISTORY)
    return shown(world, channel, world.message(channel, call.id("message")))


def get_many(world: World, call: Call) -> Any:
    """Give a page of history, newest first; none of it without the permission to read it."""
    channel = world.place(call.id("channel"))
    if channel.kind in {CATEGORY, FORUM}:
        raise refused(50008)
    limit = call.number("limit", _PAGE)
    if not 1 <= limit <= _MOST:
        form = Form()
        words = f"int value should be between 1 and {_MOST}."
        form.wrong("limit", "NUMBER_TYPE_MAX", words)
        form.check()
    if not channel.permissions(world.bot_id) & May.READ_MESSAGE_HISTORY:
        return []
    page = _page(list(world.visible(channel)), call, limit)
    return [shown(world, channel, one) for one in sorted(page, key=lambda one: -one.id)]


def _page(messages: list[Message], call: Call, limit: int) -> list[Message]:
    messages.sort(key=lambda one: one.id)
    if "around" in call.query:
        middle = call.number("around", 0)
        older = [one for one in messages if one.id < middle][-(limit // 2) :]
        newer = [one for one in messages if one.id >= middle][: limit - limit // 2]
        return older + newer
    if "after" in call.query:
        after = call.number("after", 0)
        return list(islice((one for one in messages if one.id > after), limit))
    before = call.number("before", 1 << 63)
    return [one for one in messages if one.id < before][-limit:]


def show_typing(world: World, call: Call) -> Any:
    channel = world.place(call.id("channel"))
    needs = May.SEND_MESSAGES if channel.thread is None else May.SEND_MESSAGES_IN_THREADS
    channel = world.place(channel.id, needs)
    if channel.is_direct and not channel.is_reachable:
        raise refused(50007)
    check_awake(world, channel)
    channel.typing.append(world.now())
    world.changed(channel)
