"""What is sent, as the bodies of Discord's API. Pure.

Nobody is ever called by what a model writes: every body says so, as the text alone cannot.
Facts: https://discord.com/developers/docs/resources/message#create-message
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

from adapters.discord.choices import buttons
from adapters.discord.escapes import escaped
from adapters.discord.inbound import decode_message_id, interaction_id
from adapters.discord.markdown import UNSEEN, render, rendered_length
from gateway.contracts.adapter import CommandInfo
from gateway.ids import MessageId
from gateway.messages import Limits, OutgoingFile, OutgoingMessage

TEXT_LIMIT = 2000
LIMITS = Limits(
    text=TEXT_LIMIT,
    measure=rendered_length,
    caption=TEXT_LIMIT,
    edit_every=1.2,
    edit_every_in_groups=1.2,
    calls_per_second=45.0,  # of the fifty that Discord takes: its seconds are not ours
    is_rate_strict=True,
    threads_apart=True,
    image_bytes=10 * 1024 * 1024,
    file_bytes=10 * 1024 * 1024,
    download_bytes=25 * 1024 * 1024,
    files_per_album=10,
)
CALLS_NOBODY: dict[str, Any] = {"parse": [], "replied_user": False}
_NONCE_LENGTH = 25
_WITHOUT_PREVIEWS = 1 << 2
_EPHEMERAL = 1 << 6
_NAME_LIMIT = 100
_FENCE = "```"
_COMMANDS_AT_MOST = 100
_SUMMARY_LIMIT = 100
_TEXT_OPTION = 3
_IN_SERVERS, _DIRECTLY = 0, 1
_FOR_SERVERS = 0
_SAFE_NAME = re.compile(r"[^\w. ()+-]+")

Body = dict[str, Any]


def nonce(key: str) -> str:
    """Name a message the same for every attempt; Discord gives back the first of a nonce."""
    digest = base64.b32encode(hashlib.sha256(key.encode()).digest())
    return digest.decode()[:_NONCE_LENGTH]


def send_body(channel: str, message: OutgoingMessage, *, previews: bool) -> Body:
    return {
        **_shown(message, previews=previews),
        "nonce": nonce(message.key),
        "enforce_nonce": True,
        **_answering(channel, message.reply_to),
    }


def without_reference(body: Body) -> Body:
    """Have a message stand by itself, for where it may not answer another."""
    return {name: value for name, value in body.items() if name != "message_reference"}


def edit_body(message: OutgoingMessage, *, previews: bool) -> Body:
    """Say what the message is from now on; no buttons means that the old ones go."""
    return {"components": [], "flags": 0, **_shown(message, previews=previews)}


def _shown(message: OutgoingMessage, *, previews: bool) -> Body:
    body: Body = {"content": render(message.text), "allowed_mentions": CALLS_NOBODY}
    if not previews or message.is_growing:
        body["flags"] = _WITHOUT_PREVIEWS
    if message.choices:
        body["components"] = buttons(message.choices, is_growing=message.is_growing)
    return body


def _answering(channel: str, reply_to: MessageId | None) -> Body:
    if reply_to is None or interaction_id(reply_to) is not None:
        return {}
    asked_in, number = decode_message_id(reply_to)
    if asked_in != channel:
        return {}
    return {"message_reference": {"message_id": number, "fail_if_not_exists": False}}


def files_body(files: Sequence[OutgoingFile], key: str, *, previews: bool) -> Body:
    body: Body = {
        "content": _cut("\n".join(_captions(files)), TEXT_LIMIT),
        "allowed_mentions": CALLS_NOBODY,
        "nonce": nonce(key),
        "enforce_nonce": True,
        "attachments": [
            {"id": number, "filename": file_name(file.name, number)}
            for number, file in enumerate(files)
        ],
    }
    return body if previews else {**body, "flags": _WITHOUT_PREVIEWS}


def _captions(files: Sequence[OutgoingFile]) -> Iterator[str]:
    """Return the words to files; of several, with the name of the file that each is for."""
    for file in files:
        if file.caption.strip():
            name = "" if len(files) == 1 else f"{escaped(file.name, at_line_start=True)}: "
            yield name + render(file.caption)


def _cut(text: str, limit: int) -> str:
    """Return as much as fits; code that is cut ends."""
    if len(text) <= limit:
        return text
    end = UNSEEN
    if text[: limit - len(end)].count(_FENCE) % 2:
        end = f"{UNSEEN}\n{_FENCE}"
    return text[: limit - len(end)] + end


def file_name(name: str, number: int) -> str:
    """Return a name that means the same on every system, and is not empty."""
    path = PurePath(name.replace("\\", "/"))
    stem = _SAFE_NAME.sub("_", path.stem).strip(". ")[:_NAME_LIMIT]
    return f"{stem or f'file-{number}'}{_SAFE_NAME.sub('', path.suffix)[:16]}"


def settled_body(content: str, label: str, who: str | None) -> Body:
    """Return a message whose question was answered: what was chosen, and no more buttons."""
    told = " · ".join(" ".join(words.split()) for words in (label, who) if words)
    line = f"-# ✓ {escaped(told, at_line_start=False)}"
    kept = _cut(content, TEXT_LIMIT - len(line) - 1)
    return {
        "content": f"{kept}\n{line}" if kept else line,
        "components": [],
        "allowed_mentions": CALLS_NOBODY,
    }


def aside_body(words: str) -> Body:
    """Return words for the eyes of one person."""
    content = _cut(render(words), TEXT_LIMIT)
    return {"content": content, "flags": _EPHEMERAL, "allowed_mentions": CALLS_NOBODY}


def command_bodies(commands: Sequence[CommandInfo], *, for_server: bool = False) -> list[Body]:
    """Return the menu, of one server or for everywhere.

    What strangers see never names what is the owner's.
    """
    shown = [one for one in commands if not one.is_for_owner][:_COMMANDS_AT_MOST]
    if for_server:
        return [_command(one) for one in shown if not one.is_direct_only]
    return [{**_command(one), **_reach(one)} for one in shown]


def _reach(command: CommandInfo) -> Body:
    everywhere = [_IN_SERVERS, _DIRECTLY]
    return {
        "contexts": [_DIRECTLY] if command.is_direct_only else everywhere,
        "integration_types": [_FOR_SERVERS],
    }


def _command(command: CommandInfo) -> Body:
    return {
        "name": command.name,
        "type": 1,
        "description": command.summary[:_SUMMARY_LIMIT],
        "options": [
            {
                "name": "text",
                "description": "What else the command should know",
                "type": _TEXT_OPTION,
                "required": False,
            }
        ],
    }


def thread_name(text: str) -> str:
    """Name a thread by the first words of what it answers."""
    words = " ".join(text.split())
    if len(words) <= _NAME_LIMIT:
        return words or "Conversation"
    return f"{words[: _NAME_LIMIT - 1].rsplit(' ', 1)[0]}…"
