"""The tool that finds lines in files."""

import asyncio
import json
import os
import re
import sys
from typing import Any

from typing_extensions import override

from gateway.contracts.tool import Effect, Tool, ToolContext, ToolOutput
from gateway.errors import Refused
from gateway.tools.files import in_thread
from gateway.tools.processes import end_group
from gateway.tools.schema import flag, takes, text
from gateway.tools.searching import search

_SECONDS = 10.0


class SearchFiles(Tool):
    """Lines that hold some words, or match a regular expression."""

    name = "search_files"
    description = "Find lines in files that hold some text. Ignores case."
    parameters = takes(
        {"pattern": text()},
        {"path": text("A folder or file; default all."), "regex": flag("Python syntax.")},
    )
    effect = Effect.READ
    is_parallel = True
    timeout = 30.0

    @override
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        pattern, path = arguments["pattern"], arguments.get("path", "")
        if arguments.get("regex", False):
            lines = await _search_apart(context, path, pattern)
        else:
            words = re.compile(re.escape(pattern), re.IGNORECASE)
            lines = await in_thread(path, lambda: search(context.workspace, path, words))
        return ToolOutput("\n".join(lines) or "Nothing was found.")


async def _search_apart(context: ToolContext, folder: str, pattern: str) -> list[str]:
    """Search in a process that sees one directory, knows no secrets and can be ended."""
    held = os.open(context.workspace, os.O_RDONLY | os.O_DIRECTORY)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", "gateway.tools.searching", str(held)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            pass_fds=[held],
            cwd="/",
            env={},
            start_new_session=True,
        )
    finally:
        os.close(held)
    try:
        async with context.clock.timeout(_SECONDS):
            asked = json.dumps({"folder": folder, "pattern": pattern}).encode()
            answered, _ = await process.communicate(asked)
    except TimeoutError as error:
        raise Refused("That pattern takes too long to match; use a simpler one.") from error
    finally:
        if process.returncode is None:
            await end_group(process, context.clock)
    return _read_answer(answered)


def _read_answer(answered: bytes) -> list[str]:
    try:
        answer: dict[str, Any] = json.loads(answered)
    except ValueError as error:
        raise Refused("The search needed too much time or memory.") from error
    if "problem" in answer:
        raise Refused(answer["problem"])
    lines: list[str] = answer["lines"]
    return lines
