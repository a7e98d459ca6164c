"""sendMessage, sendPhoto and its kin, sendMediaGroup.

Facts: https://core.telegram.org/bots/api#sendmessage and the sections after it
"""

from typing import Any

from tests.fakes.telegram.buttons import inline_keyboard
from tests.fakes.telegram.calls import Call
from tests.fakes.telegram.chat import Chat, Message
from tests.fakes.telegram.files import StoredFile
from tests.fakes.telegram.markup import parse
from tests.fakes.telegram.refusal import bad_request
from tests.fakes.telegram.text import Formatted, checked, trimmed, units
from tests.fakes.telegram.world import World

LONGEST_TEXT = 4_096
LONGEST_CAPTION = 1_024
_GENERAL_TOPIC = 1
_ALBUM = range(2, 11)
_MIXABLE = frozenset({"photo", "video"})
_ALBUM_KINDS = frozenset({"photo", "video", "audio", "document"})
MEDIA_KINDS = frozenset({*_ALBUM_KINDS, "animation"})


def send_message(world: World, call: Call) -> Any:
    chat = world.chat_of(call)
    if not call.text("text"):
        raise bad_request("message text is empty")
    formatted = formatted_text(call.text("text"), call, "entities")
    if not formatted.text:
        raise bad_request("text must be non-empty")
    if units(formatted.text) > LONGEST_TEXT:
        raise bad_request("message is too long")
    fields = _place(chat, call)
    message = world.post(
        chat,
        call,
        text=formatted.text,
        entities=formatted.entities,
        buttons=inline_keyboard(call.json("reply_markup")),
        **fields,
    )
    return world.payload(chat, message)


def send_file(world: World, call: Call) -> Any:
    """Answer sendPhoto, sendDocument, sendAudio, sendVoice, sendVideo and sendAnimation."""
    kind = call.method.removeprefix("send").lower()
    chat = world.chat_of(call)
    if kind not in call.files and not call.has(kind):
        raise bad_request(f"there is no {kind} in the request")
    caption = formatted_caption(call.text("caption"), call)
    buttons = inline_keyboard(call.json("reply_markup"))
    fields = _place(chat, call)
    media = _media(world, call, kind, f"attach://{kind}" if kind in call.files else None)
    message = world.post(
        chat,
        call,
        text=caption.text,
        entities=caption.entities,
        media=media,
        buttons=buttons,
        **fields,
    )
    return world.payload(chat, message)


def send_media_group(world: World, call: Call) -> Any:
    chat = world.chat_of(call)
    items = call.json("media")
    if not isinstance(items, list) or len(items) not in _ALBUM:
        raise bad_request("wrong number of media: an album has 2-10 items")
    kinds = {item.get("type") for item in items}
    if not kinds <= _ALBUM_KINDS:
        raise bad_request("can't use the media of the specified type in the album")
    if len(kinds) > 1 and not kinds <= _MIXABLE:
        alone = min(str(kind) for kind in kinds - _MIXABLE)
        raise bad_request(f"{alone} can't be mixed with other media types")
    captions = [item_caption(item, call) for item in items]
    fields = _place(chat, call)
    media = [_media(world, call, item["type"], item.get("media")) for item in items]
    album = world.next_name("album")
    messages = [
        world.post(chat, call, text=c.text, entities=c.entities, media=m, album=album, **fields)
        for c, m in zip(captions, media, strict=True)
    ]
    return [world.payload(chat, message) for message in messages]


def input_media(world: World, call: Call, item: Any) -> tuple[StoredFile, Formatted]:
    """Read an `InputMedia` as editMessageMedia takes it."""
    if not isinstance(item, dict) or item.get("type") not in MEDIA_KINDS:
        raise bad_request("can't parse InputMedia: type must be specified")
    return _media(world, call, item["type"], item.get("media")), item_caption(item, call)


def formatted_text(text: str, call: Call, entities: str) -> Formatted:
    """Read a text with its entities or its parse mode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise bad_request("strings must be encoded in UTF-8") from None
    if call.has("parse_mode"):
        return parse(text, call.text("parse_mode"))
    given = call.json(entities)
    return trimmed(text, []) if given is None else checked(text, given)


def formatted_caption(text: str, call: Call) -> Formatted:
    return _short_enough(formatted_text(text, call, "caption_entities"))


def item_caption(item: dict[str, Any], call: Call) -> Formatted:
    """Read the caption of one item of an album."""
    inner = Call(call.method, item, {}, call.record)
    return formatted_caption(item.get("caption") or "", inner)


def _short_enough(caption: Formatted) -> Formatted:
    if units(caption.text) > LONGEST_CAPTION:
        raise bad_request("message caption is too long")
    return caption


def _media(world: World, call: Call, kind: str, reference: str | None) -> StoredFile:
    reference = reference if reference is not None else call.text(kind)
    if reference.startswith("attach://"):
        upload = call.files.get(reference.removeprefix("attach://"))
        if upload is None:
            raise bad_request(f"can't find file {reference}")
        return world.files.upload(kind, upload.data, upload.name, upload.mime)
    if reference.startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content")
    return world.files.find(reference)


def _place(chat: Chat, call: Call) -> dict[str, Any]:
    """Find the topic a message goes to and the message it answers."""
    reply_to, extra = _reply(chat, call)
    thread = checked_thread(chat, call)
    if thread is None and reply_to is not None and reply_to.is_topic:
        thread = reply_to.thread
    return {
        "reply_to": reply_to,
        "thread": thread,
        "is_topic": thread is not None,
        "extra": extra,
    }


def checked_thread(chat: Chat, call: Call, *, takes_general: bool = False) -> int | None:
    """Return the topic a call names, if it may be written to."""
    thread = call.integer("message_thread_id")
    if not thread or (takes_general and thread == _GENERAL_TOPIC and chat.is_forum):
        return None
    if thread not in chat.topics:
        raise bad_request("message thread not found")
    if thread in chat.closed_topics:
        raise bad_request("TOPIC_CLOSED")
    return thread


def _reply(chat: Chat, call: Call) -> tuple[Message | None, dict[str, Any]]:
    given = call.json("reply_parameters")
    if given is None:
        return None, {}
    if not isinstance(given, dict) or not isinstance(given.get("message_id"), int):
        raise bad_request("can't parse reply parameters: message_id must be specified")
    found = chat.messages.get(given["message_id"])
    if found is None or found.is_deleted:
        if given.get("allow_sending_without_reply"):
            return None, {}
        raise bad_request("message to be replied not found")
    quote = given.get("quote")
    if not quote:
        return found, {}
    position = found.text.find(quote)
    if position < 0:
        raise bad_request("QUOTE_TEXT_INVALID")
    at = units(found.text[:position])
    return found, {"quote": {"text": quote, "position": at, "is_manual": True}}
