"""What a message says and carries, whatever its kind: words, and files still to be fetched."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.chat_text import clean
from gateway.messages import Attachment, AttachmentKind

Json = Mapping[str, Any]

_SEEN_AS_IMAGES = ("image/jpeg", "image/png", "image/webp", "image/gif")


@dataclass(frozen=True, slots=True)
class Contents:
    """Words in the platform's own offsets, before anything is cleaned or taken away."""

    text: str = ""
    entities: tuple[Json, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    is_typed: bool = False
    """The words are a message of their own, so they can be a command; a caption cannot."""


def read_contents(message: Json) -> Contents | None:
    """Return what a message says, or None for a notice of the platform itself."""
    if "text" in message:
        return Contents(message["text"], tuple(message.get("entities", ())), is_typed=True)
    for name, read in _FILES.items():
        if name in message:
            attachment = read(message[name])
            return Contents(
                message.get("caption", ""),
                tuple(message.get("caption_entities", ())),
                (attachment,),
            )
    for name, say in _OTHERS.items():
        if name in message:
            return say(message[name])
    return None


def _file(
    kind: AttachmentKind, file: Json, mime: str, ending: str, name: str | None = None
) -> Attachment:
    return Attachment(
        kind=kind,
        reference=file["file_id"],
        name=clean(name or f"{kind.value}-{file['file_unique_id']}{ending}"),
        mime=clean(file.get("mime_type") or mime),
        size=file.get("file_size"),
    )


def _photo(sizes: list[Json]) -> Attachment:
    largest = max(sizes, key=lambda size: size["width"] * size["height"])
    return _file(AttachmentKind.IMAGE, largest, "image/jpeg", ".jpg")


def _document(file: Json) -> Attachment:
    is_image = file.get("mime_type") in _SEEN_AS_IMAGES
    kind = AttachmentKind.IMAGE if is_image else AttachmentKind.FILE
    return _file(kind, file, "application/octet-stream", "", file.get("file_name"))


def _voice(file: Json) -> Attachment:
    return _file(AttachmentKind.VOICE, file, "audio/ogg", ".ogg")


def _audio(file: Json) -> Attachment:
    return _file(AttachmentKind.AUDIO, file, "audio/mpeg", ".mp3", file.get("file_name"))


def _video(file: Json) -> Attachment:
    return _file(AttachmentKind.VIDEO, file, "video/mp4", ".mp4", file.get("file_name"))


_FILES: dict[str, Callable[[Any], Attachment]] = {
    "photo": _photo,
    "animation": _video,  # before document, as it is sent with both
    "document": _document,
    "voice": _voice,
    "audio": _audio,
    "video": _video,
    "video_note": _video,
}


def _sticker(sticker: Json) -> Contents:
    is_still = not (sticker.get("is_animated") or sticker.get("is_video"))
    image = _file(AttachmentKind.STICKER, sticker, "image/webp", ".webp")
    return Contents(sticker.get("emoji", ""), attachments=(image,) if is_still else ())


def _location(location: Json) -> Contents:
    return Contents(f"Location: {_coordinates(location)}")


def _venue(venue: Json) -> Contents:
    where = _coordinates(venue["location"])
    return Contents(f"Place: {venue['title']}, {venue['address']} ({where})")


def _coordinates(location: Json) -> str:
    return f"{location['latitude']}, {location['longitude']}"


def _contact(contact: Json) -> Contents:
    name = " ".join(filter(None, (contact["first_name"], contact.get("last_name"))))
    return Contents(f"Contact: {name}, {contact['phone_number']}")


def _poll(poll: Json) -> Contents:
    options = (f"- {option['text']}" for option in poll["options"])
    return Contents("\n".join([f"Poll: {poll['question']}", *options]))


def _dice(dice: Json) -> Contents:
    return Contents(f"{dice['emoji']} {dice['value']}")


_OTHERS: dict[str, Callable[[Any], Contents]] = {
    "sticker": _sticker,
    "venue": _venue,  # before location, as it is sent with both
    "location": _location,
    "contact": _contact,
    "poll": _poll,
    "dice": _dice,
}
