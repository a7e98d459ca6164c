"""What a message carries besides its words: files, stickers, polls, and what it passes on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.chat_text import clean
from gateway.messages import Attachment, AttachmentKind

Json = Mapping[str, Any]

_VOICE = 1 << 13
_STILL_STICKERS = {1: "png", 2: "png", 4: "gif"}
"""By `format_type`; the others are drawings that only Discord can play."""
_EMBED_LIMIT = 2000
_KINDS = {
    "image": AttachmentKind.IMAGE,
    "audio": AttachmentKind.AUDIO,
    "video": AttachmentKind.VIDEO,
}
_SEEN_AS_IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}


def encode_reference(channel: str, message: str, attachment: str, url: str) -> str:
    """Name a file for later; its address alone expires within a day."""
    return f"{channel}:{message}:{attachment}:{url}"


def decode_reference(reference: str) -> tuple[str, str, str, str]:
    """Return channel, message, attachment and address; a sticker's attachment is empty."""
    channel, message, attachment, url = reference.split(":", 3)
    return channel, message, attachment, url


def read_attachments(message: Json, channel: str) -> tuple[Attachment, ...]:
    """Return the files of a message, those that it passes on included."""
    is_voice = bool(message.get("flags", 0) & _VOICE)
    files = [
        _file(one, channel, message["id"], is_voice=is_voice)
        for carrier in (message, *snapshots(message))
        for one in carrier.get("attachments") or ()
    ]
    stickers = [
        _sticker(one, channel, message["id"])
        for carrier in (message, *snapshots(message))
        for one in carrier.get("sticker_items") or ()
        if one.get("format_type") in _STILL_STICKERS
    ]
    return (*files, *stickers)


def _file(file: Json, channel: str, message: str, *, is_voice: bool) -> Attachment:
    mime = (file.get("content_type") or "application/octet-stream").partition(";")[0]
    kind = _KINDS.get(mime.partition("/")[0], AttachmentKind.FILE)
    if kind is AttachmentKind.IMAGE and mime not in _SEEN_AS_IMAGES:
        kind = AttachmentKind.FILE
    return Attachment(
        kind=AttachmentKind.VOICE if is_voice else kind,
        reference=encode_reference(channel, message, file["id"], file["url"]),
        name=clean(file.get("filename") or f"file-{file['id']}"),
        mime=clean(mime),
        size=file.get("size"),
    )


def _sticker(sticker: Json, channel: str, message: str) -> Attachment:
    ending = _STILL_STICKERS[sticker["format_type"]]
    host = "media.discordapp.net" if ending == "gif" else "cdn.discordapp.com"
    url = f"https://{host}/stickers/{sticker['id']}.{ending}"
    return Attachment(
        kind=AttachmentKind.STICKER,
        reference=encode_reference(channel, message, "", url),
        name=f"{clean(sticker.get('name') or 'sticker')}.{ending}",
        mime=f"image/{ending}",
    )


def snapshots(message: Json) -> Sequence[Json]:
    """Return the messages that this one passes on."""
    return [one["message"] for one in message.get("message_snapshots") or ()]


def read_others(message: Json) -> str:
    """Put what is no text and no file into words: a poll, a sticker, an embed on its own."""
    return clean("\n\n".join(filter(None, _others(message))))


def _others(message: Json) -> Iterator[str]:
    if message.get("poll"):
        poll = message["poll"]
        answers = [one["poll_media"].get("text") or "" for one in poll.get("answers") or ()]
        question = poll["question"].get("text") or ""
        yield "\n".join([f"Poll: {question}", *(f"- {answer}" for answer in answers)])
    for sticker in message.get("sticker_items") or ():
        if sticker.get("format_type") not in _STILL_STICKERS:
            yield f"Sticker: {sticker.get('name') or ''}"
    if not message.get("content"):
        for embed in message.get("embeds") or ():
            parts = (embed.get("title"), embed.get("description"), embed.get("url"))
            yield "\n".join(filter(None, parts))[:_EMBED_LIMIT]
