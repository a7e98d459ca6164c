"""A person's own copy of all that is kept of them: one archive to read, one with their files."""

import json
import os
import re
import secrets
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.ids import PersonId
from gateway.workspace import check_disk, files_beneath, read_beneath, user_workspaces

_TIMES = re.compile(r".*_(at|active|since)")
_FILES_AT_MOST = 10_000
_README = """All that is kept of you, as of {at}.

conversations/  what was said directly with you, to be read
data.json       everything, for programs: conversations, what you said in groups and what you
                were answered there, what was received and sent of late, usage, links between
                your accounts, and what the audit trail says of you
{files}
What the chat platforms and the makers of models keep is not in here: ask them.
"""
_WITH_FILES = "your files     are in a second archive\n"
_PACKED = zipfile.ZIP_DEFLATED


@dataclass(frozen=True, slots=True)
class _File:
    """One of the person's files."""

    agent: str
    root: Path
    name: str
    size: int


def write_export(folder: Path, data: Mapping[str, Any], data_dir: Path, at: float) -> list[Path]:
    """Write the archives into a folder that is there, and return them; blocks.

    They take the place of whatever has their names, and are for the owner's eyes alone.

    Raises:
        OSError: the disk is full, or the like.
        Refused: the store's own disk would be.
    """
    files = list(_files(data_dir, data["person"]))
    written = json.dumps(_dated(data), indent=2, ensure_ascii=False)
    if folder.stat().st_dev == data_dir.stat().st_dev:
        check_disk(folder, len(written) + sum(file.size for file in files))
    whole = folder / "export.zip"
    with _archive(whole) as archive:
        told = _README.format(at=_moment(at), files=_WITH_FILES if files else "")
        archive.writestr("README.txt", told)
        archive.writestr("data.json", written)
        for number, session in enumerate(data["conversations"], 1):
            archive.writestr(f"conversations/{_name(number, session)}", _readable(session))
    return [whole, _write_files(folder, files)] if files else [whole]


def _write_files(folder: Path, files: Sequence[_File]) -> Path:
    path = folder / "files.zip"
    with _archive(path) as archive:
        for file in files:
            archive.writestr(f"{file.agent}/{file.name}", read_beneath(file.root, file.name))
    return path


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Write an archive under a name that nobody can have prepared, then give it its own."""
    draft = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as opened, zipfile.ZipFile(opened, "w", _PACKED) as archive:
            yield archive
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _files(data_dir: Path, person: PersonId) -> Iterator[_File]:
    for agent, root in user_workspaces(data_dir, person):
        for name, size in files_beneath(root, "", _FILES_AT_MOST):
            yield _File(agent, root, name, size)


def _name(number: int, session: Mapping[str, Any]) -> str:
    title = re.sub(r"[^\w -]+", "", session["title"] or "").strip()[:40]
    return f"{number:04} {_moment(session['created_at'])[:10]} {title}".strip() + ".md"


def _readable(session: Mapping[str, Any]) -> str:
    title = session["title"] or "Without a title"
    parts = [f"# {title}", f"With {session['agent']}, since {_moment(session['created_at'])}."]
    parts += (_said(entry) for entry in session["entries"])
    return "\n\n".join(parts) + "\n"


def _said(entry: Mapping[str, Any]) -> str:
    at = _moment(entry["created_at"])
    match entry["kind"]:
        case "user":
            return f"**You**, {at}\n\n{_content(entry['content'])}"
        case "assistant":
            tools = "".join(f"\n\n(asks for {call['tool']})" for call in entry.get("calls", ()))
            return f"**Assistant**, {at}\n\n{entry['text']}{tools}"
        case "tool":
            return f"**{entry['tool']}**, {at}\n\n{entry['text']}"
        case _:
            return f"**Summary of what came before**, {at}\n\n{entry['text']}"


def _content(content: str | Sequence[Mapping[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n\n".join(
        f"(file {block['path']})" if "path" in block else str(block["text"]) for block in content
    )


def _dated(data: Any) -> Any:
    """Write times as people and programs read them."""
    if isinstance(data, Mapping):
        return {name: _dated_value(name, value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_dated(one) for one in data]
    return data


def _dated_value(name: str, value: Any) -> Any:
    if isinstance(value, float) and _TIMES.fullmatch(name):
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")
    return _dated(value)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
