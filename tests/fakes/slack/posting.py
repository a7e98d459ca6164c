"""Messages of the app: posted, updated, deleted, shown to one person, sent to a response_url.

Facts: https://docs.slack.dev/reference/methods/chat.postMessage and its siblings
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.slack.blocks import MARKDOWN, Block, checked_blocks
from tests.fakes.slack.calls import Call, CallRecord
from tests.fakes.slack.conversation import Conversation, Ephemeral, Message
from tests.fakes.slack.events import tell_changed, tell_deleted, tell_message
from tests.fakes.slack.payloads import message_payload
from tests.fakes.slack.refusal import Refusal, invalid
from tests.fakes.slack.world import World

_POSTED, _UPDATED = 40_000, 4_000
_METADATA = frozenset({"event_type", "event_payload", "entities"})
RESPONSE_SECONDS, RESPONSE_USES = 1_800.0, 5


@dataclass(frozen=True, slots=True)
class Content:
    """What a call wants shown; `blocks` is `None` where the call names none."""

    text: str
    blocks: list[Block] | None


def content_of(world: World, call: Call, *, longest: int) -> Content:
    """Read and check text, blocks or Markdown."""
    text, markdown = call.text("text"), call.text("markdown_text")
    blocks = call.json("blocks", "invalid_blocks_format")
    if markdown and (text or blocks):
        raise Refusal("markdown_text_conflict")
    if not (text or markdown or blocks or call.json("attachments")):
        raise Refusal("no_text")
    if len(text) > longest or len(markdown) > MARKDOWN:
        raise Refusal("msg_too_long")
    checked = None if blocks is None else checked_blocks(blocks)
    world.look_at(call, checked or (), text=text, markdown_text=markdown)
    if markdown:
        return Content("", [{"type": "markdown", "text": markdown}])
    return Content(text, checked)


def metadata_of(call: Call) -> dict[str, Any] | None:
    given = call.json("metadata", "invalid_metadata_format")
    if given is None:
        return None
    if not isinstance(given, dict) or given.keys() - _METADATA:
        raise Refusal("invalid_metadata_format")
    if not isinstance(given.get("event_type"), str) or not given["event_type"]:
        raise Refusal("invalid_metadata_schema")
    if not isinstance(given.get("event_payload"), dict):
        raise Refusal("invalid_metadata_schema")
    return json.loads(json.dumps(given))  # type: ignore[no-any-return]  # the given dict again


def post_message(world: World, call: Call) -> Any:
    place = world.writable(call)
    thread = world.root_of(place, call.text("thread_ts"))
    content = content_of(world, call, longest=_POSTED)
    message = world.post(
        place,
        call,
        text=content.text,
        blocks=content.blocks or [],
        thread_ts=thread,
        is_broadcast=call.flag("reply_broadcast") and thread is not None,
        metadata=metadata_of(call),
    )
    tell_message(world, place, message)
    payload = message_payload(world, place, message)
    return {"channel": place.id, "ts": message.ts, "message": payload}


def update(world: World, call: Call) -> Any:
    """Answer chat.update; blocks that it does not name stay, and are what people see."""
    place = world.writable(call)
    message = world.own(place, call.needed("ts"), "cant_update_message")
    if message.is_streaming(world.now()):
        raise Refusal("streaming_state_conflict")
    content = content_of(world, call, longest=_UPDATED)
    metadata = metadata_of(call)
    before = message_payload(world, place, message)
    message.earlier.append(message.shown)
    message.text = content.text
    if content.blocks is not None:
        message.blocks = content.blocks
    if metadata is not None:
        message.metadata = metadata
    if message.stream is not None:
        message.stream.is_broken = False
        message.stream.tasks.clear()
    _mark_edited(world, message, world.bot_user)
    call.record.ts = message.ts
    world.changed(place)
    tell_changed(world, place, message, before)
    payload = message_payload(world, place, message)
    return {"channel": place.id, "ts": message.ts, "text": payload["text"], "message": payload}


def _mark_edited(world: World, message: Message, user: str) -> None:
    message.edited_ts, message.edited_by = world.next_ts(), user


def delete(world: World, call: Call) -> Any:
    place = world.place_of(call)
    message = world.own(place, call.needed("ts"), "cant_delete_message")
    if message.is_streaming(world.now()):
        raise Refusal("cant_delete_message")
    before = message_payload(world, place, message)
    message.is_deleted = True
    call.record.ts = message.ts
    world.changed(place)
    tell_deleted(world, place, message, before)
    return {"channel": place.id, "ts": message.ts}


def post_ephemeral(world: World, call: Call) -> Any:
    place = world.writable(call)
    user = call.needed("user")
    if user not in place.members:
        raise Refusal("user_not_in_channel")
    thread = world.root_of(place, call.text("thread_ts"))
    content = content_of(world, call, longest=_POSTED)
    whisper(world, place, user, content, thread)
    return {"message_ts": world.next_ts()}


def whisper(
    world: World, place: Conversation, user: str, content: Content, thread: str | None
) -> None:
    blocks = tuple(content.blocks or ())
    place.ephemeral.append(Ephemeral(user, world.now(), content.text, blocks, thread))
    world.changed(place)


def permalink(world: World, call: Call) -> Any:
    place = world.place_of(call)
    ts = call.needed("message_ts")
    if ts not in place.messages:
        raise Refusal("message_not_found")
    link = f"https://team.slack.com/archives/{place.id}/p{ts.replace('.', '')}"
    return {"channel": place.id, "permalink": link}


def respond(world: World, token: str, call: Call) -> None:
    """Do what was posted to a `response_url`."""
    response = world.responses.get(token)
    if response is None or world.now() - response.at > RESPONSE_SECONDS:
        raise Refusal("expired_url")
    if response.uses >= RESPONSE_USES:
        raise Refusal("used_url")
    place = world.conversations[response.channel]
    call.record.channel = place.id
    shown = place.messages.get(response.ts or "")
    response.uses += 1
    if call.flag("delete_original") and shown is not None:
        shown.is_deleted = True
        world.changed(place)
        return
    content = content_of(world, call, longest=_POSTED)
    if call.flag("replace_original") and shown is not None:
        shown.earlier.append(shown.shown)
        shown.text, shown.blocks = content.text, content.blocks or []
        _mark_edited(world, shown, world.bot_user)
        world.changed(place)
        return
    _say(world, place, response.user, content, call, response.thread_ts)


def answer(world: World, place: Conversation, user: str, said: Any) -> None:
    """Show what the acknowledgement of a slash command carried; log one that cannot be shown."""
    given = {"text": said} if isinstance(said, str) else said
    if not isinstance(given, Mapping) or not given:
        return
    record = CallRecord(world.now(), "(acknowledgement)", place.id, dict(given))
    call = Call(record.method, record.arguments, "", record)
    try:
        _say(world, place, user, content_of(world, call, longest=_POSTED), call, None)
    except Refusal as refusal:
        record.refused = str(refusal)
        world.log.append(record)


def _say(
    world: World,
    place: Conversation,
    user: str,
    content: Content,
    call: Call,
    thread: str | None,
) -> None:
    kind = call.text("response_type") or "ephemeral"
    if kind not in {"ephemeral", "in_channel"}:
        raise invalid("response_type must be ephemeral or in_channel")
    thread = call.text("thread_ts") or thread
    if kind == "ephemeral":
        whisper(world, place, user, content, thread)
        return
    message = world.post(
        place, call, text=content.text, blocks=content.blocks or [], thread_ts=thread
    )
    tell_message(world, place, message)
