"""Files of messages, and the signed links to them that expire.

Facts: https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
"""

import hashlib
import hmac
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_LINK_SECONDS = 86_400
_SECRET = b"the CDN's own"


@dataclass(slots=True, eq=False)
class StoredFile:
    """An attachment."""

    id: int
    channel_id: int
    name: str
    data: bytes
    mime: str
    size: int
    """Bytes, as the payload claims them."""
    description: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    """Further fields of the payload: `duration_secs`, `waveform`, ..."""

    @property
    def is_image(self) -> bool:
        return self.mime.startswith("image/")

    @property
    def path(self) -> str:
        return f"/attachments/{self.channel_id}/{self.id}/{self.name}"


class Files:
    """All attachments of one server, by the path of their links."""

    def __init__(self) -> None:
        self.address = ""
        """Of the server whose links they are; known once it runs."""
        self._by_path: dict[str, StoredFile] = {}

    def keep(
        self,
        number: int,
        channel_id: int,
        name: str,
        data: bytes,
        *,
        mime: str | None = None,
        size: int | None = None,
        **extra: Any,
    ) -> StoredFile:
        """Keep a file under the name that Discord would give it."""
        safe = re.sub(r"[^\w.-]+", "_", name) or "unknown"
        stored = StoredFile(
            id=number,
            channel_id=channel_id,
            name=safe,
            data=data,
            mime=mime or mimetypes.guess_type(name)[0] or "application/octet-stream",
            size=len(data) if size is None else size,
            description=extra.pop("description", None),
            extra=extra,
        )
        self._by_path[stored.path] = stored
        return stored

    def payload(self, file: StoredFile, now: float) -> dict[str, Any]:
        url = self.address + file.path + _signed(file.path, int(now))
        shown: dict[str, Any] = {
            "id": str(file.id),
            "filename": file.name,
            "size": file.size,
            "url": url,
            "proxy_url": url,
            "content_type": file.mime,
            **file.extra,
        }
        if file.is_image:
            shown |= {"width": 640, "height": 480}
        if file.description is not None:
            shown["description"] = file.description
        return shown

    def at(self, path: str, query: Mapping[str, str], now: float) -> StoredFile | None:
        """Return the file behind a link, while the link lives."""
        try:
            issued, until = int(query["is"], 16), int(query["ex"], 16)
        except (KeyError, ValueError):
            return None
        if not hmac.compare_digest(query.get("hm", ""), _signature(path, issued, until)):
            return None
        return self._by_path.get(path) if now < until else None


def _signed(path: str, now: int) -> str:
    until = now + _LINK_SECONDS
    return f"?ex={until:x}&is={now:x}&hm={_signature(path, now, until)}&"


def _signature(path: str, issued: int, until: int) -> str:
    return hmac.new(_SECRET, f"{path}|{issued}|{until}".encode(), hashlib.sha256).hexdigest()
