"""What a model is shown of the files in a history: pictures, documents, text, or just their name.

Newest first, within bounds, so that no file can make a request that no server takes.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.contracts.provider import ReadFile
from gateway.providers.history import Asked, Round
from gateway.transcript import TEXT_LIMIT, FileBlock, is_text

IMAGE_LIMIT = 3_750_000
"""Bytes; 5 MB in base64, the least of what the servers take."""
PDF_LIMIT = 20_000_000
ALL_LIMIT = 20_000_000
"""Bytes of all files of one request."""
FILES_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that every server can look at."""

    mime: str
    base64: str


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF."""

    name: str
    base64: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as the model gets it: words, and what is to be looked at, if anything."""

    words: str
    media: Picture | Document | None = None


def has_files(rounds: Iterable[Round]) -> bool:
    return any(_files(one) for one in rounds)


def name_files(rounds: Iterable[Round]) -> Mapping[FileBlock, Shown]:
    """Tell of the files without opening any."""
    return {block: _named(block, "") for one in rounds for block in _files(one)}


def show_files(rounds: list[Round], read_file: ReadFile) -> Mapping[FileBlock, Shown]:
    """Open the newest files of a history; reads from disk."""
    shown: dict[FileBlock, Shown] = {}
    left = ALL_LIMIT
    for block in (block for one in reversed(rounds) for block in reversed(_files(one))):
        if block in shown:
            continue
        if len(shown) >= FILES_LIMIT or block.size > left:
            shown[block] = _named(block, "")
            continue
        shown[block], cost = _open(block, read_file)
        left -= cost
    return shown


def _files(one: Round) -> list[FileBlock]:
    if not isinstance(one, Asked):
        return []
    return [block for block in one.blocks if isinstance(block, FileBlock)]


def _open(block: FileBlock, read_file: ReadFile) -> tuple[Shown, int]:
    if not _is_worth_reading(block):
        return _named(block, ""), 0
    try:
        data = read_file(block.path)
    except (OSError, ValueError):
        return _named(block, "It is no longer there."), 0
    shown = _shown(block, data)
    return shown, len(data) if shown.media else len(shown.words)


def _is_worth_reading(block: FileBlock) -> bool:
    if block.size > PDF_LIMIT:
        return False
    return block.mime.startswith("image/") or _is_pdf(block) or is_text(block)


def _is_pdf(block: FileBlock) -> bool:
    return block.mime == "application/pdf" or block.name.lower().endswith(".pdf")


def _shown(block: FileBlock, data: bytes) -> Shown:
    mime = picture_mime(data)
    if mime is not None:
        if len(data) > IMAGE_LIMIT:
            return _named(block, "It is too large to be shown.")
        return _named(block, "", Picture(mime, _base64(data)))
    if data.startswith(b"%PDF-") and len(data) <= PDF_LIMIT:
        return _named(block, "", Document(block.name or "file.pdf", _base64(data)))
    if is_text(block) and b"\0" not in data:
        return Shown(_text(block, data))
    return _named(block, "")


def picture_mime(data: bytes) -> str | None:
    """Tell by its first bytes what kind of picture it is, of those that servers take."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _text(block: FileBlock, data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    cut = "\n[Cut here: the file goes on.]" if len(text) > TEXT_LIMIT else ""
    return f"[The file {block.path}:]\n{text[:TEXT_LIMIT]}{cut}\n[The file ends.]"


def _named(block: FileBlock, why: str, media: Picture | Document | None = None) -> Shown:
    words = f"[The file {block.path}, {block.mime or 'of unknown kind'}, {_size(block.size)}.]"
    return Shown(f"{words[:-1]} {why}]" if why else words, media)


def _size(count: int) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:  # noqa: PLR2004 -- the units are powers of it
            return f"{count} {unit}"
        count = round(count / 1000)
    return f"{count} GB"
