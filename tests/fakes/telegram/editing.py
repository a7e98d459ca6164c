"""Edits and deletions of messages.

Facts: https://core.telegram.org/bots/api#updating-messages
"""

from typing import Any

from tests.fakes.telegram.buttons import Keyboard, inline_keyboard
from tests.fakes.telegram.calls import Call
from tests.fakes.telegram.chat import Chat, Message
from tests.fakes.telegram.files import StoredFile
from tests.fakes.telegram.refusal import bad_request
from tests.fakes.telegram.sending import (
    LONGEST_TEXT,
    formatted_caption,
    formatted_text,
    input_media,
)
from tests.fakes.telegram.text import Entity, units
from tests.fakes.telegram.world import World

_DELETABLE_SECONDS = 48 * 3_600.0


def edit_text(world: World, call: Call) -> Any:
    chat, message = _own_message(world, call)
    if not call.text("text"):
        raise bad_request("message text is empty")
    formatted = formatted_text(call.text("text"), call, "entities")
    if message.media is not None:
        raise bad_request("there is no text in the message to edit")
    if not formatted.text:
        raise bad_request("text must be non-empty")
    if units(formatted.text) > LONGEST_TEXT:
        raise bad_request("MESSAGE_TOO_LONG")
    return _change(world, chat, message, call, formatted.text, formatted.entities)


def edit_caption(world: World, call: Call) -> Any:
    chat, message = _own_message(world, call)
    if message.media is None:
        raise bad_request("there is no caption in the message to edit")
    caption = formatted_caption(call.text("caption"), call)
    return _change(world, chat, message, call, caption.text, caption.entities, message.media)


def edit_media(world: World, call: Call) -> Any:
    chat, message = _own_message(world, call)
    media, caption = input_media(world, call, call.json("media"))
    return _change(world, chat, message, call, caption.text, caption.entities, media)


def edit_markup(world: World, call: Call) -> Any:
    chat, message = _own_message(world, call)
    return _change(world, chat, message, call, message.text, message.entities, message.media)


def delete_message(world: World, call: Call) -> Any:
    chat = world.chat_of(call)
    _delete(world, chat, _named(call))
    return True


def delete_messages(world: World, call: Call) -> Any:
    """Delete those that can be; the real method skips the others too."""
    chat = world.chat_of(call)
    for message_id in call.json("message_ids") or []:
        message = chat.messages.get(message_id)
        if message is not None and not message.is_deleted:
            _delete(world, chat, message_id)
    return True


def _delete(world: World, chat: Chat, message_id: int) -> None:
    message = chat.messages.get(message_id)
    if message is None or message.is_deleted:
        raise bad_request("message to delete not found")
    is_old = world.now() - message.at > _DELETABLE_SECONDS
    is_foreign = not message.is_from_bot and chat.kind != "private"
    if is_old or is_foreign:
        raise bad_request("message can't be deleted")
    message.is_deleted = True
    world.changed(chat)


def _named(call: Call) -> int:
    if not call.has("message_id"):
        raise bad_request("message identifier is not specified")
    return call.integer("message_id")


def _own_message(world: World, call: Call) -> tuple[Chat, Message]:
    chat = world.chat_of(call)
    message = chat.messages.get(_named(call))
    if message is None or message.is_deleted:
        raise bad_request("message to edit not found")
    if not message.is_from_bot:
        raise bad_request("message can't be edited")
    return chat, message


def _change(
    world: World,
    chat: Chat,
    message: Message,
    call: Call,
    text: str,
    entities: tuple[Entity, ...],
    media: StoredFile | None = None,
) -> Any:
    """Give a message this content; without a markup it loses its buttons."""
    buttons: Keyboard | None = inline_keyboard(call.json("reply_markup"))
    same_media = (message.media and message.media.file_id) == (media and media.file_id)
    if same_media and (message.text, message.entities, message.buttons) == (
        text,
        entities,
        buttons,
    ):
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly "
            "the same as a current content and reply markup of the message"
        )
    message.earlier.append(message.text)
    message.text, message.entities, message.buttons = text, entities, buttons
    message.media = media
    message.edited_at = world.now()
    call.record.message_ids = (message.message_id,)
    world.changed(chat)
    return world.payload(chat, message)
