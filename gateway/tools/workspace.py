"""Tools for the files of a workspace, and for no others."""

import base64
import binascii
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from typing_extensions import override

from gateway.contracts.tool import Effect, Tool, ToolContext, ToolOutput
from gateway.errors import Refused
from gateway.tools.files import in_thread, read_text, shown
from gateway.tools.schema import count, flag, takes, text
from gateway.tools.search import SearchFiles
from gateway.workspace import files_beneath, write_beneath

_LISTED = 500
_LINES = 1000
_CHARACTERS = 29_000
"""Of one reading, so that the word about the rest is within the output limit."""
_READ_BYTES = 5_000_000
_SKILLS = ".agents/skills/"


class ListFiles(Tool):
    """All files below a folder, with their sizes."""

    name = "list_files"
    description = "List files, with sizes in bytes."
    parameters = takes({}, {"path": text("A folder; default all.")})
    effect = Effect.READ
    is_parallel = True

    @override
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        path = arguments.get("path", "")
        found = await in_thread(path, lambda: files_beneath(context.workspace, path, _LISTED + 1))
        lines = [f"{shown(name)} {size}" for name, size in found[:_LISTED]]
        if len(found) > _LISTED:
            lines.append(f"[Only the first {_LISTED} are listed; name a folder.]")
        return ToolOutput("\n".join(lines) or "There are no files.")


class ReadTextFile(Tool):
    """A text file, or some of its lines."""

    name = "read_file"
    description = "Read a text file, or a part of it."
    parameters = takes(
        {"path": text()},
        {"offset": count("First line, from 1."), "limit": count(f"Lines; default {_LINES}.")},
    )
    effect = Effect.READ
    is_parallel = True

    @override
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        path = arguments["path"]
        words = await in_thread(path, lambda: _read(context, path))
        return ToolOutput(_part(words, arguments.get("offset", 1), arguments.get("limit", _LINES)))


def _read(context: ToolContext, path: str) -> str:
    try:
        return read_text(context.workspace, path, _READ_BYTES)
    except FileNotFoundError:
        if context.skills is None or not path.startswith(_SKILLS):
            raise
        return read_text(context.skills, path.removeprefix(_SKILLS), _READ_BYTES)


def _part(words: str, first: int, limit: int) -> str:
    lines = io.StringIO(words).readlines()
    if first > max(1, len(lines)):
        raise Refused(f"It has only {len(lines)} lines.")
    chosen = list(_fitting(lines[first - 1 : first - 1 + limit]))
    if len(chosen) == len(lines):
        return words or "[The file is empty.]"
    last = first - 1 + len(chosen)
    return f"{''.join(chosen)}\n[Lines {first} to {last} of {len(lines)}.]"


def _fitting(lines: Sequence[str]) -> Iterator[str]:
    room = _CHARACTERS
    for number, line in enumerate(lines):
        room -= len(line)
        if room < 0 and number:
            return
        yield line


class WriteFile(Tool):
    """A file made or replaced as a whole."""

    name = "write_file"
    description = "Make or replace a file. Give content, or content_base64 for bytes."
    parameters = takes({"path": text()}, {"content": text(), "content_base64": text()})
    effect = Effect.IDEMPOTENT

    @override
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        path, data = arguments["path"], _content(arguments)
        await in_thread(path, lambda: write_beneath(context.workspace, path, data))
        return ToolOutput(f"Wrote {len(data)} bytes to {shown(path)}.")


def _content(arguments: dict[str, Any]) -> bytes:
    match arguments:
        case {"content": str(), "content_base64": str()}:
            raise Refused("Give content or content_base64, not both.")
        case {"content": str(words)}:
            return words.encode(errors="replace")
        case {"content_base64": str(written)}:
            try:
                return base64.b64decode(written, validate=True)
            except (binascii.Error, ValueError) as error:
                raise Refused("content_base64 is not base64.") from error
        case _:
            raise Refused("Give content or content_base64.")


class EditFile(Tool):
    """One passage of a text file exchanged for another."""

    name = "edit_file"
    description = "Replace text in a file. `old` must occur exactly once, unless `all`."
    parameters = takes({"path": text(), "old": text(), "new": text()}, {"all": flag()})
    effect = Effect.EFFECT

    @override
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        path, old, new = arguments["path"], arguments["old"], arguments["new"]

        def edit() -> int:
            return _edit(context.workspace, path, old, new, everywhere=arguments.get("all", False))

        times = await in_thread(path, edit)
        return ToolOutput(f"Replaced {times} passage{'s' * (times > 1)} in {shown(path)}.")


def _edit(workspace: Path, path: str, old: str, new: str, *, everywhere: bool) -> int:
    words = read_text(workspace, path, _READ_BYTES)
    times = words.count(old) if old else 0
    if times == 0:
        raise Refused(f"`old` does not occur in {shown(path)}; read it and copy exactly.")
    if times > 1 and not everywhere:
        raise Refused(f"`old` occurs {times} times; give more of the text around it, or `all`.")
    write_beneath(workspace, path, words.replace(old, new).encode(errors="replace"))
    return times


def workspace_tools() -> Sequence[Tool]:
    return [ListFiles(), ReadTextFile(), WriteFile(), EditFile(), SearchFiles()]
