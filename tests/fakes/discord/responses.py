"""Answers to interactions: the first one in time, and what may follow for a quarter hour.

Facts: https://discord.com/developers/docs/interactions/receiving-and-responding
"""

from enum import IntEnum
from typing import Any

from tests.fakes.discord.body import take_in
from tests.fakes.discord.calls import Call
from tests.fakes.discord.interaction import COMMAND, COMPONENT, Interaction
from tests.fakes.discord.message import COMMAND as COMMAND_MESSAGE
from tests.fakes.discord.message import DEFAULT, EPHEMERAL, LOADING, REPLY, Message
from tests.fakes.discord.messages import shown, take_away
from tests.fakes.discord.refusal import Form, refused
from tests.fakes.discord.world import World


class Kind(IntEnum):
    """Types of first answers."""

    MESSAGE = 4
    LATER = 5
    CHANGE_LATER = 6
    CHANGE = 7
    MODAL = 9


# fmt: off
_DATA = frozenset({
    "tts", "content", "embeds", "allowed_mentions", "flags", "components", "attachments", "poll",
    "choices", "custom_id", "title",
})
# fmt: on


def respond(world: World, call: Call) -> Any:
    """Take the first answer; it comes once and in time, or not at all."""
    interaction = world.interactions.get(call.id("interaction"))
    if interaction is None or interaction.token != call.path["token"]:
        raise refused(10062)
    if interaction.is_answered:
        raise refused(40060)
    if world.now() - interaction.at > world.answer_seconds:
        raise refused(10062)
    kind = _kind(interaction, call.fields.get("type"))
    data = call.fields.get("data") or {}
    world.unknown_fields.update(("respond", name) for name in data.keys() - _DATA)
    _answer(world, call, interaction, kind, data)
    interaction.response = kind
    world.changed(interaction.channel)
    return _told(world, call, interaction)


def _kind(interaction: Interaction, kind: Any) -> int:
    allowed = {Kind.MESSAGE, Kind.LATER, Kind.MODAL}
    if interaction.kind == COMPONENT:
        allowed |= {Kind.CHANGE_LATER, Kind.CHANGE}
    if kind not in allowed:
        form = Form()
        words = f"Value must be one of {tuple(sorted(allowed))}."
        form.wrong("type", "BASE_TYPE_CHOICES", words)
        form.check()
    return int(kind)


def _answer(
    world: World, call: Call, interaction: Interaction, kind: int, data: dict[str, Any]
) -> None:
    match kind:
        case Kind.MESSAGE:
            interaction.original = _add(world, call, interaction, data)
        case Kind.LATER:
            flags = LOADING | int(data.get("flags") or 0) & EPHEMERAL
            interaction.original = _make(world, interaction, flags=flags)
            world.add(interaction.channel, interaction.original)
        case Kind.CHANGE_LATER:
            interaction.original = interaction.message
        case Kind.CHANGE:
            interaction.original = interaction.message
            _change(world, call, interaction, interaction.message, data)


def _told(world: World, call: Call, interaction: Interaction) -> Any:
    """Answer with what came of it, if the client asks for it."""
    if call.query.get("with_response", "").lower() not in {"1", "true"}:
        return None
    call.record.message_id = interaction.original.id if interaction.original else None
    told: dict[str, Any] = {
        "id": str(interaction.id),
        "type": interaction.kind,
        "response_message_loading": interaction.is_thinking,
        "response_message_ephemeral": False,
    }
    resource: dict[str, Any] = {"type": interaction.response}
    if interaction.original is not None:
        told["response_message_id"] = str(interaction.original.id)
        told["response_message_ephemeral"] = interaction.original.seen_by is not None
        if interaction.response != Kind.CHANGE_LATER:
            resource["message"] = shown(world, interaction.channel, interaction.original)
    return {"interaction": told, "resource": resource}


def _make(world: World, interaction: Interaction, *, flags: int = 0) -> Message:
    is_command = interaction.kind == COMMAND and interaction.original is None
    message = Message(
        id=world.next_id(),
        channel_id=interaction.channel.id,
        who="bot",
        author=world.bot,
        at=world.now(),
        kind=COMMAND_MESSAGE if is_command else DEFAULT,
        flags=flags,
        application_id=world.application_id,
        webhook_id=world.application_id,
        metadata=_metadata(interaction),
        seen_by=interaction.user_id if flags & EPHEMERAL else None,
    )
    if not is_command:
        holder = interaction.original or interaction.message
        if holder is not None and not holder.is_deleted:
            message.kind, message.reply_to = REPLY, holder
            message.reference = {
                "type": 0,
                "message_id": str(holder.id),
                "channel_id": str(interaction.channel.id),
            }
    return message


def _metadata(interaction: Interaction) -> dict[str, Any]:
    return {
        "id": str(interaction.id),
        "type": interaction.kind,
        "user": interaction.user,
        "authorizing_integration_owners": {},
        **({"name": interaction.data["name"]} if interaction.kind == COMMAND else {}),
    }


def _add(world: World, call: Call, interaction: Interaction, data: dict[str, Any]) -> Message:
    """Add a message that answers an interaction; people are not called by it unasked."""
    flags = int(data.get("flags") or 0) & EPHEMERAL
    message = _make(world, interaction, flags=flags)
    quiet = {**data, "allowed_mentions": data.get("allowed_mentions") or _no_reply(message)}
    take_in(world, interaction.channel, message, quiet, call.files)
    call.record.message_id = message.id
    world.add(interaction.channel, message)
    return message


def _no_reply(message: Message) -> dict[str, Any] | None:
    if message.reply_to is None:
        return None
    return {"parse": ["users", "roles", "everyone"], "replied_user": False}


def _change(
    world: World,
    call: Call,
    interaction: Interaction,
    message: Message | None,
    data: dict[str, Any],
) -> Message:
    if message is None or message.is_deleted:
        raise refused(10008)
    before, was_thinking = message.content, message.is_thinking
    take_in(world, interaction.channel, message, data, call.files, by_edit=not was_thinking)
    message.flags &= ~LOADING
    if not was_thinking:
        message.earlier.append(before)
        message.edited_at = world.now()
    call.record.message_id = message.id
    world.tell_message("MESSAGE_UPDATE", interaction.channel, message)
    world.changed(interaction.channel)
    return message


def _of_token(world: World, call: Call) -> Interaction:
    """Find the interaction whose token it is, while it is good."""
    if call.id("application") != world.application_id:
        raise refused(10015)
    token = call.path["token"]
    for interaction in world.interactions.values():
        if interaction.token == token:
            if world.now() - interaction.at > world.token_seconds:
                raise refused(50027)
            if not interaction.is_answered:
                raise refused(10015)
            return interaction
    raise refused(10015)


def follow_up(world: World, call: Call) -> Any:
    """Add a message; the first after a deferred answer takes its place."""
    interaction = _of_token(world, call)
    if interaction.original is not None and interaction.is_thinking:
        message = _change(world, call, interaction, interaction.original, call.fields)
        return shown(world, interaction.channel, message)
    message = _add(world, call, interaction, call.fields)
    interaction.followups.append(message)
    return shown(world, interaction.channel, message)


def _original(world: World, call: Call) -> tuple[Interaction, Message]:
    interaction = _of_token(world, call)
    if interaction.original is None or interaction.original.is_deleted:
        raise refused(10008)
    return interaction, interaction.original


def _followup(world: World, call: Call) -> tuple[Interaction, Message]:
    interaction = _of_token(world, call)
    own = [*interaction.followups, interaction.original]
    for message in own:
        if message and message.id == call.id("message") and not message.is_deleted:
            return interaction, message
    raise refused(10008)


def get_original(world: World, call: Call) -> Any:
    interaction, message = _original(world, call)
    return shown(world, interaction.channel, message)


def edit_original(world: World, call: Call) -> Any:
    interaction, message = _original(world, call)
    _change(world, call, interaction, message, call.fields)
    return shown(world, interaction.channel, message)


def edit_followup(world: World, call: Call) -> Any:
    interaction, message = _followup(world, call)
    _change(world, call, interaction, message, call.fields)
    return shown(world, interaction.channel, message)


def delete_original(world: World, call: Call) -> Any:
    interaction, message = _original(world, call)
    take_away(world, interaction.channel, message)


def delete_followup(world: World, call: Call) -> Any:
    interaction, message = _followup(world, call)
    take_away(world, interaction.channel, message)
