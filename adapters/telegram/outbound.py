"""What is sent, as the parameters of Bot API calls. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from adapters.telegram.choices import keyboard
from adapters.telegram.entities import Rendered
from adapters.telegram.inbound import decode_message_id
from adapters.telegram.markdown import render, rendered_length
from gateway.contracts.adapter import CommandInfo
from gateway.ids import MessageId
from gateway.messages import Limits, OutgoingFile, OutgoingMessage, Place

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
_PHOTO_BYTES = 10_000_000
_PHOTO_KINDS = ("image/jpeg", "image/png", "image/webp")
_COMMANDS_AT_MOST = 100
_SUMMARY_LIMIT = 256

NO_PREVIEW = {"link_preview_options": {"is_disabled": True}}

Parameters = dict[str, Any]

_HOSTED = Limits(
    text=TEXT_LIMIT,
    measure=rendered_length,
    caption=CAPTION_LIMIT,
    edit_every=1.0,
    edit_every_in_groups=3.0,
    draft_every=0.3,
    calls_per_minute_in_groups=20,
    calls_per_second=30.0,
    image_bytes=_PHOTO_BYTES,
    file_bytes=50_000_000,
    download_bytes=20_000_000,
    files_per_album=10,
)
_LOCAL = replace(_HOSTED, file_bytes=2_000_000_000, download_bytes=2_000_000_000)


def limits(*, is_local: bool) -> Limits:
    """Return what Telegram's own server takes, or one with `--local`."""
    return _LOCAL if is_local else _HOSTED


def send_parameters(place: Place, message: OutgoingMessage, *, previews: bool) -> Parameters:
    parameters = {
        **where(place),
        **_text(render(message.text)),
        **_previews(message, shown=previews),
        **keyboard(message.choices),
    }
    if message.reply_to is not None:
        parameters.update(_answering(place, message.reply_to))
    return parameters


def edit_parameters(sent: MessageId, message: OutgoingMessage, *, previews: bool) -> Parameters:
    """Name no keyboard where there are no choices: Telegram then takes the old one away."""
    chat, number = decode_message_id(sent)
    return {
        "chat_id": chat,
        "message_id": number,
        **_text(render(message.text)),
        **_previews(message, shown=previews),
        **keyboard(message.choices),
    }


def draft_parameters(place: Place, draft: int, text: str) -> Parameters:
    shown = _text(render(text).shortened(TEXT_LIMIT)) if text.strip() else {"text": ""}
    return {**where(place), "draft_id": draft, **shown, "can_stop": True}


def without_entities(parameters: Parameters) -> Parameters:
    return {name: value for name, value in parameters.items() if name != "entities"}


def where(place: Place) -> Parameters:
    """Name chat and topic; the General topic has no number to send to."""
    if place.thread is None:
        return {"chat_id": int(place.conversation)}
    return {"chat_id": int(place.conversation), "message_thread_id": int(place.thread)}


def _text(rendered: Rendered) -> Parameters:
    if not rendered.entities:
        return {"text": rendered.text}
    return {"text": rendered.text, "entities": rendered.entities}


def _previews(message: OutgoingMessage, *, shown: bool) -> Parameters:
    if shown and not message.is_growing:
        return {}
    return NO_PREVIEW


def _answering(place: Place, reply_to: MessageId) -> Parameters:
    chat, number = decode_message_id(reply_to)
    if not number or str(chat) != place.conversation:
        return {}
    return {"reply_parameters": {"message_id": number, "allow_sending_without_reply": True}}


def is_photo(file: OutgoingFile, size: int) -> bool:
    """Tell whether Telegram takes the file as a picture; any other goes as a document."""
    return file.is_image and file.mime in _PHOTO_KINDS and size <= _PHOTO_BYTES


def caption_parameters(caption: str) -> Parameters:
    if not caption.strip():
        return {}
    rendered = render(caption).shortened(CAPTION_LIMIT)
    if not rendered.entities:
        return {"caption": rendered.text}
    return {"caption": rendered.text, "caption_entities": rendered.entities}


def command_menus(commands: Sequence[CommandInfo]) -> list[Parameters]:
    """Return the menus by scope: what strangers see never names what is the owner's."""
    open_to_all = [command for command in commands if not command.is_for_owner]
    return [
        _menu("all_private_chats", open_to_all),
        _menu("all_group_chats", [one for one in open_to_all if not one.is_direct_only]),
    ]


def _menu(scope: str, commands: Sequence[CommandInfo]) -> Parameters:
    entries = [
        {"command": command.name, "description": command.summary[:_SUMMARY_LIMIT]}
        for command in commands[:_COMMANDS_AT_MOST]
    ]
    return {"commands": entries, "scope": {"type": scope}}
