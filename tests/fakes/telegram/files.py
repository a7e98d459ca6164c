"""Files on the fake's side: what was uploaded by either end, and links to fetch it."""

import itertools
from dataclasses import dataclass
from typing import Any

from tests.fakes.telegram.refusal import Refusal, bad_request

DOWNLOAD_BYTES = 20 << 20
UPLOAD_BYTES = 50 << 20
PHOTO_BYTES = 10 << 20
_LINK_SECONDS = 3_600.0
_FOLDERS = {
    "photo": "photos",
    "voice": "voice",
    "video": "videos",
    "audio": "music",
    "animation": "animations",
    "sticker": "stickers",
}
_IMAGE_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM")


@dataclass(slots=True)
class StoredFile:
    """One file; `size` may claim more than `data` holds, to spare memory."""

    file_id: str
    kind: str
    data: bytes
    size: int
    name: str | None
    mime: str | None
    path: str
    linked_at: float | None = None

    @property
    def unique_id(self) -> str:
        return f"u{self.file_id}"

    def payload(self) -> Any:
        """Return the field of a message that shows this file."""
        identity = {"file_id": self.file_id, "file_unique_id": self.unique_id}
        if self.kind == "photo":
            small = {"file_id": f"{self.file_id}s", "file_unique_id": f"{self.unique_id}s"}
            return [
                {**small, "width": 90, "height": 67, "file_size": min(self.size, 1_200)},
                {**identity, "width": 1280, "height": 960, "file_size": self.size},
            ]
        shown: dict[str, Any] = {**identity, "file_size": self.size, **_SHAPES.get(self.kind, {})}
        if self.kind == "sticker":
            return shown
        if self.name is not None and self.kind != "voice":
            shown["file_name"] = self.name
        if self.mime is not None:
            shown["mime_type"] = self.mime
        return shown


_SHAPES: dict[str, dict[str, Any]] = {
    "voice": {"duration": 3},
    "audio": {"duration": 120},
    "video": {"duration": 10, "width": 640, "height": 480},
    "animation": {"duration": 2, "width": 320, "height": 240},
    "sticker": {
        "type": "regular",
        "width": 512,
        "height": 512,
        "is_animated": False,
        "is_video": False,
        "emoji": "👍",
    },
}


class Files:
    """All files of one server, by id and by path."""

    def __init__(self) -> None:
        self._by_id: dict[str, StoredFile] = {}
        self._by_path: dict[str, StoredFile] = {}
        self._count = itertools.count(1)

    def keep(
        self,
        kind: str,
        data: bytes,
        *,
        name: str | None = None,
        mime: str | None = None,
        size: int | None = None,
    ) -> StoredFile:
        """Keep a file as something of this kind (`photo`, `document`, ...)."""
        number = next(self._count)
        suffix = name.rpartition(".")[2] if name and "." in name else "jpg"
        path = f"{_FOLDERS.get(kind, 'documents')}/file_{number}.{suffix}"
        stored = StoredFile(
            file_id=f"file{number:020d}",
            kind=kind,
            data=data,
            size=len(data) if size is None else size,
            name=name,
            mime=mime,
            path=path,
        )
        self._by_id[stored.file_id] = self._by_path[path] = stored
        return stored

    def upload(self, kind: str, data: bytes, name: str | None, mime: str | None) -> StoredFile:
        """Keep what the bot sends, within the limits for it."""
        if not data:
            raise bad_request("file must be non-empty")
        if len(data) > UPLOAD_BYTES:
            raise Refusal(413, "Request Entity Too Large")
        if kind == "photo":
            if len(data) > PHOTO_BYTES:
                raise bad_request(
                    f"file of size {len(data)} bytes is too big for a photo; the maximum size "
                    f"is {PHOTO_BYTES} bytes"
                )
            if not data.startswith(_IMAGE_STARTS):
                raise bad_request("IMAGE_PROCESS_FAILED")
        return self.keep(kind, data, name=name, mime=mime)

    def find(self, file_id: str) -> StoredFile:
        stored = self._by_id.get(file_id) or self._by_id.get(file_id.removesuffix("s"))
        if stored is None:
            raise bad_request("wrong remote file identifier specified: can't unserialize it")
        return stored

    def link(self, file_id: str, now: float) -> dict[str, Any]:
        """Answer `getFile`."""
        stored = self._by_id.get(file_id) or self._by_id.get(file_id.removesuffix("s"))
        if stored is None:
            raise bad_request("invalid file_id")
        if stored.size > DOWNLOAD_BYTES:
            raise bad_request("file is too big")
        stored.linked_at = now
        return {
            "file_id": stored.file_id,
            "file_unique_id": stored.unique_id,
            "file_size": stored.size,
            "file_path": stored.path,
        }

    def at(self, path: str, now: float) -> StoredFile | None:
        """Return the file behind a link, while the link lives."""
        stored = self._by_path.get(path)
        if stored is None or stored.linked_at is None or now - stored.linked_at > _LINK_SECONDS:
            return None
        return stored
