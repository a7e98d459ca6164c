"""Tools that hand files of the workspace to the user.

What is sent is a copy, made at once where only the gateway writes: whatever happens to the
file afterwards, nothing else can take its place.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typing_extensions import override

from gateway.contracts.tool import Effect, Tool, ToolContext, ToolOutput
from gateway.errors import Refused
from gateway.messages import OutgoingFile
from gateway.tools.files import in_thread, kind_of, shown
from gateway.tools.schema import takes, text
from gateway.workspace import clean_name, make_private, read_beneath, write_beneath

_LARGEST = 100_000_000
_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What every chat platform shows as a picture."""
_PARAMETERS = takes({"path": text()}, {"caption": text()})


class SendFile(Tool):
    """A file for the user to keep."""

    name = "send_file"
    description = "Send a file of the workspace to the user."
    parameters = _PARAMETERS
    effect = Effect.IDEMPOTENT

    @override
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        return await _send(arguments, context, is_image=False)


class SendImage(Tool):
    """A picture for the user to see."""

    name = "send_image"
    description = "Show the user a PNG, JPEG, GIF or WebP of the workspace."
    parameters = _PARAMETERS
    effect = Effect.IDEMPOTENT

    @override
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        return await _send(arguments, context, is_image=True)


async def _send(arguments: dict[str, Any], context: ToolContext, *, is_image: bool) -> ToolOutput:
    path = arguments["path"]
    copy, mime = await in_thread(path, lambda: _copy(context, path, is_image=is_image))
    file = OutgoingFile(
        copy, clean_name(path), mime, caption=arguments.get("caption", ""), is_image=is_image
    )
    return ToolOutput(f"{shown(path)} is handed to the user.", files=(file,))


def _copy(context: ToolContext, path: str, *, is_image: bool) -> tuple[Path, str]:
    data = read_beneath(context.workspace, path, _LARGEST + 1)
    if len(data) > _LARGEST:
        raise Refused(f"{shown(path)} is over {_LARGEST // 1_000_000} MB and cannot be sent.")
    mime = kind_of(data)
    if is_image and mime not in _IMAGES:
        raise Refused(f"{shown(path)} is no such image but {mime}; send_file can send it.")
    return _keep_copy(context, data), mime


def _keep_copy(context: ToolContext, data: bytes) -> Path:
    """Write the copy under a name that a repeated call has again."""
    make_private(context.outgoing, beneath=context.outgoing.parents[1])
    name = hashlib.sha256(context.call_id.encode(errors="replace")).hexdigest()[:32]
    write_beneath(context.outgoing, name, data)
    return context.outgoing / name


def sending_tools() -> Sequence[Tool]:
    return [SendFile(), SendImage()]
