"""Files on the fake's side: what either end uploads, and where it is fetched.

Facts: https://docs.slack.dev/reference/objects/file-object
"""

import itertools
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

LONGEST = 1 << 30
LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body></body></html>"


@dataclass(slots=True)
class StoredFile:
    """One file; `size` may claim more than `data` holds, to spare memory."""

    id: str
    name: str
    mime: str
    data: bytes
    size: int
    user: str
    team: str
    at: float
    base: str
    title: str = ""
    alt_text: str = ""
    is_uploaded: bool = True
    is_deleted: bool = False
    needs_info: bool = False
    """Of a foreign workspace: events carry a stub, and `files.info` the rest."""
    shares: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)
    """`public` or `private`, then by conversation."""

    @property
    def path(self) -> str:
        return f"/files-pri/{self.team}-{self.id}/download/{quote(self.name)}"

    def stub(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "created": int(self.at),
            "timestamp": int(self.at),
            "mode": "file_access",
            "file_access": "check_file_info",
        }

    def payload(self) -> dict[str, Any]:
        kind = self.name.rpartition(".")[2].lower() if "." in self.name else "binary"
        return {
            "id": self.id,
            "created": int(self.at),
            "timestamp": int(self.at),
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.mime,
            "filetype": kind,
            "pretty_type": kind.upper(),
            "user": self.user,
            "user_team": self.team,
            "editable": False,
            "size": self.size,
            "mode": "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": False,
            "public_url_shared": False,
            "display_as_bot": False,
            "username": "",
            "url_private": f"{self.base}{self.path.replace('/download/', '/')}",
            "url_private_download": f"{self.base}{self.path}",
            "media_display_type": "unknown",
            "permalink": f"https://team.slack.com/files/{self.user}/{self.id}/{self.name}",
            "has_rich_preview": False,
            "file_access": "visible",
        }


class Files:
    """All files of one server."""

    def __init__(self) -> None:
        self.by_id: dict[str, StoredFile] = {}
        self.base = ""
        """Address of the server, once it runs."""
        self._count = itertools.count(1)

    def keep(
        self, name: str, data: bytes, mime: str, *, user: str, team: str, at: float, **more: Any
    ) -> StoredFile:
        stored = StoredFile(
            id=f"F{next(self._count):08d}",
            name=name,
            mime=mime,
            data=data,
            user=user,
            team=team,
            at=at,
            base=self.base,
            **{"size": len(data), **more},
        )
        self.by_id[stored.id] = stored
        return stored

    def at(self, path: str) -> StoredFile | None:
        """Return the file behind a download address."""
        for stored in self.by_id.values():
            if path in {stored.path, stored.path.replace("/download/", "/")}:
                return stored
        return None
