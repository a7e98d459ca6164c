"""Threads: on a message, on their own, and as the posts of a forum.

Facts: https://discord.com/developers/docs/topics/threads
"""

from typing import Any

from tests.fakes.discord.account import find_guild
from tests.fakes.discord.calls import Call
from tests.fakes.discord.message import HAS_THREAD, THREAD_CREATED, THREAD_STARTER, Message
from tests.fakes.discord.messages import post, shown
from tests.fakes.discord.payloads import channel_payload
from tests.fakes.discord.permissions import May
from tests.fakes.discord.places import (
    FORUM,
    NEWS,
    NEWS_THREAD,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    TEXT,
    THREADS,
    Channel,
    ThreadState,
)
from tests.fakes.discord.refusal import Form, refused
from tests.fakes.discord.world import World

_DURATIONS = frozenset({60, 1440, 4320, 10080})
_LONGEST_NAME = 100


def open_on_message(world: World, call: Call) -> Any:
    parent = _parent(world, call, May.CREATE_PUBLIC_THREADS)
    message = world.message(parent, call.id("message"))
    if not message.is_talk:
        raise refused(50021)
    thread = begin_on(world, parent, message, call.fields["name"], world.bot_id, call.fields)
    return _answer(world, thread)


def open_in_channel(world: World, call: Call) -> Any:
    body = call.fields
    if world.place(call.id("channel")).kind == FORUM:
        return _open_post(world, call)
    kind = body.get("type", PRIVATE_THREAD)
    private = kind == PRIVATE_THREAD
    needs = May.CREATE_PRIVATE_THREADS if private else May.CREATE_PUBLIC_THREADS
    parent = _parent(world, call, needs)
    thread = begin_alone(world, parent, body["name"], world.bot_id, kind, body)
    return _answer(world, thread)


def _open_post(world: World, call: Call) -> Any:
    forum = _parent(world, call, May.SEND_MESSAGES)
    body = call.fields
    if not isinstance(body.get("message"), dict):
        form = Form()
        form.required("message")
        form.check()
    thread = make_thread(world, forum, world.next_id(), body["name"], world.bot_id, body)
    inner = Call(call.path, call.query, body["message"], call.files, call.record)
    try:
        message = post(world, thread, inner, id=thread.id)
    except Exception:
        _forget(world, thread)
        raise
    return {**_answer(world, thread), "message": shown(world, thread, message)}


def _forget(world: World, thread: Channel) -> None:
    del world.channels[thread.id]
    if thread.guild is not None:
        del thread.guild.channels[thread.id]


def _parent(world: World, call: Call, needs: May) -> Channel:
    parent = world.place(call.id("channel"), needs)
    if parent.kind not in {TEXT, NEWS, FORUM}:
        raise refused(50024)
    form = Form()
    form.length("name", call.fields.get("name"), _LONGEST_NAME, 1)
    minutes = call.fields.get("auto_archive_duration")
    if minutes is not None and minutes not in _DURATIONS:
        words = "Value must be one of (60, 1440, 4320, 10080)."
        form.wrong("auto_archive_duration", "BASE_TYPE_CHOICES", words)
    form.check()
    return parent


def begin_on(
    world: World,
    parent: Channel,
    message: Message,
    name: str,
    owner_id: int,
    given: dict[str, Any],
) -> Channel:
    """Open a thread that has its message's id, with the first line that refers to it."""
    if message.id in world.channels:
        raise refused(160004)
    message.flags |= HAS_THREAD
    thread = make_thread(world, parent, message.id, name, owner_id, given)
    starter = _made_by_discord(world, thread, owner_id, THREAD_STARTER)
    starter.reply_to = message
    starter.reference = _reference(parent, message.id)
    thread.messages[starter.id] = starter
    world.tell_message("MESSAGE_UPDATE", parent, message)
    world.changed(parent)
    return thread


def begin_alone(
    world: World,
    parent: Channel,
    name: str,
    owner_id: int,
    kind: int,
    given: dict[str, Any],
) -> Channel:
    """Open a thread without a message; the channel shows that it was opened."""
    thread = make_thread(world, parent, world.next_id(), name, owner_id, given, kind=kind)
    if kind != PRIVATE_THREAD:
        line = _made_by_discord(world, parent, owner_id, THREAD_CREATED)
        line.content = name
        line.reference = _reference(thread, None)
        world.add(parent, line)
    return thread


def make_thread(
    world: World,
    parent: Channel,
    thread_id: int,
    name: str,
    owner_id: int,
    given: dict[str, Any],
    *,
    kind: int | None = None,
) -> Channel:
    """Add a thread to a channel and tell of it."""
    own_kind = NEWS_THREAD if parent.kind == NEWS else PUBLIC_THREAD
    state = ThreadState(
        owner_id=owner_id,
        made_at=world.now(),
        archived_at=world.now(),
        auto_archive=given.get("auto_archive_duration") or 1440,
        members={owner_id},
    )
    thread = Channel(
        thread_id,
        own_kind if kind is None else kind,
        name=name,
        guild=parent.guild,
        parent=parent,
        thread=state,
        clock_now=world.now,
    )
    world.add_channel(thread)
    world.tell_channel("THREAD_CREATE", thread, newly_created=True)
    return thread


def _made_by_discord(world: World, channel: Channel, user_id: int, kind: int) -> Message:
    author = world.users[user_id]
    who = "bot" if user_id == world.bot_id else str(author["global_name"])
    return Message(world.next_id(), channel.id, who, author, world.now(), kind=kind)


def _reference(channel: Channel, message_id: int | None) -> dict[str, Any]:
    assert channel.guild is not None
    named = {} if message_id is None else {"message_id": str(message_id)}
    return {"type": 0, "channel_id": str(channel.id), "guild_id": str(channel.guild.id), **named}


def _answer(world: World, thread: Channel) -> dict[str, Any]:
    return {**channel_payload(thread), "member": _own_membership(world, thread)}


def _own_membership(world: World, thread: Channel) -> dict[str, Any]:
    from_then = channel_payload(thread)["thread_metadata"]["create_timestamp"]
    return {
        "id": str(thread.id),
        "user_id": str(world.bot_id),
        "join_timestamp": from_then,
        "flags": 1,
    }


def change(world: World, call: Call) -> Any:
    """Change a thread: its name, whether it is archived or locked."""
    thread = world.place(call.id("channel"))
    if thread.thread is None:
        raise refused(50013)
    body, state = call.fields, thread.thread
    may_manage = bool(thread.permissions(world.bot_id) & May.MANAGE_THREADS)
    if not may_manage and (state.locked or "locked" in body):
        raise refused(50013)
    if not may_manage and state.owner_id != world.bot_id and "archived" not in body:
        raise refused(50013)
    if state.archived and body.get("archived", True):
        raise refused(50083)
    form = Form()
    if "name" in body:
        form.length("name", body["name"], _LONGEST_NAME, 1)
    form.check()
    thread.name = body.get("name", thread.name)
    state.locked = body.get("locked", state.locked)
    archive(world, thread, archived=body.get("archived", state.archived))
    return channel_payload(thread)


def archive(world: World, thread: Channel, *, archived: bool = True) -> None:
    assert thread.thread is not None
    if thread.thread.archived != archived:
        thread.thread.archived = archived
        thread.thread.archived_at = world.now()
    world.tell_channel("THREAD_UPDATE", thread)
    world.changed(thread)


def join(world: World, call: Call) -> Any:
    thread = world.place(call.id("channel"))
    if thread.thread is None:
        raise refused(50024)
    thread.thread.members.add(world.bot_id)


def active(world: World, call: Call) -> Any:
    guild = find_guild(world, call)
    return _listed(world, [one for one in guild.threads if world.bot_sees(one)])


def archived(world: World, call: Call) -> Any:
    parent = world.place(call.id("channel"), May.READ_MESSAGE_HISTORY)
    found = [
        one
        for one in world.channels.values()
        if one.parent is parent and one.thread is not None and one.thread.archived
    ]
    found.sort(key=lambda one: -one.id)
    limit = call.number("limit", 50)
    return {**_listed(world, found[:limit]), "has_more": len(found) > limit}


def _listed(world: World, threads: list[Channel]) -> dict[str, Any]:
    own = [one for one in threads if one.thread and world.bot_id in one.thread.members]
    return {
        "threads": [channel_payload(one) for one in threads if one.kind in THREADS],
        "members": [_own_membership(world, one) for one in own],
    }
