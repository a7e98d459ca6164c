"""A person's own copy of all that is kept of them: one archive to read, one with their files."""

import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.ids import PersonId
from gateway.workspace import files_beneath, read_beneath, user_workspaces

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


def write_export(folder: Path, data: Mapping[str, Any], data_dir: Path, at: float) -> list[Path]:
    """Write the archives into a folder that is there, and return them; blocks.

    Raises:
        OSError: the disk is full, or the like.
    """
    files = list(_files(data_dir, data["person"]))
    whole = folder / "export.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        told = _README.format(at=_moment(at), files=_WITH_FILES if files else "")
        archive.writestr("README.txt", told)
        archive.writestr("data.json", json.dumps(_dated(data), indent=2, ensure_ascii=False))
        for number, session in enumerate(data["conversations"], 1):
            archive.writestr(f"conversations/{_name(number, session)}", _readable(session))
    return [whole, _write_files(folder, files)] if files else [whole]


def _write_files(folder: Path, files: Sequence[tuple[str, Path, str]]) -> Path:
    path = folder / "files.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for agent, root, name in files:
            archive.writestr(f"{agent}/{name}", read_beneath(root, name))
    return path


def _files(data_dir: Path, person: PersonId) -> Iterator[tuple[str, Path, str]]:
    """Yield each file with its agent and its root."""
    for agent, root in user_workspaces(data_dir, person):
        for name, _ in files_beneath(root, "", _FILES_AT_MOST):
            yield agent, root, name


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
