"""What a message carries besides words: files still to be fetched, and messages it shows."""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.slack.wording import read_wording
from gateway.chat_text import clean
from gateway.messages import Attachment, AttachmentKind, Quote

Json = Mapping[str, Any]

_SEEN_AS_IMAGES = ("image/jpeg", "image/png", "image/webp", "image/gif")
_GONE = ("tombstone", "hidden_by_limit")
_UNKNOWN = "application/octet-stream"


def read_files(message: Json) -> tuple[Attachment, ...]:
    files: Iterable[Json] = message.get("files") or ()
    return tuple(read_file(file) for file in files if file.get("mode") not in _GONE)


def read_file(file: Json) -> Attachment:
    """Read a file; of one that only `files.info` tells about, nothing but the id is known."""
    mime = clean(file.get("mimetype") or _UNKNOWN)
    name = clean(file.get("name") or file.get("title") or "")
    return Attachment(
        kind=_kind(file, mime),
        reference=encode_reference(file["id"], _address(file)),
        name=name or f"file-{clean(file['id'])}",
        mime=mime,
        size=file.get("size"),
    )


def needs_asking(files: Iterable[Attachment]) -> bool:
    """Say whether the message leaves out what `files.info` would tell of one of them."""
    return any(not decode_reference(file.reference)[1] for file in files)


def encode_reference(file: str, address: str) -> str:
    return f"{file} {address}".strip()


def decode_reference(reference: str) -> tuple[str, str]:
    file, _, address = reference.partition(" ")
    return file, address


def _address(file: Json) -> str:
    if file.get("file_access") == "check_file_info":
        return ""
    return str(file.get("url_private_download") or file.get("url_private") or "")


def _kind(file: Json, mime: str) -> AttachmentKind:
    if file.get("subtype") == "slack_audio":
        return AttachmentKind.VOICE
    if mime in _SEEN_AS_IMAGES:
        return AttachmentKind.IMAGE
    if mime.startswith("audio/"):
        return AttachmentKind.AUDIO
    if mime.startswith("video/"):
        return AttachmentKind.VIDEO
    return AttachmentKind.FILE


def shared_message(message: Json, us: str, our_name: str) -> Quote | None:
    """Return the message that this one shares or links to, of the several it may."""
    for shown in message.get("attachments") or ():
        if shown.get("is_share") or shown.get("is_msg_unfurl"):
            author = shown.get("author_name") or shown.get("author_subname") or ""
            said = {"text": shown.get("text") or shown.get("fallback") or ""}
            text = read_wording(said, us, our_name).text
            return Quote(clean(author), text, shown.get("author_id") == us)
    return None


def shared_files(message: Json) -> tuple[Attachment, ...]:
    """Return the files of a message that was passed on."""
    shown = (one for one in message.get("attachments") or () if one.get("is_share"))
    return tuple(file for one in shown for file in read_files(one))
