"""Messages as the Bot API writes them."""

from typing import Any

from tests.fakes.telegram.chat import Chat, Message


def private_chat(user: dict[str, Any]) -> dict[str, Any]:
    shown = ("first_name", "last_name", "username")
    names = {str(name): user[name] for name in shown if name in user}
    return {"id": user["id"], "type": "private", **names}


def message_payload(chat: Chat, message: Message, *, nested: bool = False) -> dict[str, Any]:
    """Write a message; a reply shows the message it answers, one level deep."""
    shown: dict[str, Any] = {
        "message_id": message.message_id,
        "from": message.user,
        "chat": chat.payload(),
        "date": int(message.at),
    }
    if message.thread is not None:
        shown["message_thread_id"] = message.thread
    if message.is_topic:
        shown["is_topic_message"] = True
    if message.reply_to is not None and not nested:
        shown["reply_to_message"] = message_payload(chat, message.reply_to, nested=True)
    if message.edited_at is not None:
        shown["edit_date"] = int(message.edited_at)
    if message.album is not None:
        shown["media_group_id"] = message.album
    if message.buttons:
        shown["reply_markup"] = {"inline_keyboard": message.buttons}
    return {**shown, **_content(message), **message.extra}


def _content(message: Message) -> dict[str, Any]:
    entities = list(message.entities)
    if message.media is None:
        content: dict[str, Any] = {"text": message.text} if message.text else {}
        return {**content, "entities": entities} if entities else content
    content = {message.media.kind: message.media.payload()}
    if message.media.kind == "animation":
        content["document"] = {**message.media.payload()}
    if message.text:
        content["caption"] = message.text
    return {**content, "caption_entities": entities} if entities else content
